"""The canonical order: what a host may leave out is computed here, what it gives must agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Protocol, TypeVar

from pydantic import Field

from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.money import check_minor_unit, round_money
from erp_pipelines.domain.payments import PaymentStatus
from erp_pipelines.domain.records import Address, Amount, Currency, Record, RecordId, Text

ZERO = Decimal(0)
TaxRate = Annotated[Decimal, Field(ge=0, lt=1)]


class OrderStatus(StrEnum):
    DRAFT = "draft"
    CONFIRMED = "confirmed"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


LineKind = Literal["giftCard", "fee"]


class OrderLine(Record):
    """One product sold. `amount` = round(quantity x unitPrice x (1 - discountRate)), or less `discount`.

    `tax` is what the shop has computed; `taxRate` (a fraction) says by which rate, where the shop knows. `kind`: what it
    is where it is no goods; a gift card that is spent has a negative quantity. `class` is the shop's word for where it is
    booked.
    """

    product: RecordId
    description: Text | None = None
    quantity: Amount
    unit_price: Amount
    discount: Amount | None = None
    discount_rate: Decimal | None = Field(default=None, ge=0, le=1)
    tax: Amount | None = None
    tax_rate: TaxRate | None = None
    amount: Amount | None = None
    kind: LineKind | None = None
    sales_class: Text | None = Field(default=None, alias="class")

    def gross(self, currency: str) -> Decimal:
        """Quantity times unit price, rounded: what an ERP checks a line's amount against."""
        return round_money(self.quantity * self.unit_price, currency)


L = TypeVar("L", bound=OrderLine)


class Shipping(Record):
    amount: Amount = ZERO
    method: Text | None = None
    tax: Amount | None = None
    tax_rate: TaxRate | None = None


class Charged(Protocol):
    """What customers are charged for, or given back for, once it is completed."""

    @property
    def currency(self) -> str: ...

    @property
    def lines(self) -> Sequence[OrderLine]: ...

    @property
    def shipping(self) -> Shipping: ...

    @property
    def order_discount(self) -> Decimal: ...

    @property
    def prices_include_tax(self) -> bool | None: ...

    @property
    def tax_total(self) -> Decimal | None: ...

    @property
    def amount_due(self) -> Decimal: ...


class Order(Record):
    """A sale. After `completed` every amount is set and the parts add up to `total` to the minor unit.

    Amounts are without tax, unless `pricesIncludeTax`: then those of lines, discounts and shipping hold theirs.
    """

    id: RecordId
    number: RecordId
    customer_id: RecordId
    order_date: dt.date
    due_date: dt.date | None = None
    currency: Currency = "USD"
    exchange_rate: Decimal | None = Field(default=None, gt=0)
    status: OrderStatus = OrderStatus.CONFIRMED
    payment_status: PaymentStatus = PaymentStatus.UNPAID
    lines: tuple[OrderLine, ...] = Field(min_length=1, max_length=9000)
    shipping: Shipping = Shipping()
    order_discount: Amount = ZERO
    # Left out rather than false: what an order without it is sent under must not change.
    prices_include_tax: bool | None = None
    tax_total: Amount | None = None
    total: Amount | None = None
    po_number: Text | None = None
    memo: Text | None = None
    ship_to: Address | None = None

    def completed(self) -> Order:
        """This order with everything computed; RecordInvalid naming the difference where given parts disagree."""
        lines = tuple(completed_line(line, self.currency, f"lines[{n}]") for n, line in enumerate(self.lines, 1))
        shipping = self.shipping.model_copy(
            update={"amount": check_minor_unit(self.shipping.amount, self.currency, "shipping.amount")}
        )
        discount = check_minor_unit(self.order_discount, self.currency, "orderDiscount")
        tax = tax_of(lines, shipping, self.currency, self.tax_total)
        sums = sum((amount_of(line) for line in lines), ZERO) + shipping.amount - discount
        rule = "lines + shipping - orderDiscount"
        if not self.prices_include_tax:
            sums, rule = sums + tax, f"{rule} + taxTotal"
        total = agreed(self.total, round_money(sums, self.currency), "total", rule)
        if total < 0:
            raise RecordInvalid(f"total is {total}: an order cannot be worth less than nothing.", field="total")
        return self.model_copy(update={"lines": lines, "shipping": shipping, "tax_total": tax, "total": total})

    @property
    def amount_due(self) -> Decimal:
        """The total of a completed order."""
        if self.total is None:
            raise RecordInvalid(f"Order {self.id} was not completed.", field="total")
        return self.total


def amount_of(line: OrderLine) -> Decimal:
    """The amount of a completed line, after its discount and without tax."""
    return line.amount if line.amount is not None else ZERO


def discount_of(line: OrderLine, currency: str) -> Decimal:
    """What was taken off the line's gross amount."""
    return line.gross(currency) - amount_of(line)


def completed_line(line: L, currency: str, where: str) -> L:
    """The line with its amount, and its discount in money; RecordInvalid where what is given disagrees."""
    gross = line.gross(currency)
    by_rate = (
        None
        if line.discount_rate is None
        else round_money(line.quantity * line.unit_price * (1 - line.discount_rate), currency)
    )
    by_money = None if line.discount is None else gross - check_minor_unit(line.discount, currency, f"{where}.discount")
    if by_rate is not None and by_money is not None:
        agreed(by_money, by_rate, f"{where}.discount", "what discountRate gives")
    computed = by_rate if by_rate is not None else by_money if by_money is not None else gross
    amount = agreed(line.amount, computed, f"{where}.amount", "quantity x unitPrice less the discount")
    return line.model_copy(update={"amount": amount, "discount": gross - amount if gross != amount else None})


def tax_of(lines: Sequence[OrderLine], shipping: Shipping, currency: str, total: Decimal | None) -> Decimal:
    """The sum of the taxes given per line and on shipping; a total given alone is taken as it is."""
    parts = {f"lines[{n}]": line for n, line in enumerate(lines, 1)} | {"shipping": shipping}
    for field, part in parts.items():
        _refuse_rate_alone(part, field)
    given = [
        check_minor_unit(part.tax, currency, f"{field}.tax") for field, part in parts.items() if part.tax is not None
    ]
    if not given:
        return check_minor_unit(total or ZERO, currency, "taxTotal")
    return agreed(total, sum(given, ZERO), "taxTotal", "the taxes of the lines and of shipping")


def _refuse_rate_alone(part: OrderLine | Shipping, field: str) -> None:
    if part.tax_rate and part.tax is None:
        raise RecordInvalid(
            f"{field}.taxRate is {part.tax_rate}, but the tax itself is missing.",
            field=f"{field}.tax",
            mend="Give the tax that the customer was charged; it is never computed here.",
        )


def agreed(given: Decimal | None, computed: Decimal, field: str, rule: str) -> Decimal:
    """The computed amount, unless another one was given: then RecordInvalid with the difference."""
    if given is not None and given != computed:
        raise RecordInvalid(
            f"{field} is {given}, but {rule} comes to {computed}: a difference of {given - computed}.",
            field=field,
            mend="Correct the part that is wrong, or leave the amount out to have it computed.",
        )
    return computed
