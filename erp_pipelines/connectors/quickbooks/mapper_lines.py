"""The lines of a document: what is sold, one discount, shipping. Pure.

QuickBooks checks that a line's amount is its quantity times its price, and knows one discount per document, which lowers
the base of every tax code in proportion. So lines carry their gross amount and the discount line what was taken off. Where
that would say something else than the order (lines of different tax codes, prices that include a tax, discounts
switched off or above the lines) everything is folded into the lines: net amounts, with the arithmetic in their texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.arithmetic import arithmetic
from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.mapping import class_of, item_of, number, set_only, setting_missing
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.config import DISPLAY_NAME
from erp_pipelines.connectors.quickbooks.mapper_names import DESCRIPTION_LENGTH
from erp_pipelines.connectors.quickbooks.mapper_shared import reference
from erp_pipelines.connectors.quickbooks.mapper_tax import Taxes
from erp_pipelines.connectors.text import clean, clean_lines
from erp_pipelines.domain.errors import Rejected
from erp_pipelines.domain.money import round_money
from erp_pipelines.domain.orders import ZERO, Charged, OrderLine, amount_of, discount_of
from erp_pipelines.domain.parts import Part

SHIPPING_ITEM = "SHIPPING_ITEM_ID"
SALES, DISCOUNT = "SalesItemLineDetail", "DiscountLineDetail"
PRICE_PLACES = Decimal("0.00001")


@dataclass(frozen=True)
class Sold:
    """One line as it is sent: its amount, and how many at which price."""

    line: OrderLine
    part: Part
    amount: Decimal
    quantity: Decimal
    price: Decimal
    net: bool

    @classmethod
    def gross_line(cls, line: OrderLine, part: Part, currency: str) -> Sold:
        return cls(line, part, line.gross(currency), line.quantity, line.unit_price, net=False)

    @classmethod
    def net_line(cls, line: OrderLine, part: Part, amount: Decimal, currency: str) -> Sold:
        """Its quantity is kept where a price of five decimals gives the amount; else it is one of this amount."""
        if amount == line.gross(currency):
            return cls.gross_line(line, part, currency)
        price = (amount / line.quantity).quantize(PRICE_PLACES) if line.quantity else ZERO
        if round_money(price * line.quantity, currency) == amount:
            return cls(line, part, amount, line.quantity, price, net=True)
        return cls(line, part, amount, Decimal(1), amount, net=True)


def lines(order: Charged, refs: Mapping[Ref, str], books: Books, taxes: Taxes) -> list[dict[str, Any]]:
    """Every line of the document; their sum with the tax is the order's total."""
    _check_discount(order)
    folded = _folded(order, books, taxes)
    sold = [_sold(order, line, part, folded=folded) for line, part in zip(order.lines, taxes.parts.lines, strict=True)]
    return [
        *(_sales_line(order, one, number, refs, books, taxes) for number, one in enumerate(sold)),
        *([] if folded else _discount_line(order, books)),
        *_shipping_line(order, books, taxes),
    ]


def has_discount_line(order: Charged, books: Books, taxes: Taxes) -> bool:
    return bool(_taken_off(order)) and not _folded(order, books, taxes)


def _folded(order: Charged, books: Books, taxes: Taxes) -> bool:
    """Whether net lines say it all: the discount line cannot."""
    taken_off = _taken_off(order)
    if taxes.inclusive or not taken_off:
        return taxes.inclusive
    whole = sum((line.gross(order.currency) for line in order.lines), ZERO)
    return (
        not books.allow_discount
        or not ZERO < taken_off <= whole
        or taxes.mixed(with_shipping=bool(books.settings.shipping_item_id and order.shipping.amount))
    )


def _taken_off(order: Charged) -> Decimal:
    """What a discount line would say: the discounts of lines (a surcharge stands in its line), and of the order."""
    discounts = [discount_of(line, order.currency) for line in order.lines]
    return sum((one for one in discounts if one > 0), ZERO) + order.order_discount


def _check_discount(order: Charged) -> None:
    whole = sum((amount_of(line) for line in order.lines), ZERO)
    if order.order_discount > max(whole, ZERO) or _taken_off(order) < 0:
        raise Rejected(
            f"The order's own discount is {order.order_discount}, its lines come to {whole}: QuickBooks takes a discount "
            "between nothing and the sum of the lines.",
            cause="discount",
            mend="Write a surcharge or a larger credit as a line of the order.",
            definitive=False,
        )


def _sold(order: Charged, line: OrderLine, part: Part, *, folded: bool) -> Sold:
    if folded:
        return Sold.net_line(line, part, part.net, order.currency)
    surcharged = discount_of(line, order.currency) < 0
    if surcharged:
        return Sold.net_line(line, part, amount_of(line), order.currency)
    return Sold.gross_line(line, part, order.currency)


def _sales_line(
    order: Charged, one: Sold, place: int, refs: Mapping[Ref, str], books: Books, taxes: Taxes
) -> dict[str, Any]:
    booked = class_of(one.line, books.own.classes, DISPLAY_NAME)
    detail = {
        "ItemRef": reference(item_of(one.line, refs, books.own.line_items, DISPLAY_NAME)),
        "ClassRef": reference(booked) if booked else None,
        "Qty": number(one.quantity),
        "UnitPrice": number(one.price),
        "TaxCodeRef": taxes.code_ref(place),
        "TaxInclusiveAmt": taxes.gross_of(one.part),
    }
    return set_only(
        {
            "DetailType": SALES,
            "Amount": one.amount,
            "Description": _description(order, one),
            SALES: set_only(detail),
        }
    )


def _description(order: Charged, one: Sold) -> str:
    """The line's own text and what became of its price; the item's text is filled in by QuickBooks where there is none."""
    said = clean_lines(one.line.description or "", DESCRIPTION_LENGTH - 200)
    return f"{said} {arithmetic(order, one.line, one.part, whole=one.net, folded=one.net)}".strip()


def _discount_line(order: Charged, books: Books) -> Iterator[dict[str, Any]]:
    amount = _taken_off(order)
    if not amount:
        return
    account = books.settings.discount_account_id
    detail = {"PercentBased": False, "DiscountAccountRef": reference(account) if account else None}
    yield {"DetailType": DISCOUNT, "Amount": amount, DISCOUNT: set_only(detail)}


def _shipping_line(order: Charged, books: Books, taxes: Taxes) -> Iterator[dict[str, Any]]:
    shipping = order.shipping
    if not shipping.amount and not (shipping.tax and taxes.rest_on_lines):
        return
    own = books.settings.shipping_item_id
    if not own and not books.allow_shipping:
        raise setting_missing(
            "The order has shipping, but shipping is switched off in the company.",
            "shippingItemId",
            "Choose an item for shipping in the settings of the connection, or switch Shipping on in QuickBooks.",
        )
    part = taxes.parts.shipping
    priced = {"Qty": Decimal(1), "UnitPrice": number(part.net)} if own else {}
    detail = {
        "ItemRef": reference(own or SHIPPING_ITEM),
        **priced,
        "TaxCodeRef": taxes.shipping_code_ref(),
        "TaxInclusiveAmt": taxes.gross_of(part),
    }
    yield set_only(
        {
            "DetailType": SALES,
            "Amount": part.net,
            "Description": clean(shipping.method, DESCRIPTION_LENGTH),
            SALES: set_only(detail),
        }
    )


def plain_line(amount: Decimal, item: str, text: str, taxes: Taxes) -> dict[str, Any]:
    """An untaxed amount by name, which is none of the shop's products."""
    detail = {
        "ItemRef": reference(item),
        "Qty": Decimal(1),
        "UnitPrice": number(amount),
        "TaxCodeRef": taxes.exempt_code_ref(),
    }
    return {"DetailType": SALES, "Amount": amount, "Description": text, SALES: set_only(detail)}
