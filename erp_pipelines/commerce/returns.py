"""What of an order's lines comes back, and what that is worth. Pure.

A part of a line is worth what it adds to what came back of it before, rounded in its sum: so the parts of a line never come
to more or less than the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.money import round_money
from erp_pipelines.domain.orders import ZERO, Order, OrderLine, Shipping
from erp_pipelines.domain.parts import Part, parts_of
from erp_pipelines.domain.refunds import Refund, RefundLine


@dataclass(frozen=True)
class Returned:
    """So many of one line of the order, counted from 1; all that is left of it without a quantity."""

    line: int
    quantity: Decimal | None = None


def returned_lines(order: Order, before: Sequence[Refund], wanted: Sequence[Returned]) -> tuple[RefundLine, ...]:
    """Raises RecordInvalid for a line that the order lacks, that is named twice, or of which less is left."""
    parts = parts_of(order).lines
    for place, one in enumerate(wanted):
        if not 1 <= one.line <= len(order.lines) or one.line in {other.line for other in wanted[:place]}:
            raise RecordInvalid(
                f"Order {order.id!r} has {len(order.lines)} lines; line {one.line} is none of them, or named twice.",
                field=f"lines[{place + 1}].line",
            )
    return tuple(
        _returned(order, parts[one.line - 1], one, _gone(before, one.line), place) for place, one in enumerate(wanted)
    )


def everything_left(order: Order, before: Sequence[Refund]) -> tuple[tuple[RefundLine, ...], Shipping]:
    """All lines as far as they have not come back, and the shipping if it was not given back."""
    left = [Returned(n) for n, line in enumerate(order.lines, 1) if _gone(before, n) != line.quantity]
    return returned_lines(order, before, left), shipping_of(order, before, wanted=True)


def shipping_of(order: Order, before: Sequence[Refund], *, wanted: bool) -> Shipping:
    given_back = any(one.shipping.amount or one.shipping.tax for one in before)
    return order.shipping if wanted and not given_back else Shipping()


def _gone(before: Sequence[Refund], number: int) -> Decimal:
    return sum((line.quantity for one in before for line in one.lines if line.line == number), ZERO)


def _returned(order: Order, part: Part, wanted: Returned, gone: Decimal, place: int) -> RefundLine:
    line = order.lines[wanted.line - 1]
    left = line.quantity - gone
    quantity = left if wanted.quantity is None else wanted.quantity
    if not quantity or quantity * left < 0 or abs(quantity) > abs(left):
        raise RecordInvalid(
            f"Of line {wanted.line} of order {order.id!r}, {left} can come back, not {quantity}.",
            field=f"lines[{place + 1}].quantity",
        )
    taxed = part.tax or line.tax is not None
    amount = _share(order, line, _amount(order, part), gone, quantity)
    tax = _share(order, line, part.tax, gone, quantity) if taxed else None
    return _line(order, line, wanted.line, quantity, amount, tax)


def _amount(order: Order, part: Part) -> Decimal:
    """What the customer paid for the line, in the order's way of saying prices."""
    return part.gross if order.prices_include_tax else part.net


def _share(order: Order, line: OrderLine, whole: Decimal, gone: Decimal, quantity: Decimal) -> Decimal:
    """What `quantity` more of the line adds to what `gone` was worth."""

    def worth(pieces: Decimal) -> Decimal:
        return round_money(whole * pieces / line.quantity, order.currency)

    return worth(gone + quantity) - worth(gone)


def _line(
    order: Order, line: OrderLine, number: int, quantity: Decimal, amount: Decimal, tax: Decimal | None
) -> RefundLine:
    discount = round_money(quantity * line.unit_price, order.currency) - amount
    return RefundLine(
        line=number, product=line.product, description=line.description, quantity=quantity, unit_price=line.unit_price,
        discount=discount or None, tax=tax, tax_rate=line.tax_rate if tax is not None else None, amount=amount,
        kind=line.kind, sales_class=line.sales_class,
    )  # fmt: skip
