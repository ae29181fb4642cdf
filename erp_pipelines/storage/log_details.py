"""What stands around one entry of the sync log: the event it was a try at, and what was said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey


@dataclass(frozen=True)
class LogDetail:
    """The parts of the delivery and the event are None for an entry that belongs to none."""

    request_payload: dict[str, Any] | None
    response_payload: dict[str, Any] | None
    delivery_id: str | None
    delivery_status: str | None
    outbox_id: str | None
    event_type: str | None
    payload: dict[str, Any] | None
    run_id: str | None


_DETAIL = sa.text(
    """
    select l.request_payload, l.response_payload, d.id::text, d.status, o.id::text, o.event_type, o.payload, l.run_id
    from erp.integration_sync_logs l
    left join erp.integration_deliveries d on d.id = l.delivery_id and d.tenant_id = l.tenant_id
    left join erp.integration_outbox o on o.id = d.outbox_id and o.tenant_id = d.tenant_id
    where l.tenant_id = :tenant and l.id = cast(:id as uuid)
    """
)


def of(conn: Connection, tenant_id: str, log_id: str) -> LogDetail:
    """Of an entry that the tenant's log has (`listings.log`)."""
    return LogDetail(*conn.execute(_DETAIL, {"tenant": tenant_id, "id": log_id}).one())


_LAST_RUN = sa.text(
    """
    select run_id from erp.integration_sync_logs
    where tenant_id = :tenant and provider = :provider order by started_at desc, id desc limit 1
    """
)


def last_run(conn: Connection, key: ConnectionKey) -> str | None:
    """The run of Dagster's that made the newest entry of a connection; None where none did."""
    return conn.execute(_LAST_RUN, {"tenant": key.tenant_id, "provider": key.provider}).scalar_one_or_none()
