"""The canonical payment, and how payments make an order's payment status."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum

from erp_pipelines.domain.records import Amount, Currency, Record, RecordId, Text


class PaymentStatus(StrEnum):
    UNPAID = "unpaid"
    PARTIALLY_PAID = "partiallyPaid"
    PAID = "paid"
    REFUNDED = "refunded"


class Payment(Record):
    """Money received for one order. `reference` is the processor's id or the cheque number."""

    id: RecordId
    order_id: RecordId
    amount: Amount
    currency: Currency
    date: dt.date
    method: Text | None = None
    reference: Text | None = None


def status_for(total: Decimal, paid: Decimal) -> PaymentStatus:
    """What an order of `total` is when `paid` has been received. An order of nothing is paid."""
    if paid >= total:
        return PaymentStatus.PAID
    return PaymentStatus.PARTIALLY_PAID if paid > 0 else PaymentStatus.UNPAID
