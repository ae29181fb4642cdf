"""Figures for charts: what the sync log of one tenant says of the last days, and how old the queue is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Day:
    """One day (UTC) at one provider. The latencies are seconds from an event to its document; None without documents."""

    provider: str
    day: dt.date
    documents: int
    failures: int
    median_latency: float | None
    p95_latency: float | None


# By the index on (tenant_id, started_at); a document's event is found by its delivery's key.
_DAYS = sa.text(
    """
    with tries as (
      select l.provider, (l.started_at at time zone 'UTC')::date as day,
        l.direction = 'ToExternal' and l.status = 'Completed' as document, l.status = 'Failed' as failure,
        extract(epoch from l.completed_at - d.created_at) as latency
      from erp.integration_sync_logs l
      left join erp.integration_deliveries d on d.id = l.delivery_id and d.tenant_id = l.tenant_id
      where l.tenant_id = :tenant and l.started_at >= :since
    )
    select provider, day, count(*) filter (where document), count(*) filter (where failure),
      cast(percentile_cont(0.5) within group (order by latency) filter (where document) as float8),
      cast(percentile_cont(0.95) within group (order by latency) filter (where document) as float8)
    from tries group by provider, day order by provider, day
    """
)


def days(conn: Connection, tenant_id: str, *, since: dt.datetime) -> list[Day]:
    """The days since then on which something was tried, by provider."""
    return [Day(*row) for row in conn.execute(_DAYS, {"tenant": tenant_id, "since": since})]


@dataclass(frozen=True)
class QueueAge:
    """How many events of one provider have waited for at least `seconds`, and less than the next step."""

    provider: str
    seconds: int
    count: int


STEPS = (0, 60, 300, 1800, 7200, 86400)
_AGES = sa.text(
    """
    select d.provider, (select max(s) from unnest(cast(:steps as int[])) s
                        where s <= greatest(0, extract(epoch from :now - d.created_at))) as step, count(*)
    from erp.integration_connections c
    join erp.integration_deliveries d on d.connection_id = c.id and d.status in ('Pending', 'Failed')
    where c.tenant_id = :tenant group by d.provider, step order by d.provider, step
    """
)


def queue_ages(conn: Connection, tenant_id: str, *, now: dt.datetime) -> list[QueueAge]:
    """What waits now, by provider and by how long it has waited; steps at which nothing waits are left out."""
    rows = conn.execute(_AGES, {"tenant": tenant_id, "now": now, "steps": list(STEPS)})
    return [QueueAge(*row) for row in rows]
