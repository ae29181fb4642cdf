"""Deliveries: one event for one connection, claimed, retried and settled here.

One named function per transition, each guarded in its WHERE by the state it leaves and by the owner
of the claim. False means that nothing was changed: somebody else owns the delivery now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.outcomes import Explained, Outcome
from erp_pipelines.storage import sync_log

MAX_ERROR = 2000
_KNOWN = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.ADOPTED, Outcome.UNCHANGED})


@dataclass(frozen=True)
class Claim:
    """A delivery that is ours until its lease ends.

    `superseded`: the next event in its queue carries the newer state of the same record, or a newer state
    was decided upon already. `in_doubt`: an earlier try may have reached the ERP, be it of this event or of another
    that sent the same record (see `doubts`).
    """

    id: str
    outbox_id: str
    seq: int
    event_type: str
    entity_type: str
    entity_id: str
    payload: Mapping[str, Any]
    attempts: int
    retry_count: int
    max_retries: int
    in_doubt: bool
    key_generation: int
    superseded: bool
    correlation_id: str | None
    traceparent: str = ""


# A CTE, since the planner may otherwise update more rows than the limit. The heads of the queues only:
# no event goes before an earlier one of its queue is final. Asked for row by row: as an anti-join, the planner compares
# every waiting event with every other one where a backlog is younger than its statistics.
_CLAIM = sa.text(
    """
    with due as (
      select d.id from erp.integration_deliveries d
      where d.connection_id = :connection and d.status in ('Pending', 'Failed') and d.scheduled_for <= :now
        and (cast(:entities as text[]) is null or d.entity_type = any(cast(:entities as text[])))
        and d.seq = (
          select e.seq from erp.integration_deliveries e
          where e.connection_id = d.connection_id and e.ordering_key = d.ordering_key
            and e.status in ('Pending', 'Processing', 'Failed')
          order by e.seq limit 1)
      order by d.seq limit :limit for update of d skip locked
    ), claimed as (
      update erp.integration_deliveries d
      set status = 'Processing', claimed_by = :owner, claimed_until = :until, attempts = d.attempts + 1
      from due where d.id = due.id
      returning d.*
    )
    select c.id, c.outbox_id, c.seq, o.event_type, c.entity_type, c.entity_id, o.payload, c.attempts, c.retry_count,
      c.max_retries, c.key_generation, o.correlation_id, o.traceparent,
      c.in_doubt or exists (
        select 1 from erp.integration_doubts b
        where b.connection_id = c.connection_id and b.entity_type = c.entity_type and b.entity_id = c.entity_id
      ) as in_doubt,
      coalesce((
        select n.entity_type = c.entity_type and n.entity_id = c.entity_id from erp.integration_deliveries n
        where n.connection_id = c.connection_id and n.ordering_key = c.ordering_key and n.seq > c.seq
          and n.status in ('Pending', 'Failed')
        order by n.seq limit 1), false) or exists (
        select 1 from erp.integration_deliveries n
        where n.tenant_id = c.tenant_id and n.entity_type = c.entity_type and n.entity_id = c.entity_id
          and n.seq > c.seq and n.connection_id = c.connection_id
          and n.status = 'Completed') as superseded
    from claimed c join erp.integration_outbox o on o.id = c.outbox_id
    order by c.seq
    """
)


def claim(
    conn: Connection,
    connection_id: str,
    owner: str,
    *,
    now: dt.datetime,
    until: dt.datetime,
    limit: int,
    entity_types: Sequence[str] | None = None,
) -> list[Claim]:
    """Take up to `limit` due deliveries, oldest first. The caller commits before it does anything else with them."""
    values = {
        "connection": connection_id, "owner": owner, "now": now, "until": until, "limit": limit,
        "entities": sorted(entity_types) if entity_types is not None else None,
    }  # fmt: skip
    return [_claim(dict(row)) for row in conn.execute(_CLAIM, values).mappings()]


def _claim(row: Mapping[str, Any]) -> Claim:
    ids = {name: str(row[name]) for name in ("id", "outbox_id")}
    correlation = str(row["correlation_id"]) if row["correlation_id"] else None
    return Claim(**{**row, **ids, "correlation_id": correlation})


_TAKE_OVER = sa.text(
    """
    update erp.integration_deliveries set status = 'Pending', claimed_by = null, claimed_until = null
    where connection_id = :connection and status = 'Processing'
    returning id, entity_type, entity_id, attempts, retry_count, in_doubt
    """
)


@dataclass(frozen=True)
class Orphan:
    """A delivery whose worker died."""

    id: str
    entity_type: str
    entity_id: str
    attempts: int
    retry_count: int
    in_doubt: bool


def take_over(conn: Connection, connection_id: str) -> list[Orphan]:
    """Give back what a dead worker had claimed. Only for the holder of the connection's lock: nobody else lives."""
    rows = conn.execute(_TAKE_OVER, {"connection": connection_id}).mappings()
    return [Orphan(**{**row, "id": str(row["id"])}) for row in rows]


_HAS_OPEN = sa.text(
    """
    select exists (
      select 1 from erp.integration_deliveries d join erp.integration_connections c on c.id = d.connection_id
      where d.tenant_id = c.tenant_id and d.entity_type = :entity and d.entity_id = :id
        and d.connection_id = :connection and d.status <> 'Completed')
    """
)


def has_open(conn: Connection, connection_id: str, entity_type: str, entity_id: str) -> bool:
    """Whether a state of this record has not been brought over yet, be it waiting or given up."""
    values = {"connection": connection_id, "entity": entity_type, "id": entity_id}
    return bool(conn.execute(_HAS_OPEN, values).scalar_one())


_SETTLED = "claimed_by = null, claimed_until = null"
_WHY = (
    "last_error = :error, cause = :cause, mend = :mend, owner = :job_of, retriable = :retriable, erp_code = :erp_code"
)
_OURS = "where id = :id and status = 'Processing' and claimed_by = :owner"

_COMPLETE = sa.text(
    f"""
    with done as (
      update erp.integration_deliveries d
      set status = 'Completed', outcome = o.outcome, processed_at = :now, in_doubt = false, {_SETTLED},
          last_error = null, cause = null, mend = null, owner = null, retriable = null, erp_code = null,
          requirement = null
      from unnest(cast(:ids as uuid[]), cast(:outcomes as text[]), cast(:known as bool[])) as o (id, outcome, known)
      where d.id = o.id and d.status = 'Processing' and d.claimed_by = :owner
      returning d.id, d.tenant_id, d.connection_id, d.entity_type, d.entity_id, d.seq, o.known
    ), earlier as (
      update erp.integration_deliveries e set in_doubt = false
      from done d
      where d.known and e.tenant_id = d.tenant_id and e.entity_type = d.entity_type and e.entity_id = d.entity_id
        and e.seq < d.seq and e.connection_id = d.connection_id and e.in_doubt
    ), logged as ({sync_log.INSERT} where e.delivery_id in (select id from done))
    select cast(id as text) from done
    """
)


def complete(
    conn: Connection, outcomes: Mapping[str, Outcome], owner: str, *, now: dt.datetime, log: str = "[]"
) -> set[str]:
    """Processing -> Completed, by the deliveries' ids; which ones, the others being somebody else's now.

    The records' places in the ERP are known now: earlier doubts about them end too. `log`: the entries that explain it, as
    `sync_log.rows` gives them; of those that were not completed none is written.
    """
    values = {
        "ids": list(outcomes), "outcomes": [str(outcome) for outcome in outcomes.values()],
        "known": [outcome in _KNOWN for outcome in outcomes.values()], "owner": owner, "now": now,
        "entries": log,
    }  # fmt: skip
    return set(conn.execute(_COMPLETE, values).scalars())


_FAIL = sa.text(
    f"""
    update erp.integration_deliveries
    set status = 'Failed', scheduled_for = :at, retry_count = retry_count + 1, in_doubt = :in_doubt, {_SETTLED},
        {_WHY}
    {_OURS}
    """
)


def fail(conn: Connection, delivery_id: str, owner: str, *, at: dt.datetime, why: Explained, in_doubt: bool) -> bool:
    """Processing -> Failed, again at `at`; spends a retry."""
    values = {"id": delivery_id, "owner": owner, "at": at, "in_doubt": in_doubt, **_told(why)}
    return conn.execute(_FAIL, values).rowcount == 1


_GIVE_BACK = sa.text(
    f"update erp.integration_deliveries set status = 'Pending', in_doubt = :in_doubt, {_SETTLED} {_OURS}"
)
_GIVE_BACK_TOLD = sa.text(
    f"update erp.integration_deliveries set status = 'Pending', in_doubt = :in_doubt, {_SETTLED}, {_WHY} {_OURS}"
)


def give_back(conn: Connection, delivery_id: str, owner: str, *, why: Explained | None, in_doubt: bool) -> bool:
    """Processing -> Pending, due as before; spends no retry."""
    values = {"id": delivery_id, "owner": owner, "in_doubt": in_doubt, **(_told(why) if why else {})}
    return conn.execute(_GIVE_BACK_TOLD if why else _GIVE_BACK, values).rowcount == 1


_ABANDON = sa.text(
    f"""
    update erp.integration_deliveries
    set status = 'Abandoned', processed_at = :now, in_doubt = :in_doubt, {_SETTLED}, {_WHY},
        requirement = :requirement, key_generation = key_generation + :refused
    {_OURS}
    """
)


def abandon(
    conn: Connection,
    delivery_id: str,
    owner: str,
    *,
    why: Explained,
    requirement: str | None,
    refused: bool,
    in_doubt: bool,
    now: dt.datetime,
) -> bool:
    """Processing -> Abandoned: a person, or what it waits for, makes it due again."""
    values = {
        "id": delivery_id, "owner": owner, "now": now, "in_doubt": in_doubt, "requirement": requirement,
        "refused": int(refused), **_told(why),
    }  # fmt: skip
    return conn.execute(_ABANDON, values).rowcount == 1


def _told(why: Explained) -> dict[str, str | bool | None]:
    return {
        "error": why.message[:MAX_ERROR], "cause": why.cause, "mend": why.mend or None, "job_of": str(why.owner),
        "retriable": why.retriable, "erp_code": why.erp_code or None,
    }  # fmt: skip
