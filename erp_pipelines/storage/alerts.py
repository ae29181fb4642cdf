"""What a person must hear of: one row per event given up and per connection parked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.outcomes import Explained
from erp_pipelines.storage.tables import integration_alerts as alerts


@dataclass(frozen=True)
class Alert:
    id: str
    tenant_id: str
    provider: str
    entity_type: str | None
    entity_id: str | None
    cause: str
    message: str
    mend: str | None
    created_at: dt.datetime


def raise_alert(
    conn: Connection,
    key: ConnectionKey,
    why: Explained,
    *,
    entity_type: str | None = None,
    entity_id: str | None = None,
) -> None:
    """Write one alert, in the transaction of what it tells of."""
    conn.execute(
        sa.insert(alerts).values(
            tenant_id=key.tenant_id,
            provider=key.provider,
            entity_type=entity_type,
            entity_id=entity_id,
            cause=why.cause,
            message=why.message[:2000],
            mend=why.mend or None,
        )
    )


def since(conn: Connection, created_after: dt.datetime, limit: int) -> list[Alert]:
    """Alerts of all tenants after a moment, oldest first. System scope."""
    columns = [alerts.c[name] for name in Alert.__dataclass_fields__]
    chosen = sa.select(*columns).where(alerts.c.created_at > created_after).order_by(alerts.c.created_at).limit(limit)
    return [Alert(str(row[0]), *row[1:]) for row in conn.execute(chosen)]
