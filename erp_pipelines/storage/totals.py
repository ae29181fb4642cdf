"""What workers have done since the beginning: one row for each connection and name, so that reading all of them is cheap."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey

_ADD = sa.text(
    """
    insert into erp.integration_totals as t (tenant_id, provider, name, value)
    select :tenant, :provider, grown.name, grown.value
    from unnest(cast(:names as text[]), cast(:values as bigint[])) as grown (name, value)
    on conflict (tenant_id, provider, name) do update set value = t.value + excluded.value
    """
)
_BY_PROVIDER = sa.text(
    """
    select provider, name, sum(value) from erp.integration_totals
    group by provider, name order by provider, name
    """
)


def add(conn: Connection, key: ConnectionKey, grown: Mapping[str, int]) -> None:
    """So much more of each name."""
    values = {"names": list(grown), "values": list(grown.values())}
    conn.execute(_ADD, {"tenant": key.tenant_id, "provider": key.provider, **values})


def by_provider(conn: Connection) -> list[tuple[str, str, int]]:
    """Provider, name and value over all tenants. System scope."""
    return [(provider, name, int(value)) for provider, name, value in conn.execute(_BY_PROVIDER)]
