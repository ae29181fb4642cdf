"""Inbox notices that wait to be worked on. How they come in is `inbox_intake`'s."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.outcomes import Explained

CHANNEL = "erp_inbox"


@dataclass(frozen=True)
class StoredNotice:
    id: str
    external_type: str
    external_id: str
    operation: str
    occurred_at: dt.datetime | None
    received_at: dt.datetime
    attempts: int
    traceparent: str = ""


_CLAIM = sa.text(
    """
    with due as (
      select id from erp.integration_inbox
      where tenant_id = :tenant and provider = :provider and status in ('Pending', 'Failed') and scheduled_for <= :now
      order by seq limit :limit for update skip locked
    )
    update erp.integration_inbox i set status = 'InProgress', attempts = attempts + 1
    from due where i.id = due.id
    returning i.id, i.external_type, i.external_id, i.operation, i.occurred_at, i.received_at, i.attempts,
      i.traceparent
    """
)
_TAKE_OVER = sa.text(
    """
    update erp.integration_inbox set status = 'Pending'
    where tenant_id = :tenant and provider = :provider and status = 'InProgress'
    """
)
_FINISH = sa.text(
    """
    update erp.integration_inbox set status = :status, processed_at = :now, last_error = :note
    where tenant_id = :tenant and id = any(cast(:ids as uuid[])) and status = 'InProgress'
    """
)
_FAIL = sa.text(
    """
    update erp.integration_inbox set status = :status, scheduled_for = :at, last_error = :error
    where tenant_id = :tenant and id = any(cast(:ids as uuid[])) and status = 'InProgress'
    """
)


def claim(conn: Connection, key: ConnectionKey, *, now: dt.datetime, limit: int) -> list[StoredNotice]:
    """Take up to `limit` waiting notices. Only for the holder of the connection's lock."""
    values = {"tenant": key.tenant_id, "provider": key.provider, "now": now, "limit": limit}
    return [StoredNotice(str(row[0]), *row[1:]) for row in conn.execute(_CLAIM, values)]


def take_over(conn: Connection, key: ConnectionKey) -> int:
    """Give back what a dead worker had under way. Only for the holder of the connection's lock."""
    return conn.execute(_TAKE_OVER, {"tenant": key.tenant_id, "provider": key.provider}).rowcount


def complete(conn: Connection, key: ConnectionKey, ids: Sequence[str], *, now: dt.datetime) -> None:
    """The truth was read and applied."""
    _finish(conn, key, ids, "Completed", None, now)


def skip(conn: Connection, key: ConnectionKey, ids: Sequence[str], note: str, *, now: dt.datetime) -> None:
    """There was nothing to do, and why."""
    _finish(conn, key, ids, "Skipped", note, now)


def _finish(
    conn: Connection, key: ConnectionKey, ids: Sequence[str], status: str, note: str | None, now: dt.datetime
) -> None:
    conn.execute(_FINISH, {"tenant": key.tenant_id, "ids": list(ids), "status": status, "note": note, "now": now})


def fail(conn: Connection, key: ConnectionKey, ids: Sequence[str], why: Explained, *, at: dt.datetime) -> None:
    """Again at `at`."""
    values = {"tenant": key.tenant_id, "ids": list(ids), "status": "Failed", "at": at, "error": why.message[:2000]}
    conn.execute(_FAIL, values)


def give_back(conn: Connection, key: ConnectionKey, ids: Sequence[str], why: Explained, *, at: dt.datetime) -> None:
    """Wait until the connection can be served again."""
    values = {"tenant": key.tenant_id, "ids": list(ids), "status": "Pending", "at": at, "error": why.message[:2000]}
    conn.execute(_FAIL, values)
