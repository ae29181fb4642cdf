"""Questions to a person: which of the ERP's records is one of ours that looks like some of them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey


@dataclass(frozen=True)
class Question:
    """One of our records and the ERP's that it may be: `candidates` have id, name, reason and likeness.

    Decided: `external_id` is what it is, or None where it is none of them.
    """

    entity_type: str
    entity_id: str
    name: str
    candidates: list[dict[str, Any]]
    asked_at: dt.datetime
    decided_at: dt.datetime | None
    decided_by: str | None
    external_id: str | None


_SCOPE = "tenant_id = :tenant and provider = :provider"
_COLUMNS = "entity_type, entity_id, name, candidates, asked_at, decided_at, decided_by, external_id"
_ASK = sa.text(
    """
    insert into erp.integration_match_questions as q
      (tenant_id, provider, entity_type, entity_id, name, candidates, asked_at)
    values (:tenant, :provider, :entity, :id, :name, cast(:candidates as jsonb), :now)
    on conflict (tenant_id, provider, entity_type, entity_id) do update
    set name = excluded.name, candidates = excluded.candidates where q.decided_at is null
    """
)
_COUNT = sa.text(f"select count(*) from erp.integration_match_questions where {_SCOPE} and decided_at is null")
_OPEN = sa.text(
    f"""
    select entity_id from erp.integration_match_questions
    where {_SCOPE} and entity_type = :entity and entity_id = any(:ids) and decided_at is null
    """
)
_DECIDED = sa.text(
    f"""
    select entity_id from erp.integration_match_questions
    where {_SCOPE} and entity_type = :entity and decided_at is not null
    """
)
_FIND = sa.text(
    f"""
    select {_COLUMNS} from erp.integration_match_questions
    where {_SCOPE} and entity_type = :entity and entity_id = :id for update
    """
)
_DECIDE = sa.text(
    f"""
    update erp.integration_match_questions set decided_at = :now, decided_by = :by, external_id = :external_id
    where {_SCOPE} and entity_type = :entity and entity_id = :id returning {_COLUMNS}
    """
)
_WITHDRAW = sa.text(
    f"""
    delete from erp.integration_match_questions
    where {_SCOPE} and entity_type = :entity and decided_at is null and not entity_id = any(:ids)
    returning entity_id
    """
)
_PAGE = sa.text(
    f"""
    select {_COLUMNS} from erp.integration_match_questions
    where {_SCOPE} and (:decided = (decided_at is not null))
      and (cast(:entity as text) is null or (entity_type, entity_id) > (:entity, :id))
    order by entity_type, entity_id limit :limit
    """
)


def ask(
    conn: Connection,
    key: ConnectionKey,
    entity_type: str,
    entity_id: str,
    name: str,
    candidates: Sequence[dict[str, Any]],
    *,
    now: dt.datetime,
) -> None:
    """Open the question, or renew its candidates. One that was decided stays decided."""
    values = {"entity": entity_type, "id": entity_id, "name": name, "candidates": json.dumps(candidates), "now": now}
    conn.execute(_ASK, _scope(key) | values)


def count_open(conn: Connection, key: ConnectionKey) -> int:
    """How many of our records nobody has decided about yet."""
    return int(conn.execute(_COUNT, _scope(key)).scalar_one())


def still_open(conn: Connection, key: ConnectionKey, entity_type: str, ids: Sequence[str]) -> set[str]:
    """Those of our ids about which nobody has decided yet."""
    return set(conn.execute(_OPEN, _scope(key) | {"entity": entity_type, "ids": list(ids)}).scalars())


def decided(conn: Connection, key: ConnectionKey, entity_type: str) -> set[str]:
    """Our ids that a person has decided about."""
    return set(conn.execute(_DECIDED, _scope(key) | {"entity": entity_type}).scalars())


def withdraw(conn: Connection, key: ConnectionKey, entity_type: str, besides: Sequence[str]) -> list[str]:
    """Take back what nobody has decided and is no question any more; our ids."""
    return list(conn.execute(_WITHDRAW, _scope(key) | {"entity": entity_type, "ids": list(besides)}).scalars())


def find(conn: Connection, key: ConnectionKey, entity_type: str, entity_id: str) -> Question | None:
    """The question, which nobody else decides until this transaction ends."""
    found = conn.execute(_FIND, _scope(key) | {"entity": entity_type, "id": entity_id}).one_or_none()
    return None if found is None else Question(*found)


def decide(
    conn: Connection,
    key: ConnectionKey,
    entity_type: str,
    entity_id: str,
    external_id: str | None,
    *,
    by: str,
    now: dt.datetime,
) -> Question:
    """Write the answer down; the question must exist."""
    values = {"entity": entity_type, "id": entity_id, "external_id": external_id, "by": by, "now": now}
    return Question(*conn.execute(_DECIDE, _scope(key) | values).one())


def page(
    conn: Connection, key: ConnectionKey, *, decided: bool, after: tuple[str, str] | None, limit: int
) -> list[Question]:
    """By record; `after` names the last one of the page before."""
    entity, entity_id = after or (None, None)
    values = {"decided": decided, "entity": entity, "id": entity_id, "limit": limit}
    return [Question(*row) for row in conn.execute(_PAGE, _scope(key) | values)]


def _scope(key: ConnectionKey) -> dict[str, object]:
    return {"tenant": key.tenant_id, "provider": key.provider}
