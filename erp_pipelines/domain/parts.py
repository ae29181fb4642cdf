"""An order or a refund as books see it: what each part of it comes to after every discount and without tax. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from erp_pipelines.domain.money import apportion
from erp_pipelines.domain.orders import ZERO, Charged, OrderLine, amount_of


@dataclass(frozen=True)
class Part:
    """A line, or the shipping. `net` is what its tax is on; `share` what it bears of the order's discount.

    `rate` is None where the shop doesn't name it.
    """

    net: Decimal
    tax: Decimal
    rate: Decimal | None = None
    share: Decimal = ZERO
    quantity: Decimal = Decimal(1)

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


@dataclass(frozen=True)
class Parts:
    """The parts of one completed order or refund. `itemised`: the order says what tax each part bears."""

    lines: tuple[Part, ...]
    shipping: Part
    itemised: bool

    @property
    def whole(self) -> Part:
        """All lines as one part."""
        lines = self.lines
        return Part(
            sum((one.net for one in lines), ZERO),
            sum((one.tax for one in lines), ZERO),
            quantity=sum((abs(one.quantity) for one in lines), ZERO),
        )


def parts_of(order: Charged) -> Parts:
    """The order's discount is spread over the lines by their amounts, and so is a tax given for the whole order only."""
    amounts = [amount_of(line) for line in order.lines]
    shares = apportion(order.order_discount, amounts, order.currency)
    lowered = [amount - share for amount, share in zip(amounts, shares, strict=True)]
    itemised = order.shipping.tax is not None or any(line.tax is not None for line in order.lines)
    taxes = [line.tax or ZERO for line in order.lines] if itemised else _spread_tax(order, lowered)
    lines = zip(order.lines, lowered, taxes, shares, strict=True)
    shipping = order.shipping
    return Parts(
        tuple(_part(order, line, amount, tax, share) for line, amount, tax, share in lines),
        Part(_net(order, shipping.amount, shipping.tax or ZERO), shipping.tax or ZERO, shipping.tax_rate),
        itemised,
    )


def _spread_tax(order: Charged, lowered: list[Decimal]) -> tuple[Decimal, ...]:
    return apportion(order.tax_total or ZERO, lowered, order.currency)


def _part(order: Charged, line: OrderLine, amount: Decimal, tax: Decimal, share: Decimal) -> Part:
    return Part(_net(order, amount, tax), tax, line.tax_rate, share, line.quantity)


def _net(order: Charged, amount: Decimal, tax: Decimal) -> Decimal:
    return amount - tax if order.prices_include_tax else amount
