"""Canonical records into QuickBooks' words: which mapper takes which record, and what must stand there first. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.mapper_invoice import invoice
from erp_pipelines.connectors.quickbooks.mapper_names import customer, item
from erp_pipelines.connectors.quickbooks.mapper_payment import payment
from erp_pipelines.connectors.quickbooks.mapper_refund import refund
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.events import CanonicalRecord
from erp_pipelines.domain.orders import Order, OrderStatus
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.refunds import Refund


def body(record: CanonicalRecord, refs: Mapping[Ref, str], books: Books) -> dict[str, Any]:
    """The body of a create, amounts as Decimal; of a cancelled order what sets it apart from the one that stands.

    Raises RequirementMissing, and Rejected that is not definitive: QuickBooks was not asked.
    """
    match record:
        case Customer():
            return customer(record, books)
        case Product():
            return item(record, books)
        case Order(status=OrderStatus.CANCELLED):
            return {"Void": record.number}
        case Order():
            return invoice(record, refs, books)
        case Payment():
            return payment(record, refs, books)
        case Refund():
            return refund(record, refs, books)
