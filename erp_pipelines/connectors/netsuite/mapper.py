"""Canonical records into NetSuite's words: which mapper takes which record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.mapping import refund_by_hand
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.config import DISPLAY_NAME
from erp_pipelines.connectors.netsuite.mapper_names import customer, item
from erp_pipelines.connectors.netsuite.mapper_order import sale, wants_invoice
from erp_pipelines.connectors.netsuite.mapper_payment import payment
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.events import CanonicalRecord
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.refunds import Refund


def body(record: CanonicalRecord, refs: Mapping[Ref, str], books: Books) -> dict[str, Any]:
    """What becomes of the record in NetSuite, amounts as Decimal.

    Raises RequirementMissing, and Rejected that is not definitive: NetSuite was not asked.
    """
    match record:
        case Customer():
            return customer(record, books)
        case Product():
            return item(record, books)
        case Order():
            # An order that is to be billed is no longer what was sent, though the sales order stays the same.
            return {**sale(record, refs, books), "toBill": wants_invoice(record, books)}
        case Payment():
            return payment(record, refs, books)
        case Refund():
            raise refund_by_hand(record, DISPLAY_NAME)
