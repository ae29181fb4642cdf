"""Figures for charts: what the sync log of one tenant says of the last days, and how old the queue is."""

from __future__ import annotations

import datetime as dt
import uuid
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


_DAYS = sa.text(
    """
    select l.provider, (l.started_at at time zone 'UTC')::date as day,
      count(*) filter (where l.direction = 'ToExternal' and l.status = 'Completed'),
      count(*) filter (where l.status = 'Failed')
    from erp.integration_sync_logs l where l.tenant_id = :tenant and l.started_at >= :since
    group by l.provider, day order by l.provider, day
    """
)
# Ids are random: those below a bound are a fair sample, without a look at the others' deliveries.
_LATENCIES = sa.text(
    """
    select l.provider, (l.started_at at time zone 'UTC')::date as day,
      cast(percentile_cont(0.5) within group (order by extract(epoch from l.completed_at - d.created_at)) as float8),
      cast(percentile_cont(0.95) within group (order by extract(epoch from l.completed_at - d.created_at)) as float8)
    from erp.integration_sync_logs l
    join erp.integration_deliveries d on d.id = l.delivery_id and d.tenant_id = l.tenant_id
    where l.tenant_id = :tenant and l.started_at >= :since and l.direction = 'ToExternal' and l.status = 'Completed'
      and l.id <= :bound
    group by l.provider, day
    """
)
SAMPLE = 20_000


def days(conn: Connection, tenant_id: str, *, since: dt.datetime) -> list[Day]:
    """The days since then on which something was tried, by provider. Latencies are of a sample where there are very many."""
    values = {"tenant": tenant_id, "since": since}
    counted = conn.execute(_DAYS, values).all()
    share = min(1.0, SAMPLE / max(sum(row[2] for row in counted), 1))
    bound = uuid.UUID(int=min(int(share * 2**128), 2**128 - 1))
    latencies = {tuple(row[:2]): row[2:] for row in conn.execute(_LATENCIES, values | {"bound": bound})}
    return [Day(*row, *latencies.get(tuple(row[:2]), (None, None))) for row in counted]


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
