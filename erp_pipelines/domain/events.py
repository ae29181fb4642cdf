"""Facts to push: their types, and how a stored payload becomes a canonical record again."""

from __future__ import annotations

from enum import StrEnum

from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.records import parse
from erp_pipelines.domain.refunds import Refund

CanonicalRecord = Customer | Product | Order | Payment | Refund


class EntityType(StrEnum):
    CUSTOMER = "Customer"
    PRODUCT = "Product"
    ORDER = "Order"
    PAYMENT = "Payment"
    REFUND = "Refund"


class EventType(StrEnum):
    """What the shipped commerce services emit. Other hosts may use names of their own: only the entity counts."""

    CUSTOMER_CREATED = "CustomerCreated"
    CUSTOMER_UPDATED = "CustomerUpdated"
    PRODUCT_CREATED = "ProductCreated"
    PRODUCT_UPDATED = "ProductUpdated"
    ORDER_CREATED = "OrderCreated"
    ORDER_UPDATED = "OrderUpdated"
    ORDER_PAID = "OrderPaid"
    ORDER_CANCELLED = "OrderCancelled"
    PAYMENT_RECORDED = "PaymentRecorded"
    REFUND_RECORDED = "RefundRecorded"
    SYNC_REQUESTED = "SyncRequested"


RECORDS: dict[EntityType, type[CanonicalRecord]] = {
    EntityType.CUSTOMER: Customer,
    EntityType.PRODUCT: Product,
    EntityType.ORDER: Order,
    EntityType.PAYMENT: Payment,
    EntityType.REFUND: Refund,
}


def decode(entity_type: str, payload: object) -> CanonicalRecord:
    """The canonical record of an event, orders and refunds completed; RecordInvalid if the payload is none."""
    if entity_type not in RECORDS:
        known = ", ".join(RECORDS)
        raise RecordInvalid(f"{entity_type!r} is no entity type.", field="entityType", mend=f"Known are {known}.")
    record = parse(RECORDS[EntityType(entity_type)], payload)
    return record.completed() if isinstance(record, (Order, Refund)) else record


def ordering_key(entity_type: str, entity_id: str, payload: dict[str, object]) -> str:
    """Events with the same key are delivered one after the other. Payments and refunds queue behind their order."""
    if entity_type in {EntityType.PAYMENT, EntityType.REFUND} and "orderId" in payload:
        return f"{EntityType.ORDER}:{payload['orderId']}"
    return f"{entity_type}:{entity_id}"
