"""The canonical payment, and how payments make an order's payment status."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum

from pydantic import Field, model_validator

from erp_pipelines.domain.records import Amount, Currency, Record, RecordId, Text


class PaymentStatus(StrEnum):
    UNPAID = "unpaid"
    PARTIALLY_PAID = "partiallyPaid"
    PAID = "paid"
    REFUNDED = "refunded"


class Allocation(Record):
    """How much of a payment is for one order."""

    order_id: RecordId
    amount: Amount = Field(gt=0)


class Payment(Record):
    """Money received for one order, or for several of one customer. `reference` is the processor's id or the cheque number.

    Without `allocations` all of it is for `orderId`. With them that is the first one's order, and what they leave of
    the amount is for no order yet: the customer's credit. `exchangeRate`: home units per unit of a foreign currency.
    """

    id: RecordId
    order_id: RecordId
    amount: Amount
    currency: Currency
    date: dt.date
    method: Text | None = None
    reference: Text | None = None
    exchange_rate: Decimal | None = Field(default=None, gt=0)
    allocations: tuple[Allocation, ...] | None = Field(default=None, min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _fits(self) -> Payment:
        ids = [part.order_id for part in self.parts]
        if ids[0] != self.order_id:
            raise ValueError("orderId is not the order of the first allocation")
        if len(set(ids)) < len(ids):
            raise ValueError("an order is allocated to twice")
        if self.allocations and self.unallocated < 0:
            raise ValueError(f"the allocations come to {-self.unallocated} more than the amount")
        return self

    @property
    def parts(self) -> tuple[Allocation, ...]:
        """How much of it is for which order."""
        return self.allocations or (Allocation.model_construct(order_id=self.order_id, amount=self.amount),)

    def part_for(self, order_id: str) -> Decimal:
        """How much of it is for this order."""
        return sum((part.amount for part in self.parts if part.order_id == order_id), Decimal(0))

    @property
    def unallocated(self) -> Decimal:
        """What is for no order."""
        return self.amount - sum((part.amount for part in self.parts), Decimal(0))


def status_for(total: Decimal, paid: Decimal) -> PaymentStatus:
    """What an order of `total` is when `paid` has been received. An order of nothing is paid."""
    if paid >= total:
        return PaymentStatus.PAID
    return PaymentStatus.PARTIALLY_PAID if paid > 0 else PaymentStatus.UNPAID
