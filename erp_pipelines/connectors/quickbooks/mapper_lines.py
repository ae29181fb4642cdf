"""The lines of an invoice: what is sold, one discount, shipping. Pure.

QuickBooks checks that a line's amount is its quantity times its price, and knows one discount per document. So
lines carry their gross amount and the discount line what was taken off. A line whose discount cannot be said
there (a surcharge, or discounts switched off) carries its net amount once, with the arithmetic in its text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.mapping import arithmetic, external_id, number, set_only, setting_missing
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.config import DISPLAY_NAME
from erp_pipelines.connectors.quickbooks.mapper_names import DESCRIPTION_LENGTH
from erp_pipelines.connectors.quickbooks.mapper_shared import reference
from erp_pipelines.connectors.quickbooks.mapper_tax import Taxes
from erp_pipelines.connectors.text import clean, clean_lines
from erp_pipelines.domain.errors import Rejected
from erp_pipelines.domain.orders import ZERO, Order, OrderLine, amount_of, discount_of

SHIPPING_ITEM = "SHIPPING_ITEM_ID"
SALES, DISCOUNT = "SalesItemLineDetail", "DiscountLineDetail"


@dataclass(frozen=True)
class Sold:
    """One line, and whether its discount is folded into its amount."""

    line: OrderLine
    gross: Decimal
    discount: Decimal
    net: bool

    @property
    def amount(self) -> Decimal:
        return amount_of(self.line) if self.net else self.gross


def lines(order: Order, refs: Mapping[Ref, str], books: Books, taxes: Taxes) -> list[dict[str, Any]]:
    """Every line of the document; their sum with the tax is the order's total."""
    sold = _sold(order, books)
    return [
        *(_sales_line(one, order.currency, refs, taxes) for one in sold),
        *_discount_line(order, sold, books),
        *_shipping_line(order, books, taxes),
    ]


def _sold(order: Order, books: Books) -> list[Sold]:
    """Gross lines where one discount line can say the rest, net ones where it cannot."""
    sold = [_one(line, order.currency, books.allow_discount) for line in order.lines]
    too_much = _taken_off(order, sold) > sum((one.amount for one in sold), ZERO)
    return [_one(line, order.currency, False) for line in order.lines] if too_much else sold


def _one(line: OrderLine, currency: str, may_discount: bool) -> Sold:
    discount = discount_of(line, currency)
    return Sold(line, line.gross(currency), discount, net=discount < 0 or (discount > 0 and not may_discount))


def _taken_off(order: Order, sold: list[Sold]) -> Decimal:
    return sum((one.discount for one in sold if not one.net), ZERO) + order.order_discount


def _sales_line(one: Sold, currency: str, refs: Mapping[Ref, str], taxes: Taxes) -> dict[str, Any]:
    line = one.line
    detail = {
        "ItemRef": reference(external_id(refs, Ref("Product", line.product), DISPLAY_NAME)),
        "Qty": Decimal(1) if one.net else number(line.quantity),
        "UnitPrice": number(one.amount) if one.net else number(line.unit_price),
        "TaxCodeRef": taxes.code(line.tax),
    }
    return set_only(
        {
            "DetailType": SALES,
            "Amount": one.amount,
            "Description": _description(one, currency),
            SALES: set_only(detail),
        }
    )


def _description(one: Sold, currency: str) -> str:
    """The line's own text; the item's is filled in by QuickBooks where there is none."""
    said = clean_lines(one.line.description or "", DESCRIPTION_LENGTH - 200)
    return f"{said} {arithmetic(one.line, currency, whole=one.net)}".strip()


def _discount_line(order: Order, sold: list[Sold], books: Books) -> Iterator[dict[str, Any]]:
    amount = _taken_off(order, sold)
    if not amount:
        return
    _check_discount(amount, sum((one.amount for one in sold), ZERO), books)
    account = books.settings.discount_account_id
    detail = {"PercentBased": False, "DiscountAccountRef": reference(account) if account else None}
    yield {"DetailType": DISCOUNT, "Amount": amount, DISCOUNT: set_only(detail)}


def _check_discount(amount: Decimal, subtotal: Decimal, books: Books) -> None:
    if not books.allow_discount:
        raise setting_missing(
            "The order has a discount, but discounts are switched off in the company.",
            "allowDiscount",
            "Switch Discount on in QuickBooks (Account and settings, Sales, Sales form content) and reconnect.",
        )
    if not ZERO < amount <= subtotal:
        raise Rejected(
            f"The order's discounts come to {amount}, its lines to {subtotal}: QuickBooks takes a discount "
            "between nothing and the sum of the lines.",
            cause="discount",
            mend="Write a surcharge or a larger credit as a line of the order.",
            definitive=False,
        )


def _shipping_line(order: Order, books: Books, taxes: Taxes) -> Iterator[dict[str, Any]]:
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
    priced = {"Qty": Decimal(1), "UnitPrice": number(shipping.amount)} if own else {}
    detail = {"ItemRef": reference(own or SHIPPING_ITEM), **priced, "TaxCodeRef": taxes.shipping_code(shipping.tax)}
    yield set_only(
        {
            "DetailType": SALES,
            "Amount": shipping.amount,
            "Description": clean(shipping.method, DESCRIPTION_LENGTH),
            SALES: set_only(detail),
        }
    )
