"""Bulk syncs: who asked for what, and how far its deliveries are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage.tables import integration_syncs as syncs


def create(conn: Connection, key: ConnectionKey, entity_types: Sequence[str], by: str) -> str:
    """A new bulk sync, nothing queued yet; its id."""
    made = sa.insert(syncs).values(
        tenant_id=key.tenant_id, provider=key.provider, entity_types=list(entity_types), requested_by=by
    )
    return str(conn.execute(made.returning(syncs.c.id)).scalar_one())


_OPEN = sa.text(
    """
    select s.id from erp.integration_syncs s
    where s.tenant_id = :tenant and s.provider = :provider and s.entity_types = cast(:entities as jsonb)
      and s.cancelled_at is null
      and (s.queued_at is null or exists (
        select 1 from erp.integration_deliveries d
        where d.sync_id = s.id and d.status in ('Pending', 'Processing', 'Failed')))
    order by s.created_at desc limit 1
    """
)


def find_open(conn: Connection, key: ConnectionKey, entity_types_json: str) -> str | None:
    """The newest sync of the same entities that is still being queued or worked on."""
    values = {"tenant": key.tenant_id, "provider": key.provider, "entities": entity_types_json}
    found = conn.execute(_OPEN, values).scalar()
    return str(found) if found else None


def queued(conn: Connection, sync_id: str, *, now: dt.datetime) -> None:
    """All its deliveries are queued."""
    conn.execute(sa.update(syncs).where(syncs.c.id == sync_id).values(queued_at=now))


@dataclass(frozen=True)
class Counts:
    queued: bool
    cancelled: bool
    total: int
    successful: int
    failed: int
    skipped: int
    waiting: int


_COUNTS = sa.text(
    """
    select s.queued_at is not null, s.cancelled_at is not null, count(d.id),
      count(d.id) filter (where d.status = 'Completed' and d.outcome in ('Created', 'Updated', 'Adopted')),
      count(d.id) filter (where d.status = 'Abandoned'),
      count(d.id) filter (where d.status = 'Completed' and d.outcome in ('Unchanged', 'Superseded', 'NotWanted')),
      count(d.id) filter (where d.status in ('Pending', 'Processing', 'Failed'))
    from erp.integration_syncs s left join erp.integration_deliveries d on d.sync_id = s.id
    where s.tenant_id = :tenant and s.provider = :provider and s.id = cast(:sync as uuid)
    group by s.id
    """
)
_ERRORS = sa.text(
    """
    select d.entity_type || ' ' || d.entity_id || ': ' || d.last_error from erp.integration_deliveries d
    where d.tenant_id = :tenant and d.sync_id = cast(:sync as uuid) and d.status in ('Failed', 'Abandoned')
    order by d.seq limit :limit
    """
)


def counts(conn: Connection, key: ConnectionKey, sync_id: str) -> Counts | None:
    """Counted from its deliveries; None if there is no such sync."""
    values = {"tenant": key.tenant_id, "provider": key.provider, "sync": sync_id}
    row = conn.execute(_COUNTS, values).first()
    return Counts(*row) if row else None


@dataclass(frozen=True)
class Stage:
    """The records of one kind in a bulk sync."""

    entity_type: str
    total: int
    done: int
    failed: int

    @property
    def left(self) -> int:
        return self.total - self.done


_STAGES = sa.text(
    """
    select d.entity_type, count(*), count(*) filter (where d.status in ('Completed', 'Abandoned')),
      count(*) filter (where d.status = 'Abandoned')
    from erp.integration_deliveries d
    where d.tenant_id = :tenant and d.provider = :provider and d.sync_id = cast(:sync as uuid)
    group by d.entity_type
    """
)


def stages(conn: Connection, key: ConnectionKey, sync_id: str) -> dict[str, Stage]:
    """The kinds of which something is queued, by their name."""
    values = {"tenant": key.tenant_id, "provider": key.provider, "sync": sync_id}
    return {row[0]: Stage(*row) for row in conn.execute(_STAGES, values)}


def errors(conn: Connection, key: ConnectionKey, sync_id: str, limit: int = 50) -> tuple[str, ...]:
    """What went wrong, a line each."""
    return tuple(conn.execute(_ERRORS, {"tenant": key.tenant_id, "sync": sync_id, "limit": limit}).scalars())


@dataclass(frozen=True)
class Sync:
    """A bulk sync as it was asked for. `queued_at` is None while its records are still being queued."""

    id: str
    provider: str
    entity_types: tuple[str, ...]
    requested_by: str | None
    created_at: dt.datetime
    queued_at: dt.datetime | None
    cancelled_at: dt.datetime | None
    cancelled_by: str | None


_SYNC = [syncs.c[name] for name in Sync.__dataclass_fields__]


def find(conn: Connection, key: ConnectionKey, sync_id: str) -> Sync | None:
    """None if there is no such sync."""
    query = sa.select(*_SYNC).where(syncs.c.tenant_id == key.tenant_id, syncs.c.provider == key.provider)
    row = conn.execute(query.where(syncs.c.id == sa.cast(sync_id, sa.Uuid))).first()
    return _sync(row) if row else None


def newest(conn: Connection, tenant_id: str, limit: int) -> list[Sync]:
    """The last ones that were asked for, the newest first."""
    query = sa.select(*_SYNC).where(syncs.c.tenant_id == tenant_id)
    return [_sync(row) for row in conn.execute(query.order_by(syncs.c.created_at.desc()).limit(limit))]


def _sync(row: sa.Row[Any]) -> Sync:
    values = row._asdict()
    return Sync(**values | {"id": str(values["id"]), "entity_types": tuple(values["entity_types"])})


def is_cancelled(conn: Connection, sync_id: str) -> bool:
    return conn.execute(sa.select(syncs.c.cancelled_at.is_not(None)).where(syncs.c.id == sync_id)).scalar_one()


# What was never begun ends here. What is under way, failed before or is in doubt goes on to its own end; so does an
# event with an earlier one of its record that is not done, or has left its news to it: a completed event counts as
# newer than all before it, so they would end with this one, unsent.
_CANCEL = sa.text(
    """
    with ended as (
      update erp.integration_deliveries d
      set status = 'Completed', outcome = 'NotWanted', processed_at = :now
      where d.tenant_id = :tenant and d.sync_id = cast(:sync as uuid) and d.status = 'Pending' and d.attempts = 0
        and not d.in_doubt
        and not exists (
          select 1 from erp.integration_deliveries e
          where e.tenant_id = d.tenant_id and e.entity_type = d.entity_type and e.entity_id = d.entity_id
            and e.seq < d.seq and e.connection_id = d.connection_id and e.status <> 'Completed')
        and coalesce((
          select e.outcome from erp.integration_deliveries e
          where e.tenant_id = d.tenant_id and e.entity_type = d.entity_type and e.entity_id = d.entity_id
            and e.seq < d.seq and e.connection_id = d.connection_id
          order by e.seq desc limit 1), '') <> 'Superseded'
      returning d.id, d.tenant_id, d.provider, d.entity_type, d.entity_id
    )
    insert into erp.integration_sync_logs
      (tenant_id, provider, entity_type, entity_id, direction, status, outcome, error_message, cause, started_at,
       completed_at, actor, delivery_id)
    select tenant_id, provider, entity_type, entity_id, 'ToExternal', 'Skipped', 'NotWanted', :words, 'not-wanted', :now,
      :now, :by, id
    from ended
    """
)


def cancel(conn: Connection, key: ConnectionKey, sync_id: str, *, by: str, now: dt.datetime) -> int:
    """Nothing more of it is begun; how many deliveries that spared. Each has its entry in the log. Again changes nothing."""
    mine = sa.update(syncs).where(syncs.c.id == sa.cast(sync_id, sa.Uuid), syncs.c.cancelled_at.is_(None))
    conn.execute(mine.values(cancelled_at=now, cancelled_by=by))
    values = {"tenant": key.tenant_id, "sync": sync_id, "now": now, "by": by}
    return conn.execute(_CANCEL, values | {"words": f"The bulk sync was cancelled by {by}."}).rowcount
