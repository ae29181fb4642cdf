"""What is due, for whom: asked by sensors, lanes and the command line, answered from indexes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage.engine import LOCK_HELD

LOCK_PREFIX = "erp:connection:"

# Claimable work only: an event that queues behind one that waits for its retry is not due.
_WORK = """
    exists (
      select 1 from erp.integration_deliveries d
      where d.connection_id = c.id and d.status in ('Pending', 'Failed') and d.scheduled_for <= :now
        and d.seq = (
          select e.seq from erp.integration_deliveries e
          where e.connection_id = d.connection_id and e.ordering_key = d.ordering_key
            and e.status in ('Pending', 'Processing', 'Failed')
          order by e.seq limit 1)
    ) or exists (
      select 1 from erp.integration_inbox i
      where i.tenant_id = c.tenant_id and i.provider = c.provider and i.status in ('Pending', 'Failed')
        and i.scheduled_for <= :now
    )
"""
# What a worker has in hand. Without a worker, one has died over it: whoever takes the lock next takes it over at once.
_IN_HAND = """
    exists (select 1 from erp.integration_deliveries d where d.connection_id = c.id and d.status = 'Processing')
    or exists (
      select 1 from erp.integration_inbox i
      where i.tenant_id = c.tenant_id and i.provider = c.provider and i.status = 'InProgress'
    )
"""
_SERVABLE = "c.state = 'Connected' and (c.paused_until is null or c.paused_until <= :now)"
_UNSERVED = "not " + LOCK_HELD.format(name=":prefix || c.tenant_id || ':' || c.provider")
# Hops through the indexes of what waits from one connection to the next: so the cost grows with the connections that
# have something waiting, not with all of them, nor with how much waits for each.
_OLDEST = """
    with recursive told as (
      (select d.connection_id from erp.integration_deliveries d
       where d.status in ('Pending', 'Failed') order by d.connection_id limit 1)
      union all
      select following.connection_id from told cross join lateral (
        select d.connection_id from erp.integration_deliveries d
        where d.status in ('Pending', 'Failed') and d.connection_id > told.connection_id
        order by d.connection_id limit 1) following
    ), noticed as (
      (select i.tenant_id, i.provider from erp.integration_inbox i
       where i.status in ('Pending', 'InProgress', 'Failed') order by i.tenant_id, i.provider limit 1)
      union all
      select following.tenant_id, following.provider from noticed cross join lateral (
        select i.tenant_id, i.provider from erp.integration_inbox i
        where i.status in ('Pending', 'InProgress', 'Failed')
          and (i.tenant_id, i.provider) > (noticed.tenant_id, noticed.provider)
        order by i.tenant_id, i.provider limit 1) following
    ), candidates as (
      select connection_id as id from told
      union
      select d.connection_id from erp.integration_deliveries d where d.status = 'Processing'
      union
      select (select c.id from erp.integration_connections c where c.tenant_id = n.tenant_id and c.provider = n.provider)
      from noticed n
    )
    select c.tenant_id, c.provider from candidates join erp.integration_connections c on c.id = candidates.id
    where {servable} and ({work} or {in_hand}) and {unserved}
    order by (
      select min(d.scheduled_for) from erp.integration_deliveries d
      where d.connection_id = c.id and d.status in ('Pending', 'Failed')
    ) nulls last
"""
# Row-level security lets the planner think that next to nothing waits; it would read and sort all of it for each hop.
_HOP = sa.text("select set_config('enable_sort', 'off', true)")
_CONNECTIONS = sa.text(_OLDEST.format(servable=_SERVABLE, work=_WORK, in_hand=_IN_HAND, unserved=_UNSERVED))
_ONE = sa.text(
    f"""
    select 1 from erp.integration_connections c
    where c.tenant_id = :tenant and c.provider = :provider and {_SERVABLE}
      and ({_WORK} or ({_IN_HAND}) and {_UNSERVED})
    """
)


def connections(conn: Connection, *, now: dt.datetime) -> list[ConnectionKey]:
    """Connections with claimable work, or a dead worker's, that no worker holds, the longest waiting first. System scope, in a transaction of its own."""
    conn.execute(_HOP)
    rows = conn.execute(_CONNECTIONS, {"now": now, "prefix": LOCK_PREFIX})
    return [ConnectionKey(tenant_id, provider) for tenant_id, provider in rows]


def is_due(conn: Connection, key: ConnectionKey, *, now: dt.datetime) -> bool:
    """Whether this connection has claimable work, or a dead worker's."""
    values = {"tenant": key.tenant_id, "provider": key.provider, "now": now, "prefix": LOCK_PREFIX}
    return conn.execute(_ONE, values).first() is not None


@dataclass(frozen=True)
class Health:
    """How one connection stands. `oldest_due_seconds` is None when nothing is due.

    `in_doubt`: events that wait, or were given up, with a write that may have reached the ERP unheard.
    """

    key: ConnectionKey
    company_name: str | None
    state: str
    state_reason: str | None
    paused_until: dt.datetime | None
    last_sync_at: dt.datetime | None
    due: int
    oldest_due_seconds: float | None
    waiting: int
    failed: int
    in_doubt: int
    abandoned: int
    notices: int


_HEALTH = sa.text(
    """
    select c.tenant_id, c.provider, c.company_name, c.state, c.state_reason, c.paused_until, c.last_sync_at,
      d.due, d.oldest, d.waiting, d.failed, d.in_doubt + a.in_doubt as in_doubt, a.abandoned, i.notices
    from erp.integration_connections c
    cross join lateral (
      select count(*) filter (where d.scheduled_for <= :now) as due,
        extract(epoch from :now - min(d.scheduled_for) filter (where d.scheduled_for <= :now)) as oldest,
        count(*) filter (where d.status = 'Pending') as waiting, count(*) filter (where d.status = 'Failed') as failed,
        count(*) filter (where d.in_doubt) as in_doubt
      from erp.integration_deliveries d where d.connection_id = c.id and d.status in ('Pending', 'Failed')
    ) d
    cross join lateral (
      select count(*) as abandoned, count(*) filter (where d.in_doubt) as in_doubt
      from erp.integration_deliveries d
      where d.tenant_id = c.tenant_id and d.provider = c.provider and d.connection_id = c.id
        and d.status = 'Abandoned' and d.cause is not null
    ) a
    cross join lateral (
      select count(*) as notices from erp.integration_inbox i
      where i.tenant_id = c.tenant_id and i.provider = c.provider and i.status in ('Pending', 'Failed', 'InProgress')
    ) i
    where (cast(:tenant as text) is null or c.tenant_id = :tenant)
    order by c.tenant_id, c.provider
    """
)


def health(conn: Connection, *, now: dt.datetime, tenant_id: str | None = None) -> list[Health]:
    """The state of each connection, of one tenant or of all (system scope)."""
    rows = conn.execute(_HEALTH, {"now": now, "tenant": tenant_id}).mappings()
    return [_health(dict(row)) for row in rows]


def _health(row: dict[str, Any]) -> Health:
    key = ConnectionKey(row.pop("tenant_id"), row.pop("provider"))
    oldest = row.pop("oldest")
    return Health(key=key, oldest_due_seconds=None if oldest is None else float(oldest), **row)


_NEXT = sa.text(
    """
    select least(
      (select min(d.scheduled_for) from erp.integration_deliveries d
       where d.connection_id = c.id and d.status in ('Pending', 'Failed')),
      (select min(i.scheduled_for) from erp.integration_inbox i
       where i.tenant_id = c.tenant_id and i.provider = c.provider and i.status in ('Pending', 'Failed')))
    from erp.integration_connections c where c.tenant_id = :tenant and c.provider = :provider
    """
)


def next_at(conn: Connection, key: ConnectionKey) -> dt.datetime | None:
    """When the first event or notice that waits is due; in the past where it is already. None: nothing waits."""
    moment: dt.datetime | None = conn.execute(_NEXT, {"tenant": key.tenant_id, "provider": key.provider}).scalar()
    return moment
