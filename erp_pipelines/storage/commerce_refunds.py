"""Refunds. They are added, never changed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.records import parse
from erp_pipelines.domain.refunds import Refund
from erp_pipelines.storage.commerce_tables import refunds
from erp_pipelines.storage.commerce_values import settled


def find(conn: Connection, tenant_id: str, refund_id: str) -> Refund | None:
    query = sa.select(refunds.c.record).where(refunds.c.tenant_id == tenant_id, refunds.c.id == refund_id)
    record = conn.execute(query).scalar_one_or_none()
    return None if record is None else _refund(record)


def of_order(conn: Connection, tenant_id: str, order_id: str) -> list[Refund]:
    """All refunds of the order, the oldest first."""
    query = sa.select(refunds.c.record).where(refunds.c.tenant_id == tenant_id, refunds.c.order_id == order_id)
    return [_refund(record) for record in conn.execute(query.order_by(refunds.c.created_at, refunds.c.id)).scalars()]


def insert(conn: Connection, tenant_id: str, refund: Refund) -> None:
    """A completed refund whose id is free."""
    values = {"id": refund.id, "order_id": refund.order_id, "currency": refund.currency, "date": refund.date}
    statement = sa.insert(refunds).values(
        tenant_id=tenant_id, amount=refund.amount_due, record=refund.payload(), **values
    )
    conn.execute(statement)


def _refund(record: object) -> Refund:
    return settled(parse(Refund, record).completed())
