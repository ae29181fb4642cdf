"""One way to write an amount. A record gives the same payload before it is stored and after it was read back."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.money import check_minor_unit, minor_unit
from erp_pipelines.domain.orders import Order, OrderLine, Shipping
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.refunds import Refund

C = TypeVar("C", Customer, Product, Order, Payment, Refund)
L = TypeVar("L", bound=OrderLine)

# What the columns hold: fifteen digits before the point, and the rates' decimals.
LARGEST = Decimal(10) ** 15
RATE_PLACES = 8
EXCHANGE_PLACES = 12


def trimmed(value: Decimal, places: int = 0) -> Decimal:
    """The same number without zeros at its end, but with at least `places` decimals and without an exponent."""
    exponent = value.normalize().as_tuple().exponent
    digits = max(places, -exponent) if isinstance(exponent, int) else places
    return value.quantize(Decimal(1).scaleb(-digits)) + 0  # + 0 turns minus nothing into nothing


def settled(record: C) -> C:
    """The record as the tables hold it. Raises RecordInvalid for an amount that they cannot hold unchanged."""
    match record:
        case Order():
            return _order(record)
        case Refund():
            return _refund(record)
        case Payment():
            return _payment(record)
        case Product():
            return record.model_copy(update={"unit_price": _price(record.unit_price)})
    return record


def _payment(payment: Payment) -> Payment:
    parts = payment.allocations
    settled_parts = parts and tuple(
        part.model_copy(update={"amount": _money(part.amount, payment.currency, f"allocations[{n}].amount")})
        for n, part in enumerate(parts, 1)
    )
    amount = _money(payment.amount, payment.currency, "amount")
    rate = _rate(payment.exchange_rate, EXCHANGE_PLACES, "exchangeRate")
    return payment.model_copy(update={"amount": amount, "exchange_rate": rate, "allocations": settled_parts})


def _price(price: Decimal | None) -> Decimal | None:
    return None if price is None else trimmed(_fitting(price, "unitPrice"), 2)


def _order(order: Order) -> Order:
    currency = order.currency
    return order.model_copy(
        update={
            "lines": tuple(_line(line, currency, f"lines[{n}]") for n, line in enumerate(order.lines, 1)),
            "shipping": _shipping(order.shipping, currency),
            "exchange_rate": _rate(order.exchange_rate, EXCHANGE_PLACES, "exchangeRate"),
            "order_discount": _money(order.order_discount, currency, "orderDiscount"),
            "tax_total": _optional(order.tax_total, currency, "taxTotal"),
            "total": _optional(order.total, currency, "total"),
        }
    )


def _refund(refund: Refund) -> Refund:
    currency = refund.currency
    return refund.model_copy(
        update={
            "lines": tuple(_line(line, currency, f"lines[{n}]") for n, line in enumerate(refund.lines, 1)),
            "shipping": _shipping(refund.shipping, currency),
            "exchange_rate": _rate(refund.exchange_rate, EXCHANGE_PLACES, "exchangeRate"),
            "adjustment": _money(refund.adjustment, currency, "adjustment"),
            "tax_total": _optional(refund.tax_total, currency, "taxTotal"),
            "amount": _optional(refund.amount, currency, "amount"),
        }
    )


def _line(line: L, currency: str, where: str) -> L:
    places = decimals(currency)
    return line.model_copy(
        update={
            "quantity": trimmed(_fitting(line.quantity, f"{where}.quantity")),
            "unit_price": trimmed(_fitting(line.unit_price, f"{where}.unitPrice"), places),
            "discount": _optional(line.discount, currency, f"{where}.discount"),
            "discount_rate": _rate(line.discount_rate, RATE_PLACES, f"{where}.discountRate"),
            "tax": _optional(line.tax, currency, f"{where}.tax"),
            "tax_rate": _rate(line.tax_rate, RATE_PLACES, f"{where}.taxRate"),
            "amount": _optional(line.amount, currency, f"{where}.amount"),
        }
    )


def _shipping(shipping: Shipping, currency: str) -> Shipping:
    return shipping.model_copy(
        update={
            "amount": _money(shipping.amount, currency, "shipping.amount"),
            "tax": _optional(shipping.tax, currency, "shipping.tax"),
            "tax_rate": _rate(shipping.tax_rate, RATE_PLACES, "shipping.taxRate"),
        }
    )


def decimals(currency: str) -> int:
    """How many decimals an amount of the currency has."""
    exponent = minor_unit(currency).as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _money(amount: Decimal, currency: str, field: str) -> Decimal:
    return check_minor_unit(_fitting(amount, field), currency, field) + 0


def _optional(amount: Decimal | None, currency: str, field: str) -> Decimal | None:
    return None if amount is None else _money(amount, currency, field)


def _rate(rate: Decimal | None, places: int, field: str) -> Decimal | None:
    if rate is None:
        return None
    if rate != round(rate, places) or abs(rate) >= Decimal(10) ** 12:
        raise RecordInvalid(f"{field} is {rate}: more than {places} decimals cannot be kept.", field=field)
    return trimmed(rate)


def _fitting(amount: Decimal, field: str) -> Decimal:
    if abs(amount) >= LARGEST:
        raise RecordInvalid(f"{field} is {amount}: more than 15 digits before the point cannot be kept.", field=field)
    return amount
