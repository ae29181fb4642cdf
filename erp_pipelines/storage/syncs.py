"""Bulk syncs: who asked for what, and how far its deliveries are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

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
    total: int
    successful: int
    failed: int
    skipped: int
    waiting: int


_COUNTS = sa.text(
    """
    select s.queued_at is not null, count(d.id),
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


def errors(conn: Connection, key: ConnectionKey, sync_id: str, limit: int = 50) -> tuple[str, ...]:
    """What went wrong, a line each."""
    return tuple(conn.execute(_ERRORS, {"tenant": key.tenant_id, "sync": sync_id, "limit": limit}).scalars())
