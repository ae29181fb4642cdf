"""One payment over several orders: each order's status, one event of money, and what is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from erp_pipelines.commerce import customers, orders, payments, receipts
from erp_pipelines.commerce.receipts import Share
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import Conflict, NotFound, RecordInvalid
from tests.integration.commerce.shop import TODAY, order


@pytest.fixture
def shop(shop):
    """Three orders of one customer, 22.50 each."""
    for number in (1, 2, 3):
        shop.save(order(id=f"O{number}", number=f"100{number}"))
    shop.forget_events()
    return shop


def receive(shop, *shares, **options):
    with shop.db.tenant(shop.tenant) as conn:
        parts = [Share(one) if isinstance(one, str) else Share(one[0], Decimal(one[1])) for one in shares]
        return receipts.receive(conn, shop.tenant, parts, **{"date": TODAY, **options})


def statuses(shop):
    return {one: str(shop.order(one).payment_status) for one in ("O1", "O2", "O3")}


def stored(shop, order_id):
    with shop.db.tenant(shop.tenant) as conn:
        return [(p.id, p.part_for(order_id)) for p in payments.payments_of(conn, shop.tenant, order_id)]


def test_every_order_follows_and_the_money_is_told_of_once_after_them(shop):
    receipt = receive(shop, "O1", ("O2", "10.00"), method="transfer", reference="statement 9", payment_id="m1")
    assert statuses(shop) == {"O1": "paid", "O2": "partiallyPaid", "O3": "unpaid"}
    assert shop.events() == [("OrderPaid", "O1"), ("OrderUpdated", "O2"), ("PaymentRecorded", "m1")]
    assert (receipt.payment.amount, receipt.payment.unallocated, receipt.changed) == (Decimal("32.50"), 0, True)
    assert shop.outbox()[-1]["payload"] == {
        "id": "m1", "orderId": "O1", "amount": "32.50", "currency": "USD", "date": "2026-03-02", "method": "transfer",
        "reference": "statement 9",
        "allocations": [{"orderId": "O1", "amount": "22.50"}, {"orderId": "O2", "amount": "10.00"}],
    }  # fmt: skip
    assert (stored(shop, "O1"), stored(shop, "O2"), stored(shop, "O3")) == (
        [("m1", Decimal("22.50"))], [("m1", Decimal("10.00"))], [],
    )  # fmt: skip


def test_the_same_payment_again_changes_nothing(shop):
    first = receive(shop, "O1", "O2", payment_id="m1")
    shop.forget_events()
    again = receive(shop, "O1", "O2", payment_id="m1")
    assert (again.payment, again.statuses, again.changed) == (first.payment, first.statuses, False)
    assert shop.events() == []
    with pytest.raises(Conflict, match=r"is known already: 45\.00 USD for orders O1, O2"):
        receive(shop, "O1", "O3", payment_id="m1")
    with pytest.raises(Conflict, match="is known already"):
        shop.pay("O1", payment_id="m1")


def test_one_id_for_two_payments_at_once_is_refused(shop, monkeypatch):
    receive(shop, "O1", "O2", payment_id="m1")
    monkeypatch.setattr(receipts.store, "find", lambda *_: None)  # as another transaction sees it before the commit
    with pytest.raises(Conflict, match="Payment 'm1' is known already"):
        receive(shop, "O3", payment_id="m1")
    assert statuses(shop)["O3"] == "unpaid"


def test_what_was_received_before_counts_and_is_told_again_when_the_order_is_paid(shop):
    shop.pay("O2", amount=Decimal(2), payment_id="m0")
    shop.forget_events()
    receive(shop, "O1", "O2", payment_id="m1")
    assert stored(shop, "O2") == [("m0", Decimal("2.00")), ("m1", Decimal("20.50"))]
    assert shop.events() == [
        ("OrderPaid", "O1"), ("OrderPaid", "O2"), ("PaymentRecorded", "m0"), ("PaymentRecorded", "m1"),
    ]  # fmt: skip


def test_the_rest_of_an_order_is_paid_by_a_payment_of_its_own(shop):
    receive(shop, "O1", ("O2", "10.00"), payment_id="m1")
    shop.forget_events()
    assert shop.pay("O2", payment_id="m2").status == "paid"
    assert stored(shop, "O2") == [("m1", Decimal("10.00")), ("m2", Decimal("12.50"))]
    assert shop.events() == [("OrderPaid", "O2"), ("PaymentRecorded", "m1"), ("PaymentRecorded", "m2")]


def test_what_is_beyond_the_orders_is_the_customers_credit(shop):
    receipt = receive(shop, "O1", amount=Decimal(30), payment_id="m1")
    assert receipt.payment.unallocated == Decimal("7.50")
    assert statuses(shop)["O1"] == "paid"
    assert stored(shop, "O1") == [("m1", Decimal("22.50"))]


def test_the_rate_of_a_payment_is_that_of_its_orders_where_they_agree(shop):
    for number, rate in ((4, "1.08"), (5, "1.08"), (6, "1.1")):
        shop.save(order(id=f"O{number}", number=f"100{number}", currency="EUR", exchangeRate=rate))
    same = receive(shop, "O4", ("O5", "5.00"), payment_id="m1").payment
    mixed = receive(shop, "O5", "O6", payment_id="m2").payment
    assert (same.exchange_rate, mixed.exchange_rate) == (Decimal("1.08"), None)
    with shop.db.tenant(shop.tenant) as conn:
        assert payments.payments_of(conn, shop.tenant, "O4") == [same]


def test_a_payment_for_one_order_alone_is_an_ordinary_one(shop):
    receive(shop, ("O1", "5.00"), payment_id="m1")
    assert "allocations" not in shop.outbox()[-1]["payload"]
    assert shop.events() == [("OrderUpdated", "O1"), ("PaymentRecorded", "m1")]


@pytest.mark.parametrize(
    ("shares", "options", "error", "says"),
    [
        ([], {}, RecordInvalid, "one order or more"),
        (["O1", "O1"], {}, RecordInvalid, "each named once"),
        (["O1", "O9"], {}, NotFound, "no order 'O9'"),
        ([("O1", "22.51"), "O2"], {}, RecordInvalid, "more than the open balance of order 'O1'"),
        ([("O1", "0"), "O2"], {}, RecordInvalid, "is none"),
        (["O1", "O2"], {"amount": Decimal("44.99")}, RecordInvalid, "0.01 more than the amount"),
        (["O1", "O2"], {"amount": Decimal("45.001")}, RecordInvalid, "no unit below 0.01"),
        (["O1", "other"], {}, RecordInvalid, "several customers: C1, C2"),
        (["O1", "euros"], {}, RecordInvalid, "several currencies: EUR, USD"),
        (["O1", "gone"], {}, Conflict, "is cancelled"),
    ],
)
def test_what_is_no_payment_is_refused_whole(shop, shares, options, error, says):
    with shop.db.tenant(shop.tenant) as conn:
        customers.save(conn, shop.tenant, Customer(id="C2", name="Book Shop"))
    shop.save(order(id="other", number="2001", customerId="C2"))
    shop.save(order(id="euros", number="2002", currency="EUR"))
    shop.save(order(id="gone", number="2003", status="cancelled"))
    shop.forget_events()
    with pytest.raises(error, match=says):
        receive(shop, *shares, **options)
    assert statuses(shop) == {"O1": "unpaid", "O2": "unpaid", "O3": "unpaid"}
    assert shop.events() == []


def test_an_order_that_is_paid_already_has_nothing_open(shop):
    shop.pay("O1")
    with pytest.raises(RecordInvalid, match="Nothing is open of order 'O1'"):
        receive(shop, "O1", "O2")


def test_what_the_erp_says_of_one_order_leaves_the_others_part_alone(shop):
    receive(shop, "O1", ("O2", "10.00"), payment_id="m1")
    with shop.db.tenant(shop.tenant) as conn:
        assert payments.orders_of(conn, shop.tenant, "quickbooks", "77", "m1") == ["O1", "O2"]
        orders.apply_from_erp(
            conn,
            shop.tenant,
            "O2",
            provider="quickbooks",
            total=Decimal("22.50"),
            balance=Decimal("22.50"),
            payments=[],
        )
    assert statuses(shop) == {"O1": "paid", "O2": "partiallyPaid", "O3": "unpaid"}
