"""Payments, and in whose books each was recorded first."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.engine import Connection, RowMapping

from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.records import parse
from erp_pipelines.storage.commerce_tables import payments
from erp_pipelines.storage.commerce_values import settled
from erp_pipelines.storage.tables import integration_entity_mappings as mappings

HOST = "host"


@dataclass(frozen=True)
class StoredPayment:
    """`source` is `host`, or the provider in whose books the payment was recorded first."""

    payment: Payment
    source: str


def find(conn: Connection, tenant_id: str, payment_id: str) -> StoredPayment | None:
    query = sa.select(payments).where(payments.c.tenant_id == tenant_id, payments.c.id == payment_id)
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else _stored(row)


def of_order(conn: Connection, tenant_id: str, order_id: str) -> list[StoredPayment]:
    """All payments of the order, the oldest first."""
    query = sa.select(payments).where(payments.c.tenant_id == tenant_id, payments.c.order_id == order_id)
    rows = conn.execute(query.order_by(payments.c.created_at, payments.c.date, payments.c.id)).mappings()
    return [_stored(row) for row in rows]


def orders_paid_by(conn: Connection, tenant_id: str, provider: str, base_id: str, ours: str | None) -> list[str]:
    """Ids of the orders that hold a part of the provider's payment `base_id`, and of the one that our payment is of."""
    parts = [base_id, sa.func.left(sa.func.concat(base_id, "-", payments.c.order_id), 100)]
    theirs = sa.and_(payments.c.source == provider, payments.c.id.in_(parts))
    query = (
        sa.select(payments.c.order_id)
        .distinct()
        .where(payments.c.tenant_id == tenant_id, sa.or_(theirs, payments.c.id == ours))
    )
    return list(conn.execute(query.order_by(payments.c.order_id)).scalars())


def insert(conn: Connection, tenant_id: str, payment: Payment, source: str) -> bool:
    """False, with nothing written, when there is one of that id already."""
    values = {**_columns(payment), "tenant_id": tenant_id, "source": source}
    statement = pg_insert(payments).values(**values).on_conflict_do_nothing().returning(payments.c.id)
    return conn.execute(statement).first() is not None


def update(conn: Connection, tenant_id: str, payment: Payment) -> None:
    statement = sa.update(payments).where(payments.c.tenant_id == tenant_id, payments.c.id == payment.id)
    conn.execute(statement.values(**_columns(payment), modified_at=sa.func.now()))


def delete(conn: Connection, tenant_id: str, payment_id: str) -> None:
    conn.execute(sa.delete(payments).where(payments.c.tenant_id == tenant_id, payments.c.id == payment_id))


def host_total_unknown_to(conn: Connection, tenant_id: str, order_id: str, provider: str) -> Decimal:
    """The sum of the host's payments of the order that have no document at the provider."""
    mapped = sa.exists().where(
        mappings.c.tenant_id == tenant_id,
        mappings.c.provider == provider,
        mappings.c.entity_type == "Payment",
        mappings.c.prometheus_id == payments.c.id,
    )
    query = sa.select(sa.func.coalesce(sa.func.sum(payments.c.amount), 0)).where(
        payments.c.tenant_id == tenant_id, payments.c.order_id == order_id, payments.c.source == HOST, ~mapped
    )
    return Decimal(conn.execute(query).scalar_one())


def _columns(payment: Payment) -> dict[str, Any]:
    return {name: getattr(payment, name) for name in Payment.model_fields}


def _stored(row: RowMapping) -> StoredPayment:
    payment = parse(Payment, {name: row[name] for name in Payment.model_fields})
    return StoredPayment(settled(payment), row["source"])
