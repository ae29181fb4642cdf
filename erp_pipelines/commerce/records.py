"""Any entity by its type and id, whether the shop's tables hold it or only its events do."""

from __future__ import annotations

from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.events import CanonicalRecord, EntityType, decode
from erp_pipelines.domain.products import Product
from erp_pipelines.storage import commerce, commerce_ids, commerce_orders, commerce_payments, commerce_refunds
from erp_pipelines.storage.engine import Connection

PAGE = 200


def load(conn: Connection, tenant_id: str, entity_type: str, entity_id: str) -> CanonicalRecord | None:
    """The record as it is now, orders completed; None when the tenant has none.

    For a host that emits events without using the tables, the newest event's payload counts.
    Raises RecordInvalid for an unknown entity type, or when that payload is no canonical record.
    """
    kind = entity_kind(entity_type)
    found = _saved(conn, tenant_id, kind, entity_id)
    if found is not None:
        return found
    payload = commerce_ids.newest_payload(conn, tenant_id, kind, entity_id)
    return None if payload is None else decode(kind, payload)


def ids(conn: Connection, tenant_id: str, entity_type: str, after: str | None = None, limit: int = PAGE) -> list[str]:
    """Up to `limit` ids after `after`, in order: pass the last one to get the next page; an empty page is the end.

    Payments that an ERP recorded first are left out: they are not for pushing.
    """
    return commerce_ids.page(conn, tenant_id, entity_kind(entity_type), after, limit)


def entity_kind(entity_type: str) -> EntityType:
    """Raises RecordInvalid for an unknown one."""
    try:
        return EntityType(entity_type)
    except ValueError:
        known = ", ".join(EntityType)
        raise RecordInvalid(
            f"{entity_type!r} is no entity type.", field="entityType", mend=f"Known are {known}."
        ) from None


def _saved(conn: Connection, tenant_id: str, kind: EntityType, entity_id: str) -> CanonicalRecord | None:
    match kind:
        case EntityType.CUSTOMER:
            return commerce.find(conn, Customer, tenant_id, entity_id)
        case EntityType.PRODUCT:
            return commerce.find(conn, Product, tenant_id, entity_id)
        case EntityType.ORDER:
            return commerce_orders.find(conn, tenant_id, entity_id)
        case EntityType.PAYMENT:
            stored = commerce_payments.find(conn, tenant_id, entity_id)
            return None if stored is None else stored.payment
        case EntityType.REFUND:
            return commerce_refunds.find(conn, tenant_id, entity_id)
