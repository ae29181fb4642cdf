"""What a person must hear of: one row per event given up and per connection parked."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.outcomes import Explained
from erp_pipelines.storage.tables import integration_alerts as alerts


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
