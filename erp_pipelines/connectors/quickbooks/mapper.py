"""Canonical records into QuickBooks' words: which mapper takes which record, and what must stand there first. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.mapper_invoice import invoice
from erp_pipelines.connectors.quickbooks.mapper_names import customer, item
from erp_pipelines.connectors.quickbooks.mapper_payment import payment
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.events import CanonicalRecord
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.products import Product

# The names of our records in QuickBooks, as its documents, queries and webhooks write them.
EXTERNAL_TYPES = {"Customer": "Customer", "Product": "Item", "Order": "Invoice", "Payment": "Payment"}


def requirements(record: CanonicalRecord) -> tuple[Ref, ...]:
    """An order needs its customer, then each product once; a payment its order. Nothing else needs anything."""
    match record:
        case Order():
            products = dict.fromkeys(line.product for line in record.lines)
            return (Ref("Customer", record.customer_id), *(Ref("Product", product) for product in products))
        case Payment():
            return (Ref("Order", record.order_id),)
    return ()


def body(record: CanonicalRecord, refs: Mapping[Ref, str], books: Books) -> dict[str, Any]:
    """The body of a create, amounts as Decimal.

    Raises RequirementMissing, and Rejected that is not definitive: QuickBooks was not asked.
    """
    match record:
        case Customer():
            return customer(record, books)
        case Product():
            return item(record, books)
        case Order():
            return invoice(record, refs, books)
        case Payment():
            return payment(record, refs, books)
