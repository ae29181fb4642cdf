"""How far the changes of each stream of a connection have been pulled."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey

_CURSOR = sa.text(
    """
    select cursor from erp.integration_sync_checkpoints
    where tenant_id = :tenant and provider = :provider and entity_type = :stream
    """
)
_SAVE = sa.text(
    """
    insert into erp.integration_sync_checkpoints as c (tenant_id, provider, entity_type, cursor, last_success_at)
    values (:tenant, :provider, :stream, :cursor, :now)
    on conflict (tenant_id, provider, entity_type) do update
    set cursor = excluded.cursor, last_success_at = coalesce(excluded.last_success_at, c.last_success_at),
        last_error = null, updated_at = now()
    """
)
_FAILED = sa.text(
    """
    insert into erp.integration_sync_checkpoints as c (tenant_id, provider, entity_type, last_error)
    values (:tenant, :provider, :stream, :error)
    on conflict (tenant_id, provider, entity_type) do update set last_error = excluded.last_error, updated_at = now()
    """
)
# A connection without a checkpoint was never pulled; the stream that is furthest behind counts.
_DUE = sa.text(
    """
    select c.tenant_id, c.provider from erp.integration_connections c
    left join lateral (
      select min(coalesce(p.last_success_at, '-infinity')) as at from erp.integration_sync_checkpoints p
      where p.tenant_id = c.tenant_id and p.provider = c.provider
    ) last on true
    where c.state = 'Connected' and c.is_active and c.provider = :provider
      and (c.paused_until is null or c.paused_until <= :now) and coalesce(last.at, '-infinity') <= :before
    order by last.at nulls first, c.tenant_id
    """
)


def cursor(conn: Connection, key: ConnectionKey, stream: str) -> str | None:
    """Where the next page begins; None before the first one."""
    return conn.execute(_CURSOR, _scope(key, stream)).scalar_one_or_none()


def save(conn: Connection, key: ConnectionKey, stream: str, at: str, *, now: dt.datetime, done: bool) -> None:
    """The page before `at` is stored. `done`: nothing more was there, so the stream is up to date as of `now`."""
    conn.execute(_SAVE, _scope(key, stream) | {"cursor": at, "now": now if done else None})


def failed(conn: Connection, key: ConnectionKey, stream: str, error: str) -> None:
    """The page could not be read; the cursor stays."""
    conn.execute(_FAILED, _scope(key, stream) | {"error": error[:500]})


def due(conn: Connection, provider: str, *, now: dt.datetime, before: dt.datetime) -> list[ConnectionKey]:
    """Connections of the provider that were not up to date since `before`, the longest waiting first (system scope)."""
    rows = conn.execute(_DUE, {"provider": provider, "now": now, "before": before})
    return [ConnectionKey(*row) for row in rows]


_STREAMS = sa.text(
    """
    select last_success_at, last_error from erp.integration_sync_checkpoints
    where tenant_id = :tenant and provider = :provider order by entity_type
    """
)


@dataclass(frozen=True)
class Pulled:
    """How a connection's pulls stand: `at` is None until every stream was pulled to its end once."""

    at: dt.datetime | None
    error: str | None


def last(conn: Connection, key: ConnectionKey) -> Pulled:
    """The last complete pull of the stream that is furthest behind, and what stopped a later one."""
    rows = conn.execute(_STREAMS, {"tenant": key.tenant_id, "provider": key.provider}).all()
    moments = [moment for moment, _ in rows]
    complete = rows and None not in moments
    return Pulled(min(moments) if complete else None, next((error for _, error in rows if error), None))


def _scope(key: ConnectionKey, stream: str) -> dict[str, object]:
    return {"tenant": key.tenant_id, "provider": key.provider, "stream": stream}
