"""Orders with their lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.engine import Connection, RowMapping

from erp_pipelines.domain.orders import Order, OrderStatus
from erp_pipelines.domain.payments import PaymentStatus
from erp_pipelines.domain.records import parse
from erp_pipelines.storage.commerce_tables import customers, order_lines, orders, products
from erp_pipelines.storage.commerce_values import settled

# Fields that are columns of the same name; shipping, lines and shipTo are not.
_PLAIN = (
    "id", "number", "customer_id", "order_date", "due_date", "currency", "exchange_rate", "status", "payment_status",
    "order_discount", "prices_include_tax", "tax_total", "total", "po_number", "memo",
)  # fmt: skip
_LINE = (
    "description",
    "quantity",
    "unit_price",
    "discount",
    "discount_rate",
    "tax",
    "tax_rate",
    "amount",
    "kind",
    "sales_class",
)
_SHIPPING = ("amount", "method", "tax", "tax_rate")


def find(conn: Connection, tenant_id: str, order_id: str, *, lock: bool = False) -> Order | None:
    """The completed order; with `lock`, its row stays ours until the transaction ends."""
    query = sa.select(orders).where(orders.c.tenant_id == tenant_id, orders.c.id == order_id)
    if lock:
        query = query.with_for_update(key_share=True)
    found = _assembled(conn, tenant_id, conn.execute(query).mappings().all())
    return found[0] if found else None


def page(conn: Connection, tenant_id: str, after: str | None, limit: int) -> list[Order]:
    """Up to `limit` completed orders with ids after `after`, in the order of their ids."""
    query = sa.select(orders).where(orders.c.tenant_id == tenant_id).order_by(orders.c.id).limit(limit)
    if after is not None:
        query = query.where(orders.c.id > after)
    return _assembled(conn, tenant_id, conn.execute(query).mappings().all())


def customers_of(conn: Connection, tenant_id: str, order_ids: Sequence[str]) -> dict[str, str]:
    """The customer of each of these orders; those that the tables do not hold are left out."""
    query = sa.select(orders.c.id, orders.c.customer_id).where(
        orders.c.tenant_id == tenant_id, orders.c.id.in_(order_ids)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def open_ids(conn: Connection, tenant_id: str, after: str | None, limit: int) -> list[str]:
    """Up to `limit` ids after `after`, in order, of confirmed and fulfilled orders that await money."""
    query = sa.select(orders.c.id).where(
        orders.c.tenant_id == tenant_id,
        orders.c.payment_status.in_([PaymentStatus.UNPAID.value, PaymentStatus.PARTIALLY_PAID.value]),
        orders.c.status.in_([OrderStatus.CONFIRMED.value, OrderStatus.FULFILLED.value]),
    )
    if after is not None:
        query = query.where(orders.c.id > after)
    return list(conn.execute(query.order_by(orders.c.id).limit(limit)).scalars())


def insert(conn: Connection, tenant_id: str, order: Order) -> bool:
    """False, with nothing written, when its number or id is taken."""
    statement = pg_insert(orders).values(tenant_id=tenant_id, **_columns(order)).on_conflict_do_nothing()
    if conn.execute(statement.returning(orders.c.id)).first() is None:
        return False
    _insert_lines(conn, tenant_id, order)
    return True


def update(conn: Connection, tenant_id: str, order: Order) -> bool:
    """Replace order and lines as a whole. False, with nothing written, when another order has its number."""
    statement = sa.update(orders).where(orders.c.tenant_id == tenant_id, orders.c.id == order.id)
    try:
        with conn.begin_nested():
            conn.execute(statement.values(**_columns(order), modified_at=sa.func.now()))
    except sa.exc.IntegrityError:
        if holder_of(conn, tenant_id, order.number) in {None, order.id}:
            raise
        return False
    conn.execute(sa.delete(order_lines).where(order_lines.c.tenant_id == tenant_id, order_lines.c.order_id == order.id))
    _insert_lines(conn, tenant_id, order)
    return True


def set_payment_status(conn: Connection, tenant_id: str, order_id: str, status: PaymentStatus) -> None:
    statement = sa.update(orders).where(orders.c.tenant_id == tenant_id, orders.c.id == order_id)
    conn.execute(statement.values(payment_status=status.value, modified_at=sa.func.now()))


def holder_of(conn: Connection, tenant_id: str, number: str) -> str | None:
    """The id of the order that has this number."""
    query = sa.select(orders.c.id).where(orders.c.tenant_id == tenant_id, orders.c.number == number)
    return conn.execute(query).scalar_one_or_none()


def customer_exists(conn: Connection, tenant_id: str, customer_id: str) -> bool:
    query = sa.select(customers.c.id).where(customers.c.tenant_id == tenant_id, customers.c.id == customer_id)
    return conn.execute(query).first() is not None


def unknown_products(conn: Connection, tenant_id: str, ids: Iterable[str]) -> set[str]:
    """Those of the ids that no product has."""
    asked = set(ids)
    query = sa.select(products.c.id).where(products.c.tenant_id == tenant_id, products.c.id.in_(asked))
    return asked - set(conn.execute(query).scalars())


def _columns(order: Order) -> dict[str, Any]:
    return {
        **{name: getattr(order, name) for name in _PLAIN},
        "status": order.status.value,
        "payment_status": order.payment_status.value,
        **{f"shipping_{name}": getattr(order.shipping, name) for name in _SHIPPING},
        "ship_to": None if order.ship_to is None else order.ship_to.payload(),
    }


def _insert_lines(conn: Connection, tenant_id: str, order: Order) -> None:
    rows = [
        {
            "tenant_id": tenant_id,
            "order_id": order.id,
            "line_no": number,
            "product_id": line.product,
            **{name: getattr(line, name) for name in _LINE},
        }
        for number, line in enumerate(order.lines, 1)
    ]
    conn.execute(sa.insert(order_lines), rows)


def _assembled(conn: Connection, tenant_id: str, rows: Sequence[RowMapping]) -> list[Order]:
    if not rows:
        return []
    query = sa.select(order_lines).where(
        order_lines.c.tenant_id == tenant_id, order_lines.c.order_id.in_([row["id"] for row in rows])
    )
    lines: dict[str, list[RowMapping]] = {}
    for line in conn.execute(query.order_by(order_lines.c.order_id, order_lines.c.line_no)).mappings():
        lines.setdefault(line["order_id"], []).append(line)
    return [_order(row, lines.get(row["id"], [])) for row in rows]


def _order(row: RowMapping, lines: list[RowMapping]) -> Order:
    data = {
        **{name: row[name] for name in _PLAIN},
        "shipping": {name: row[f"shipping_{name}"] for name in _SHIPPING},
        "ship_to": row["ship_to"],
        "lines": [{"product": line["product_id"], **{name: line[name] for name in _LINE}} for line in lines],
    }
    return settled(parse(Order, data).completed())
