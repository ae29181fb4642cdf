"""Orders in their customers' currency: what they are worth at home, and the payments and refunds that belong to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

from erp_pipelines.domain.payments import Payment
from tests.money.till import CENT, ZERO, Sale, half_up

LATER = dt.date(2026, 3, 20)


def differences(sale: Sale, document: Any) -> Iterator[str]:
    """What the document says otherwise of currency, rate and worth at home."""
    if sale.home is None:
        return
    said = (document["CurrencyRef"]["value"], document["ExchangeRate"], document["HomeTotalAmt"])
    charged = (sale.order.currency, sale.order.exchange_rate, sale.home)
    if said != charged:
        yield f"{said} at home, charged {charged}"


def payments(random: Random, sale: Sale) -> list[Payment]:
    """The order paid in two parts, or at once where it is a cent."""
    first = half_up(sale.total * random.randint(1, 99) / 100)
    parts = [part for part in (first, sale.total - first) if part > 0]
    return [_payment(sale, number, part) for number, part in enumerate(parts, 1)]


def _payment(sale: Sale, number: int, amount: Decimal) -> Payment:
    """The first says its rate; that of the second is looked up in QuickBooks."""
    order = sale.order
    rate = order.exchange_rate if number == 1 else None
    head = {"id": f"{order.id}-{number}", "order_id": order.id, "currency": order.currency, "date": LATER}
    return Payment(**head, amount=amount, exchange_rate=rate)


def unpaid(sale: Sale, booked: list[Any], document: Any) -> Iterator[str]:
    """What its payments and the balance that they leave say otherwise: no gain or loss but the rounding of each part."""
    rate = sale.order.exchange_rate or ZERO
    for payment in booked:
        if (payment["ExchangeRate"], payment["HomeTotalAmt"]) != (rate, half_up(payment["TotalAmt"] * rate)):
            yield f"payment of {payment['TotalAmt']} is {payment['HomeTotalAmt']} at home, at {payment['ExchangeRate']}"
        if payment["UnappliedAmt"]:
            yield f"{payment['UnappliedAmt']} of a payment is unapplied"
    if (document["Balance"], document["HomeBalance"]) != (0, 0):
        yield f"{document['Balance']} stays open, {document['HomeBalance']} at home"
    rounding = sum((payment["HomeTotalAmt"] for payment in booked), ZERO) - (sale.home or ZERO)
    if abs(rounding) > CENT * max(len(booked) - 1, 0):
        yield f"paid {rounding} more at home than charged"
