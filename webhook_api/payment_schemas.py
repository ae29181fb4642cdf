"""The JSON of payments over several orders."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from erp_pipelines.commerce.receipts import Receipt
from erp_pipelines.domain.payments import PaymentStatus
from erp_pipelines.domain.records import Amount
from webhook_api.schemas import Body


class AllocationIn(Body):
    """What of a payment is for one order; without an amount all that is still open of it."""

    order_id: str
    amount: Amount | None = None


class PaymentIn(Body):
    """One payment for several orders of a customer, of today where nothing is said.

    `amount` is the sum of the allocations unless it is given; what it is beyond them is the customer's credit. The
    same `paymentId` again is no second payment.
    """

    allocations: list[AllocationIn] = Field(min_length=1, max_length=1000)
    amount: Amount | None = None
    date: dt.date | None = None
    method: str | None = None
    reference: str | None = None
    payment_id: str | None = Field(default=None, min_length=1, max_length=100)


class OrderPaid(Body):
    order_id: str
    amount: Amount
    payment_status: PaymentStatus


class PaymentOut(Body):
    """The payment as it is recorded: what of it is for which order, and how that stands now."""

    payment_id: str
    amount: Amount
    unallocated: Amount
    orders: list[OrderPaid]
    changed: bool

    @classmethod
    def of(cls, receipt: Receipt) -> PaymentOut:
        payment = receipt.payment
        orders = [
            OrderPaid(order_id=part.order_id, amount=part.amount, payment_status=receipt.statuses[part.order_id])
            for part in payment.parts
        ]
        return cls(
            payment_id=payment.id,
            amount=payment.amount,
            unallocated=payment.unallocated,
            orders=orders,
            changed=receipt.changed,
        )
