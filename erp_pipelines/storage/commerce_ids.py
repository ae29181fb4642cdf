"""Which entities a tenant has, and what the outbox last said of them: a host may keep tables of its own and emit only."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.events import EntityType
from erp_pipelines.storage import commerce_payments
from erp_pipelines.storage.commerce_tables import customers, orders, payments, products, refunds
from erp_pipelines.storage.tables import integration_outbox as outbox

_TABLES = {
    EntityType.CUSTOMER: customers,
    EntityType.PRODUCT: products,
    EntityType.ORDER: orders,
    EntityType.PAYMENT: payments,
    EntityType.REFUND: refunds,
}


def page(conn: Connection, tenant_id: str, entity_type: EntityType, after: str | None, limit: int) -> list[str]:
    """Up to `limit` ids after `after`, in order, of the tables and of the outbox together, each once."""
    saved = _saved(tenant_id, entity_type, after).limit(limit).subquery()
    emitted = _emitted(tenant_id, entity_type, after).limit(limit).subquery()
    both = sa.union(sa.select(saved.c.id), sa.select(emitted.c.id)).subquery()
    return list(conn.execute(sa.select(both.c.id).order_by(both.c.id).limit(limit)).scalars())


def newest_payload(conn: Connection, tenant_id: str, entity_type: EntityType, entity_id: str) -> dict[str, Any] | None:
    """The payload of the entity's last event; None when it never had one."""
    query = (
        sa.select(outbox.c.payload)
        .where(
            outbox.c.tenant_id == tenant_id,
            outbox.c.entity_type == entity_type.value,
            outbox.c.entity_id == entity_id,
        )
        .order_by(outbox.c.seq.desc())
        .limit(1)
    )
    return conn.execute(query).scalar_one_or_none()


def _saved(tenant_id: str, entity_type: EntityType, after: str | None) -> sa.Select[tuple[str]]:
    table = _TABLES[entity_type]
    query = sa.select(table.c.id).where(table.c.tenant_id == tenant_id).order_by(table.c.id)
    if entity_type is EntityType.PAYMENT:  # what an ERP recorded first is not for pushing
        query = query.where(table.c.source == commerce_payments.HOST)
    return query if after is None else query.where(table.c.id > after)


def _emitted(tenant_id: str, entity_type: EntityType, after: str | None) -> sa.Select[tuple[str]]:
    query = (
        sa.select(outbox.c.entity_id.label("id"))
        .distinct()
        .where(outbox.c.tenant_id == tenant_id, outbox.c.entity_type == entity_type.value)
        .order_by(outbox.c.entity_id)
    )
    return query if after is None else query.where(outbox.c.entity_id > after)
