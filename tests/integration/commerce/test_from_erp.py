"""What an ERP says of an order's document is taken over and never told back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pytest
import sqlalchemy as sa

from erp_pipelines.commerce import orders, payments
from erp_pipelines.commerce.orders import ErpPayment
from erp_pipelines.domain.payments import PaymentStatus
from tests.integration.commerce.shop import Shop, order

DAY = dt.date(2026, 3, 5)
TOTAL = Decimal("22.50")


@pytest.fixture
def books(shop: Shop) -> Iterator[Shop]:
    """A shop with order O1, unpaid; at the end nothing more has been told than the test itself did."""
    shop.save(order())
    shop.forget_events()
    return shop


def said(
    shop: Shop,
    balance: str,
    *named: tuple[str, str],
    ours: tuple[str, ...] = (),
    order_id: str = "O1",
    total: Decimal = TOTAL,
) -> bool:
    with shop.db.tenant("acme") as conn:
        return orders.apply_from_erp(
            conn,
            "acme",
            order_id,
            provider="quickbooks",
            total=total,
            balance=Decimal(balance),
            payments=[ErpPayment(name, Decimal(amount), DAY, "Check", "77") for name, amount in named],
            ours=ours,
        )


def amounts(shop: Shop, order_id: str = "O1") -> dict[str, str]:
    with shop.db.tenant("acme") as conn:
        return {p.id: str(p.amount) for p in orders.payments_of(conn, "acme", order_id)}


def push(shop: Shop, payment_id: str, erp_id: str) -> None:
    """As if delivery had sent the payment to QuickBooks."""
    with shop.db.tenant("acme") as conn:
        conn.execute(
            sa.text(
                "insert into erp.integration_entity_mappings (tenant_id, provider, entity_type, prometheus_id, external_id,"
                " external_type) values ('acme', 'quickbooks', 'Payment', :ours, :theirs, 'Payment')"
            ),
            {"ours": payment_id, "theirs": erp_id},
        )


def test_payments_come_change_and_go(books: Shop) -> None:
    assert said(books, "12.50", ("41", "10"))
    assert books.order().payment_status is PaymentStatus.PARTIALLY_PAID
    assert amounts(books) == {"quickbooks-41": "10.00"}
    assert not said(books, "12.50", ("41", "10.00"))
    assert said(books, "0", ("41", "10"), ("42", "12.50"))
    assert books.order().payment_status is PaymentStatus.PAID
    assert said(books, "2.50", ("42", "20"))
    assert amounts(books) == {"quickbooks-42": "20.00"}
    assert said(books, "22.50")
    assert books.order().payment_status is PaymentStatus.UNPAID
    assert amounts(books) == {}
    assert books.events() == []


def test_a_balance_settled_without_a_payment_counts(books: Shop) -> None:
    """A credit memo, say."""
    assert said(books, "0")
    assert books.order().payment_status is PaymentStatus.PAID
    assert books.pay("O1").changed is False


def test_our_own_payments_are_not_taken_twice(books: Shop) -> None:
    books.pay("O1")
    push(books, "O1-1", "50")
    books.forget_events()
    assert not said(books, "0", ("50", "22.50"), ours=("50",))
    assert amounts(books) == {"O1-1": "22.50"}


def test_money_that_the_erp_does_not_know_of_still_counts(books: Shop) -> None:
    """The invoice's own webhook comes before the payment is sent, or payments are not sent at all."""
    books.pay("O1")
    assert not said(books, "22.50")
    assert books.order().payment_status is PaymentStatus.PAID


def test_a_payment_of_ours_voided_there_reopens_the_order(books: Shop) -> None:
    books.pay("O1")
    push(books, "O1-1", "50")
    assert said(books, "22.50")
    assert books.order().payment_status is PaymentStatus.UNPAID
    again = books.pay("O1")
    assert (again.status, again.payment_id) == (PaymentStatus.PAID, "O1-2")


def test_one_erp_payment_of_several_orders(books: Shop) -> None:
    books.save(order(id="O2", number="1002"))
    said(books, "0", ("60", "22.50"))
    said(books, "0", ("60", "22.50"), order_id="O2")
    assert amounts(books) == {"quickbooks-60": "22.50"}
    assert amounts(books, "O2") == {"quickbooks-60-O2": "22.50"}
    assert not said(books, "0", ("60", "22.50"), order_id="O2")
    with books.db.tenant("acme") as conn:
        assert payments.orders_of(conn, "acme", "quickbooks", "60") == ["O1", "O2"]
        assert payments.orders_of(conn, "acme", "quickbooks", "6") == []
        assert payments.orders_of(conn, "acme", "netsuite", "60") == []


def test_the_order_of_a_payment_that_we_sent(books: Shop) -> None:
    books.pay("O1")
    with books.db.tenant("acme") as conn:
        assert payments.orders_of(conn, "acme", "quickbooks", "50", "O1-1") == ["O1"]


def test_a_voided_document_says_nothing_of_money(books: Shop) -> None:
    assert not said(books, "0", total=Decimal(0))
    assert books.order().payment_status is PaymentStatus.UNPAID


def test_an_order_that_is_not_in_the_tables_is_no_change(books: Shop) -> None:
    assert not said(books, "0", ("1", "1"), order_id="O7")


def test_the_next_payment_is_of_what_is_open_after_the_erps(books: Shop) -> None:
    said(books, "12.50", ("41", "10"))
    paid = books.pay("O1")
    assert amounts(books) == {"quickbooks-41": "10.00", paid.payment_id: "12.50"}
    assert books.events() == [("OrderPaid", "O1"), ("PaymentRecorded", "O1-2")]
