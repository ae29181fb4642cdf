"""The lines of a sale. Pure.

NetSuite computes a line's amount from its quantity and rate, so a line's discount is in its rate: the rate with the
fewest decimals that gives the order's amount to the cent, at the custom price level, which leaves rates alone. Where none
does, the line is one piece at its amount. How the amount came about stands in its description.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.mapping import arithmetic, external_id, number, set_only
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.config import DISPLAY_NAME
from erp_pipelines.connectors.netsuite.mapper_shared import reference
from erp_pipelines.connectors.netsuite.mapper_tax import Taxed, Taxes
from erp_pipelines.connectors.text import clean, clean_lines
from erp_pipelines.domain.money import round_money
from erp_pipelines.domain.orders import Order, OrderLine, amount_of

FEWEST_DECIMALS = 2


def lines(order: Order, refs: Mapping[Ref, str], books: Books, taxes: Taxes) -> list[dict[str, Any]]:
    """Every line with its number, which makes a repeat change the line instead of adding one."""
    found = [*_sold(order, refs, books, taxes), *_shipping(order, books, taxes)]
    return [{"line": place, **line} for place, line in enumerate(found, 1)]


def shipping_is_line(books: Books) -> bool:
    """Whether shipping is an item of the order; else it stands in its header."""
    return _shipping_item(books) is not None


def rate_of(line: OrderLine, currency: str, decimals: int) -> Decimal | None:
    """The unit price where that gives the line's amount, else the shortest rate that does; None where there is none."""
    amount, quantity = amount_of(line), line.quantity
    if line.gross(currency) == amount:
        return line.unit_price
    if not quantity:
        return None
    rates = ((amount / quantity).quantize(Decimal(1).scaleb(-n)) for n in range(FEWEST_DECIMALS, decimals + 1))
    return next((rate for rate in rates if round_money(quantity * rate, currency) == amount), None)


def _sold(order: Order, refs: Mapping[Ref, str], books: Books, taxes: Taxes) -> Iterator[dict[str, Any]]:
    for line, taxed in zip(order.lines, taxes.lines, strict=True):
        ident = external_id(refs, Ref("Product", line.product), DISPLAY_NAME)
        rate = rate_of(line, order.currency, books.config.rate_decimals)
        quantity = line.quantity if rate is not None else Decimal(1)
        told = f"{clean_lines(line.description or '', books.config.description_length - 200)} "
        text = told + arithmetic(line, order.currency, whole=True)
        yield _line(ident, quantity, rate, amount_of(line), text, books, taxes, taxed)


def _shipping(order: Order, books: Books, taxes: Taxes) -> Iterator[dict[str, Any]]:
    item, shipping = _shipping_item(books), order.shipping
    if item and (shipping.amount or shipping.tax):
        text = clean(shipping.method, books.config.description_length)
        yield _line(item, Decimal(1), shipping.amount, shipping.amount, text, books, taxes, taxes.shipping)


def _line(
    item: str,
    quantity: Decimal,
    rate: Decimal | None,
    amount: Decimal,
    text: str,
    books: Books,
    taxes: Taxes,
    taxed: Taxed,
) -> dict[str, Any]:
    own = books.own
    said = {
        "item": reference(item),
        "quantity": number(quantity),
        "price": reference(books.config.custom_price_level),
        "rate": number(amount if rate is None else rate),
        "amount": amount,
        "description": text.strip(),
        "location": reference(own.location_id),
        "department": reference(own.department_id),
        "class": reference(own.class_id),
    }
    return {**set_only(said), **taxes.on_line(taxed), **own.line_fields}


def _shipping_item(books: Books) -> str | None:
    return books.own.shipping_item_id or books.settings.shipping_item_id
