"""The lines of a sale. Pure.

NetSuite computes a line's amount from its quantity and rate, so a line's discount is in its rate: the rate with the
fewest decimals that gives the order's amount to the cent, at the custom price level, which leaves rates alone. Where none
does, the line is one piece at its amount. How the amount came about stands in its description.

The order's own discount is NetSuite's discount of the whole sale. Without an item for that, or where prices include a tax,
it is in the lines as well: net amounts, which add up with the taxes to the order's total.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.arithmetic import arithmetic
from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.mapping import class_of, item_of, number, set_only
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.config import DISPLAY_NAME
from erp_pipelines.connectors.netsuite.mapper_shared import reference
from erp_pipelines.connectors.netsuite.mapper_tax import Taxed, Taxes
from erp_pipelines.connectors.text import clean, clean_lines
from erp_pipelines.domain.money import round_money
from erp_pipelines.domain.orders import Order, OrderLine, amount_of

FEWEST_DECIMALS = 2
# Room in a line's text for how its amount came about.
ARITHMETIC = 200


def lines(order: Order, refs: Mapping[Ref, str], books: Books, taxes: Taxes) -> list[dict[str, Any]]:
    """Every line with its number, which makes a repeat change the line instead of adding one."""
    found = [*_sold(order, refs, books, taxes), *_shipping(order, books, taxes)]
    return [{"line": place, **line} for place, line in enumerate(found, 1)]


def is_folded(order: Order, books: Books) -> bool:
    """Whether lines bear the order's discount, and their amounts are what is left of them."""
    return bool(order.prices_include_tax or (order.order_discount and not books.own.discount_item_id))


def shipping_is_line(books: Books) -> bool:
    """Whether shipping is an item of the order; else it stands in its header."""
    return _shipping_item(books) is not None


def rate_of(line: OrderLine, amount: Decimal, currency: str, decimals: int) -> Decimal | None:
    """The unit price where that gives the amount, else the shortest rate that does; None where there is none."""
    if line.gross(currency) == amount:
        return line.unit_price
    if not line.quantity:
        return None
    exact = amount / line.quantity
    rates = (exact.quantize(Decimal(1).scaleb(-n)) for n in range(FEWEST_DECIMALS, decimals + 1))
    return next((rate for rate in rates if round_money(line.quantity * rate, currency) == amount), None)


def _sold(order: Order, refs: Mapping[Ref, str], books: Books, taxes: Taxes) -> Iterator[dict[str, Any]]:
    folded = is_folded(order, books)
    for line, part, taxed in zip(order.lines, taxes.parts.lines, taxes.lines, strict=True):
        amount = part.net if folded else amount_of(line)
        rate = rate_of(line, amount, order.currency, books.config.rate_decimals)
        told = clean_lines(line.description or "", books.config.description_length - ARITHMETIC)
        changed = amount != line.gross(order.currency)
        sold = {
            "item": reference(item_of(line, refs, books.own.line_items, DISPLAY_NAME)),
            "quantity": number(line.quantity) if rate is not None else Decimal(1),
            "rate": number(amount if rate is None else rate),
            "amount": amount,
            "description": f"{told} {arithmetic(order, line, part, whole=changed, folded=folded)}".strip(),
            "class": reference(class_of(line, books.own.classes, DISPLAY_NAME) or books.own.class_id),
        }
        yield _line(sold, books, taxes, taxed)


def _shipping(order: Order, books: Books, taxes: Taxes) -> Iterator[dict[str, Any]]:
    shipping, amount = order.shipping, taxes.parts.shipping.net
    if shipping_is_line(books) and (shipping.amount or shipping.tax):
        sold = {
            "item": reference(_shipping_item(books)),
            "quantity": Decimal(1),
            "rate": number(amount),
            "amount": amount,
            "description": clean(shipping.method, books.config.description_length),
        }
        yield _line(sold, books, taxes, taxes.shipping)


def _line(sold: Mapping[str, Any], books: Books, taxes: Taxes, taxed: Taxed) -> dict[str, Any]:
    own = books.own
    places = {
        "location": reference(own.location_id),
        "department": reference(own.department_id),
        "class": reference(own.class_id),
    }
    price = {"price": reference(books.config.custom_price_level)}
    return {**set_only({**places, **sold, **price}), **taxes.on_line(taxed), **own.line_fields}


def _shipping_item(books: Books) -> str | None:
    return books.own.shipping_item_id or books.settings.shipping_item_id
