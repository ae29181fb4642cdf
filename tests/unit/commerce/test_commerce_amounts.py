"""The arithmetic of orders: parts add up, computing twice changes nothing, writing an amount loses nothing."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.events import decode
from erp_pipelines.domain.money import minor_unit
from erp_pipelines.domain.orders import Order, OrderLine, Shipping, amount_of, discount_of
from erp_pipelines.domain.products import Product
from erp_pipelines.storage.commerce_values import decimals, settled, trimmed

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "UYW"])


def money(currency: str, most: int = 10_000) -> st.SearchStrategy[Decimal]:
    return st.decimals(0, most, places=decimals(currency), allow_nan=False)


@st.composite
def order_lines(draw: st.DrawFn, currency: str) -> OrderLine:
    discount = draw(st.sampled_from(["none", "rate", "money"]))
    unit = minor_unit(currency)
    quantity = draw(st.decimals(0, 1000, places=3))
    price = draw(st.decimals(0, 1000, places=5))
    gross = (quantity * price).quantize(unit, ROUND_HALF_UP)
    return OrderLine(
        product="P1",
        quantity=quantity,
        unit_price=price,
        discount_rate=draw(st.decimals(0, 1, places=4)) if discount == "rate" else None,
        discount=draw(st.decimals(0, gross, places=decimals(currency))) if discount == "money" else None,
        tax=draw(st.none() | money(currency, 100)),
    )


@st.composite
def all_orders(draw: st.DrawFn) -> Order:
    currency = draw(CURRENCIES)
    return Order(
        id="O1",
        number="1",
        customer_id="C1",
        order_date=dt.date(2026, 3, 1),
        currency=currency,
        lines=tuple(draw(st.lists(order_lines(currency), min_size=1, max_size=5))),
        shipping=Shipping(amount=draw(money(currency)), tax=draw(st.none() | money(currency, 100))),
    )


@given(all_orders())
def test_the_parts_of_a_completed_order_add_up_to_its_total(order: Order) -> None:
    done = order.completed()
    unit = minor_unit(order.currency)
    taxes = sum((line.tax for line in order.lines if line.tax is not None), order.shipping.tax or Decimal(0))
    assert done.tax_total == taxes
    assert done.total == sum(amount_of(line) for line in done.lines) + order.shipping.amount + taxes
    for line in done.lines:
        assert amount_of(line) % unit == 0
        assert line.gross(order.currency) - discount_of(line, order.currency) == amount_of(line)
        if line.discount_rate is not None:
            exact = line.quantity * line.unit_price * (1 - line.discount_rate)
            assert abs(amount_of(line) - exact) <= unit / 2


@given(all_orders())
def test_computing_twice_changes_nothing(order: Order) -> None:
    done = settled(order.completed())
    assert settled(done.completed()).payload() == done.payload()
    assert decode("Order", done.payload()) == done


@given(all_orders(), st.integers(1, 10**6))
def test_a_total_that_is_off_by_whatever_is_refused_by_that_much(order: Order, units: int) -> None:
    done = order.completed()
    off = units * minor_unit(order.currency)
    with pytest.raises(RecordInvalid, match=f"a difference of {off}") as error:
        done.model_copy(update={"total": done.amount_due + off}).completed()
    assert error.value.field == "total"


@given(st.decimals(-(10**14), 10**14, places=5, allow_nan=False), st.integers(0, 4))
def test_trimming_changes_no_number_and_is_written_one_way(value: Decimal, places: int) -> None:
    short = trimmed(value, places)
    assert short == value
    assert str(trimmed(Decimal(f"{value:f}000"), places)) == str(short)
    assert "E" not in str(short)
    assert str(short) != f"-{abs(short)}" or short < 0


@pytest.mark.parametrize(
    ("given_price", "kept"), [("1E+3", "1000.00"), ("7.5", "7.50"), ("0.12340", "0.1234"), ("0", "0.00")]
)
def test_a_price_is_written_with_at_least_two_decimals(given_price: str, kept: str) -> None:
    assert settled(Product(id="P", name="x", unit_price=given_price)).payload()["unitPrice"] == kept
