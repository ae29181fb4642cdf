"""The canonical refund: money given back for an order, for goods that came back, for shipping, or for neither."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from pydantic import Field

from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.money import check_minor_unit
from erp_pipelines.domain.orders import ZERO, OrderLine, Shipping, agreed, amount_of, completed_line, tax_of
from erp_pipelines.domain.records import Amount, Currency, Record, RecordId, Text


class RefundLine(OrderLine):
    """What came back of one line of the order, `line`, counted from 1; its price and discount are the order's."""

    line: int = Field(ge=1)


class Refund(Record):
    """Money given back. After `completed`, `amount` = lines + shipping + adjustment + taxTotal (unless prices include it).

    `adjustment` is for nothing that was sold: goodwill, or below nothing a fee that was kept. It bears no tax.
    """

    id: RecordId
    order_id: RecordId
    order_number: RecordId
    date: dt.date
    currency: Currency
    exchange_rate: Decimal | None = Field(default=None, gt=0)
    method: Text | None = None
    reference: Text | None = None
    reason: Text | None = None
    lines: tuple[RefundLine, ...] = Field(default=(), max_length=9000)
    shipping: Shipping = Shipping()
    adjustment: Amount = ZERO
    prices_include_tax: bool | None = None
    tax_total: Amount | None = None
    amount: Amount | None = None

    def completed(self) -> Refund:
        """This refund with everything computed; RecordInvalid where parts disagree, or nothing is given back."""
        lines = tuple(completed_line(line, self.currency, f"lines[{n}]") for n, line in enumerate(self.lines, 1))
        shipping, adjustment = self.shipping, check_minor_unit(self.adjustment, self.currency, "adjustment")
        check_minor_unit(shipping.amount, self.currency, "shipping.amount")
        tax = tax_of(lines, shipping, self.currency, self.tax_total)
        sums = sum((amount_of(line) for line in lines), ZERO) + shipping.amount + adjustment
        rule = "lines + shipping + adjustment"
        if not self.prices_include_tax:
            sums, rule = sums + tax, f"{rule} + taxTotal"
        amount = agreed(self.amount, sums, "amount", rule)
        if amount <= 0:
            raise RecordInvalid(f"amount is {amount}: a refund gives something back.", field="amount")
        return self.model_copy(update={"lines": lines, "tax_total": tax, "amount": amount})

    @property
    def order_discount(self) -> Decimal:
        """None: its lines hold their shares of the order's."""
        return ZERO

    @property
    def amount_due(self) -> Decimal:
        """What a completed refund gives back."""
        if self.amount is None:
            raise RecordInvalid(f"Refund {self.id} was not completed.", field="amount")
        return self.amount
