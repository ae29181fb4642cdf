"""How many calls a connection has cost, by day: reads, which some providers meter, and writes, which are free."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey


@dataclass(frozen=True)
class Usage:
    """One connection's calls: in the month, in the days from `recent` on, and the first day that was counted."""

    tenant_id: str
    provider: str
    reads: int
    writes: int
    recent_reads: int
    first_day: dt.date


_ADD = sa.text(
    """
    insert into erp.integration_usage as u (tenant_id, provider, day, reads, writes)
    values (:tenant, :provider, :day, :reads, :writes)
    on conflict (tenant_id, provider, day) do update
    set reads = u.reads + excluded.reads, writes = u.writes + excluded.writes
    """
)
_MONTH = sa.text(
    """
    select coalesce(sum(reads), 0) from erp.integration_usage
    where tenant_id = :tenant and provider = :provider and day >= date_trunc('month', cast(:day as date))
      and day < date_trunc('month', cast(:day as date)) + interval '1 month'
    """
)
_USAGE = """
    select tenant_id, provider,
      coalesce(sum(reads) filter (where day >= date_trunc('month', cast(:day as date))), 0),
      coalesce(sum(writes) filter (where day >= date_trunc('month', cast(:day as date))), 0),
      coalesce(sum(reads) filter (where day >= :recent), 0), min(day)
    from erp.integration_usage where day <= :day {scope} group by tenant_id, provider order by tenant_id, provider
"""
_OF_TENANT = sa.text(_USAGE.format(scope="and tenant_id = :tenant"))
_BY_PROVIDER = sa.text(
    """
    select provider, sum(reads), sum(writes) from erp.integration_usage
    where day >= date_trunc('month', cast(:day as date)) and day <= :day group by provider order by provider
    """
)


def add(conn: Connection, key: ConnectionKey, *, day: dt.date, reads: int, writes: int) -> None:
    """So many calls more."""
    values = {"tenant": key.tenant_id, "provider": key.provider, "day": day, "reads": reads, "writes": writes}
    conn.execute(_ADD, values)


def month_reads(conn: Connection, key: ConnectionKey, day: dt.date) -> int:
    """Reads in the calendar month (UTC) of that day."""
    values = {"tenant": key.tenant_id, "provider": key.provider, "day": day}
    return int(conn.execute(_MONTH, values).scalar_one())


def of_tenant(conn: Connection, tenant_id: str, *, day: dt.date, recent: dt.date) -> list[Usage]:
    """The tenant's connections that have made calls, by provider; the month is that of `day`."""
    rows = conn.execute(_OF_TENANT, {"tenant": tenant_id, "day": day, "recent": recent})
    return [Usage(row[0], row[1], int(row[2]), int(row[3]), int(row[4]), row[5]) for row in rows]


def by_provider(conn: Connection, day: dt.date) -> list[tuple[str, int, int]]:
    """Provider, reads and writes of the month over all tenants. System scope."""
    return [(provider, int(reads), int(writes)) for provider, reads, writes in conn.execute(_BY_PROVIDER, {"day": day})]
