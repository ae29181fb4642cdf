"""How webhook notices enter the inbox. What becomes of them there is `inbox`'s."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as insert_into
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage import engine
from erp_pipelines.storage.inbox import CHANNEL
from erp_pipelines.storage.tables import integration_inbox as inbox


@dataclass(frozen=True)
class NewNotice:
    """A verified notice, routed to its connection. `changed_at`: a pull has found it, changed there at that time."""

    key: ConnectionKey
    event_id: str
    company_id: str
    external_type: str
    external_id: str
    operation: str
    occurred_at: dt.datetime | None
    changed_at: dt.datetime | None = None


def insert(conn: Connection, notices: Sequence[NewNotice]) -> int:
    """Store them, each once however often it comes; how many were new. Waiting workers are told at commit."""
    if not notices:
        return 0
    engine.set_traceparent(conn)
    statement = insert_into(inbox).on_conflict_do_nothing().returning(inbox.c.tenant_id, inbox.c.provider)
    new = conn.execute(statement, [_values(notice) for notice in notices]).all()
    for key in sorted({ConnectionKey(*row) for row in new}):
        conn.execute(sa.select(sa.func.pg_notify(CHANNEL, str(key))))
    return len(new)


def _values(notice: NewNotice) -> dict[str, object]:
    return {
        "tenant_id": notice.key.tenant_id,
        "provider": notice.key.provider,
        "external_event_id": notice.event_id,
        "external_company_id": notice.company_id,
        "external_type": notice.external_type,
        "external_id": notice.external_id,
        "operation": notice.operation,
        "occurred_at": notice.occurred_at,
        "changed_at": notice.changed_at,
    }
