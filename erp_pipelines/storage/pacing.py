"""The pace and the circuit breaker of one connection, shared by every process that speaks for it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Slot:
    """When the next call may leave, how many calls in a row failed, and until when the circuit is open."""

    at: dt.datetime
    failures: int
    open_until: dt.datetime | None


# The generic cell rate algorithm in one statement: each call takes the next free cell; a pause of the
# caller leaves at most `burst` cells behind for later. Its commit waits for no disk: the cells that a power cut makes
# PostgreSQL forget are over before it has started again.
_TAKE = """
    insert into erp.integration_pacing as p (connection_id, tenant_id, {lane})
    values (cast(:connection as uuid), :tenant, cast(:now as timestamptz) - cast(:burst as interval) + cast(:cell as interval))
    on conflict (connection_id) do update
    set {lane} = greatest(p.{lane}, cast(:now as timestamptz) - cast(:burst as interval)) + cast(:cell as interval)
    returning {lane} - cast(:cell as interval), failures, open_until, set_config('synchronous_commit', 'off', true)
"""
_LANES = {lane: sa.text(_TAKE.format(lane=lane)) for lane in ("next_free_at", "next_batch_at")}


def take(
    conn: Connection,
    tenant_id: str,
    connection_id: str,
    *,
    now: dt.datetime,
    cell: dt.timedelta,
    burst: dt.timedelta,
    batch: bool = False,
) -> Slot:
    """Reserve the next cell, of calls or of batches, in a transaction of its own.

    The caller waits until `Slot.at`, which may lie in the past.
    """
    values = {"connection": connection_id, "tenant": tenant_id, "now": now, "cell": cell, "burst": burst}
    at, failures, open_until, _ = conn.execute(_LANES["next_batch_at" if batch else "next_free_at"], values).one()
    return Slot(at, failures, open_until)


_FAILED = sa.text(
    """
    update erp.integration_pacing
    set failures = failures + 1,
        open_until = case when failures + 1 >= :threshold then cast(:now as timestamptz) + cast(:pause as interval) end
    where connection_id = cast(:connection as uuid)
    """
)
_ANSWERED = sa.text(
    """
    update erp.integration_pacing set failures = 0, open_until = null
    where connection_id = cast(:connection as uuid) and failures > 0
    """
)


def failed(conn: Connection, connection_id: str, *, now: dt.datetime, threshold: int, pause: dt.timedelta) -> None:
    """Count a failure; the `threshold`th in a row, and each one after it, opens the circuit for `pause`."""
    conn.execute(_FAILED, {"connection": connection_id, "now": now, "threshold": threshold, "pause": pause})


def answered(conn: Connection, connection_id: str) -> None:
    """Close the circuit."""
    conn.execute(_ANSWERED, {"connection": connection_id})


_LEARNED = sa.text(
    "update erp.integration_pacing set in_flight = :limit where connection_id = cast(:connection as uuid)"
)
_IN_FLIGHT = sa.text("select in_flight from erp.integration_pacing where connection_id = cast(:connection as uuid)")


def learned(conn: Connection, connection_id: str, limit: int) -> None:
    """Remember how many calls the provider bears at once."""
    conn.execute(_LEARNED, {"connection": connection_id, "limit": limit})


def in_flight(conn: Connection, connection_id: str) -> int | None:
    """How many calls the provider was last seen to bear at once; None while nothing is known."""
    return conn.execute(_IN_FLIGHT, {"connection": connection_id}).scalar_one_or_none()


_HEARD = sa.text(
    """
    select exists (
      select 1 from erp.integration_pacing
      where connection_id = cast(:connection as uuid) and next_free_at >= :since and failures = 0)
    """
)


def heard_since(conn: Connection, connection_id: str, since: dt.datetime) -> bool:
    """Whether the last call left after that moment, and was answered. A second off where calls wait for each other."""
    return bool(conn.execute(_HEARD, {"connection": connection_id, "since": since}).scalar_one())
