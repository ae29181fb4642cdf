"""Drift: fields in which a record here and the one in the ERP that stands for it differ, as they were last seen."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey

GONE = "gone"  # the field that says that the ERP's record exists no more


@dataclass(frozen=True)
class Drift:
    """One field of one record. Values are JSON, in our words; `seen_at` is when this value was first seen there."""

    entity_type: str
    entity_id: str
    field: str
    external_id: str
    ours: Any
    theirs: Any
    seen_at: dt.datetime


_OF_RECORD = "tenant_id = :tenant and provider = :provider and entity_type = :entity and entity_id = :id"
_END = sa.text(f"delete from erp.integration_drifts where {_OF_RECORD} and not field = any(cast(:kept as text[]))")
_PUT = sa.text(
    """
    insert into erp.integration_drifts as d
      (tenant_id, provider, entity_type, entity_id, field, external_id, ours, theirs, seen_at)
    values (:tenant, :provider, :entity, :id, :field, :external_id, cast(:ours as jsonb), cast(:theirs as jsonb), :now)
    on conflict (tenant_id, provider, entity_type, entity_id, field) do update
    set external_id = excluded.external_id, ours = excluded.ours, theirs = excluded.theirs, seen_at = excluded.seen_at
    where (d.external_id, d.ours, d.theirs) is distinct from (excluded.external_id, excluded.ours, excluded.theirs)
    """
)


def put(
    conn: Connection,
    key: ConnectionKey,
    entity_type: str,
    entity_id: str,
    external_id: str,
    found: Mapping[str, tuple[Any, Any]],
    *,
    now: dt.datetime,
) -> bool:
    """The record differs in exactly these fields (ours, theirs); whether that is news."""
    scope = {"tenant": key.tenant_id, "provider": key.provider, "entity": entity_type, "id": entity_id}
    changed = conn.execute(_END, scope | {"kept": sorted(found)}).rowcount
    for field, (ours, theirs) in sorted(found.items()):
        values = {"field": field, "external_id": external_id, "ours": json.dumps(ours), "theirs": json.dumps(theirs)}
        changed += conn.execute(_PUT, scope | values | {"now": now}).rowcount
    return changed > 0


_LIST = sa.text(
    """
    select entity_type, entity_id, field, external_id, ours, theirs, seen_at from erp.integration_drifts
    where tenant_id = :tenant and provider = :provider
      and (cast(:entity as text) is null or (entity_type, entity_id, field) > (:entity, :id, :field))
    order by entity_type, entity_id, field limit :limit
    """
)
_COUNT = sa.text(
    """
    select count(distinct (entity_type, entity_id)) from erp.integration_drifts
    where tenant_id = :tenant and provider = :provider
    """
)


def page(conn: Connection, key: ConnectionKey, *, after: tuple[str, str, str] | None, limit: int) -> list[Drift]:
    """By record and field; `after` names the last one of the page before."""
    entity, entity_id, field = after or (None, None, None)
    values = {"tenant": key.tenant_id, "provider": key.provider, "entity": entity, "id": entity_id, "field": field}
    return [Drift(*row) for row in conn.execute(_LIST, values | {"limit": limit})]


def count(conn: Connection, key: ConnectionKey) -> int:
    """How many records differ in some field."""
    return int(conn.execute(_COUNT, {"tenant": key.tenant_id, "provider": key.provider}).scalar_one())
