"""Tenants, customers and products, and the lock under which one entity is changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.engine import Connection, RowMapping

from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.records import Record, parse
from erp_pipelines.storage.commerce_tables import customers, products
from erp_pipelines.storage.commerce_values import settled
from erp_pipelines.storage.tables import tenants

F = TypeVar("F", Customer, Product)

_TABLES: dict[type[Record], sa.Table] = {Customer: customers, Product: products}
# The same lock as erp.append_event takes before it draws the event's number.
_LOCK = sa.text(
    "select pg_advisory_xact_lock(hashtextextended('erp:entity:' || :tenant || ':' || wanted.entity, 0))"
    " from (select entity from unnest(cast(:entities as text[])) with ordinality as given (entity, place)"
    " order by place) as wanted"
)


def lock_entities(conn: Connection, tenant_id: str, entity_type: str, ids: Iterable[str]) -> None:
    """Wait until no other transaction changes these entities, and hold them until this one ends.

    The locks are taken in one order everywhere, so two callers that lock all they need at once never deadlock.
    """
    entities = [f"{entity_type}:{entity_id}" for entity_id in sorted(set(ids))]
    conn.execute(_LOCK, {"tenant": tenant_id, "entities": entities})


def tenant_name(conn: Connection, tenant_id: str) -> str | None:
    """None for a tenant that does not exist (or is not the transaction's own)."""
    return conn.execute(sa.select(tenants.c.name).where(tenants.c.id == tenant_id)).scalar_one_or_none()


def insert_tenant(conn: Connection, tenant_id: str, name: str) -> bool:
    """False when there is one of that id already."""
    statement = pg_insert(tenants).values(id=tenant_id, name=name).on_conflict_do_nothing().returning(tenants.c.id)
    return conn.execute(statement).first() is not None


def find(conn: Connection, kind: type[F], tenant_id: str, entity_id: str, *, lock: bool = False) -> F | None:
    """The customer or product; with `lock`, its row stays ours until the transaction ends."""
    table = _TABLES[kind]
    query = sa.select(table).where(table.c.tenant_id == tenant_id, table.c.id == entity_id)
    if lock:
        query = query.with_for_update(key_share=True)  # orders that refer to the row need not wait
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else record_of(kind, row)


def page(conn: Connection, kind: type[F], tenant_id: str, after: str | None, limit: int) -> list[F]:
    """Up to `limit` records with ids after `after`, in the order of their ids."""
    table = _TABLES[kind]
    query = sa.select(table).where(table.c.tenant_id == tenant_id).order_by(table.c.id).limit(limit)
    if after is not None:
        query = query.where(table.c.id > after)
    return [record_of(kind, row) for row in conn.execute(query).mappings()]


def insert(conn: Connection, tenant_id: str, record: Customer | Product) -> None:
    conn.execute(sa.insert(_TABLES[type(record)]).values(tenant_id=tenant_id, **columns(record)))


def update(conn: Connection, tenant_id: str, record: Customer | Product) -> None:
    """Replace the whole record; the row must exist."""
    table = _TABLES[type(record)]
    statement = sa.update(table).where(table.c.tenant_id == tenant_id, table.c.id == record.id)
    conn.execute(statement.values(**columns(record), modified_at=sa.func.now()))


def columns(record: Customer | Product) -> dict[str, Any]:
    """The record's fields as column values; addresses become JSON."""
    return {name: column_value(getattr(record, name)) for name in type(record).model_fields}


def column_value(value: Any) -> Any:
    return value.payload() if isinstance(value, Record) else value


def record_of(kind: type[F], row: RowMapping) -> F:
    return settled(parse(kind, {name: row[name] for name in kind.model_fields}))
