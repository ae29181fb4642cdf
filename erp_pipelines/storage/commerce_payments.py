"""Payments, what of them is for which order, and in whose books each was recorded first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.engine import Connection, RowMapping

from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.records import parse
from erp_pipelines.storage.commerce_tables import payment_allocations, payments
from erp_pipelines.storage.commerce_values import settled
from erp_pipelines.storage.tables import integration_entity_mappings as mappings

HOST = "host"
COLUMNS = tuple(name for name in Payment.model_fields if name != "allocations")


@dataclass(frozen=True)
class StoredPayment:
    """`source` is `host`, or the provider in whose books the payment was recorded first."""

    payment: Payment
    source: str


def find(conn: Connection, tenant_id: str, payment_id: str) -> StoredPayment | None:
    query = sa.select(payments).where(payments.c.tenant_id == tenant_id, payments.c.id == payment_id)
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else _stored(row, _allocations(conn, tenant_id, [payment_id]))


def of_order(conn: Connection, tenant_id: str, order_id: str) -> list[StoredPayment]:
    """All payments that are for the order, as a whole or in part, the oldest first."""
    # In two questions: joined, tables without statistics are read from end to end.
    table = payment_allocations
    shared = sa.select(table.c.payment_id).where(table.c.tenant_id == tenant_id, table.c.order_id == order_id)
    ids = conn.execute(shared).scalars().all()
    here = payments.c.order_id == order_id
    query = sa.select(payments).where(payments.c.tenant_id == tenant_id, here | payments.c.id.in_(ids) if ids else here)
    rows = conn.execute(query.order_by(payments.c.created_at, payments.c.date, payments.c.id)).mappings().all()
    allocated = _allocations(conn, tenant_id, [row["id"] for row in rows])
    return [_stored(row, allocated) for row in rows]


def orders_paid_by(conn: Connection, tenant_id: str, provider: str, base_id: str, ours: str | None) -> list[str]:
    """Ids of the orders that hold a part of the provider's payment `base_id`, and of those that our payment is for."""
    named = [base_id, sa.func.left(sa.func.concat(base_id, "-", payments.c.order_id), 100)]
    theirs = sa.select(payments.c.order_id).where(
        payments.c.tenant_id == tenant_id, payments.c.source == provider, payments.c.id.in_(named)
    )
    own = find(conn, tenant_id, ours) if ours else None
    return sorted({*conn.execute(theirs).scalars(), *(part.order_id for part in (own.payment.parts if own else ()))})


def insert(conn: Connection, tenant_id: str, payment: Payment, source: str) -> bool:
    """False, with nothing written, when there is one of that id already."""
    values = {**_columns(payment), "tenant_id": tenant_id, "source": source}
    statement = pg_insert(payments).values(**values).on_conflict_do_nothing().returning(payments.c.id)
    if conn.execute(statement).first() is None:
        return False
    owner = {"tenant_id": tenant_id, "payment_id": payment.id}
    rows = [{**owner, "place": n, **dict(part)} for n, part in enumerate(payment.allocations or (), 1)]
    if rows:
        conn.execute(sa.insert(payment_allocations), rows)
    return True


def update(conn: Connection, tenant_id: str, payment: Payment) -> None:
    """For payments of one order: what a payment is for never changes."""
    statement = sa.update(payments).where(payments.c.tenant_id == tenant_id, payments.c.id == payment.id)
    conn.execute(statement.values(**_columns(payment), modified_at=sa.func.now()))


def delete(conn: Connection, tenant_id: str, payment_id: str) -> None:
    conn.execute(sa.delete(payments).where(payments.c.tenant_id == tenant_id, payments.c.id == payment_id))


def host_total_unknown_to(conn: Connection, tenant_id: str, order_id: str, provider: str) -> Decimal:
    """What of the host's payments is for the order and has no document at the provider."""
    held = [one.payment for one in of_order(conn, tenant_id, order_id) if one.source == HOST]
    mapped = sa.select(mappings.c.prometheus_id).where(
        mappings.c.tenant_id == tenant_id,
        mappings.c.provider == provider,
        mappings.c.entity_type == "Payment",
        mappings.c.prometheus_id.in_([one.id for one in held]),
    )
    known = set(conn.execute(mapped).scalars()) if held else set()
    return sum((one.part_for(order_id) for one in held if one.id not in known), Decimal(0))


def _allocations(conn: Connection, tenant_id: str, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    table = payment_allocations
    query = sa.select(table).where(table.c.tenant_id == tenant_id, table.c.payment_id.in_(ids))
    found: dict[str, list[dict[str, Any]]] = {}
    for row in conn.execute(query.order_by(table.c.payment_id, table.c.place)).mappings() if ids else ():
        found.setdefault(row["payment_id"], []).append({"order_id": row["order_id"], "amount": row["amount"]})
    return found


def _columns(payment: Payment) -> dict[str, Any]:
    return {name: getattr(payment, name) for name in COLUMNS}


def _stored(row: RowMapping, allocated: dict[str, list[dict[str, Any]]]) -> StoredPayment:
    data = {**{name: row[name] for name in COLUMNS}, "allocations": allocated.get(row["id"])}
    return StoredPayment(settled(parse(Payment, data)), row["source"])
