from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import sqlalchemy as sa

from erp_pipelines.commerce import orders
from erp_pipelines.domain.errors import Conflict, NotFound, PipelineError
from erp_pipelines.domain.events import decode
from erp_pipelines.domain.orders import OrderStatus
from erp_pipelines.domain.payments import PaymentStatus
from tests.integration.commerce.shop import TODAY, Shop, order

LINE = {"product": "P1", "quantity": "1", "unitPrice": "10.00"}


def test_a_new_order_is_completed_stored_and_told(shop: Shop) -> None:
    given = order(
        shipping={"amount": "5", "method": "van", "tax": "0.5"},
        orderDiscount="1",
        exchangeRate="1.250",
        dueDate="2026-04-01",
        poNumber="PO-7",
        memo="ring twice",
        shipTo={"name": "Corner", "line1": "2 Side St", "postalCode": "05021"},
        lines=[
            {**LINE, "quantity": "3.50", "discountRate": "0.150", "description": "loose"},
            {**LINE, "discount": "1"},
        ],
    )
    saved = shop.save(given)
    assert (saved.changed, saved.created) == (True, True)
    stored = shop.order()
    assert stored.total == Decimal("43.25")  # 29.75 + 9.00 + 5.00 - 1.00 + 0.50
    [event] = shop.outbox()
    assert event["event_type"] == "OrderCreated"
    assert event["payload"] == stored.payload() == decode("Order", event["payload"]).payload()
    assert event["payload"]["lines"][0]["quantity"] == "3.5"
    assert not shop.save(given).changed
    assert not shop.save(stored).changed
    assert len(shop.outbox()) == 1


def test_lines_are_replaced_as_a_whole(shop: Shop) -> None:
    shop.save(order())
    saved = shop.save(order(lines=[{**LINE, "product": "P2"}]))
    assert (saved.changed, saved.created) == (True, False)
    assert [line.product for line in shop.order().lines] == ["P2"]
    assert shop.events() == [("OrderCreated", "O1"), ("OrderUpdated", "O1")]


REFUSED = [
    (
        {"total": "23.00"},
        (
            "total is 23.00, but lines + shipping - orderDiscount + taxTotal comes to 22.50: a difference of 0.50. "
            "Correct the part that is wrong, or leave the amount out to have it computed."
        ),
    ),
    ({"customerId": "C7"}, "Order 'O1': there is no customer 'C7'. Save the customer first."),
    (
        {"lines": [LINE, {**LINE, "product": "P7"}]},
        "Order 'O1', line 2: there is no product 'P7'. Save the product first.",
    ),
    (
        {"paymentStatus": "partiallyPaid"},
        (
            "Order 'O1' is new and says partiallyPaid, but no payment of it is known. "
            "Save it as unpaid and record its payments, or save it as paid."
        ),
    ),
    ({"orderDiscount": "0.001"}, "orderDiscount is 0.001, but USD has no unit below 0.01."),
    ({"lines": [{**LINE, "tax": "0.005"}]}, "lines[1].tax is 0.005, but USD has no unit below 0.01."),
    (
        {"lines": [{**LINE, "discountRate": "0.123456789"}]},
        "lines[1].discountRate is 0.123456789: more than 8 decimals cannot be kept.",
    ),
    (
        {"lines": [{**LINE, "quantity": "999999999999999", "unitPrice": "999999999999999.99999"}]},
        (
            "Order 'O1': an amount has more digits than can be reckoned with. "
            "Amounts have up to 15 digits before the point."
        ),
    ),
    (
        {"lines": [{**LINE, "quantity": "1000000000", "unitPrice": "1000000000"}]},
        "lines[1].amount is 1000000000000000000.00: more than 15 digits before the point cannot be kept.",
    ),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_an_order_that_cannot_be_right_is_refused_with_the_reason(shop: Shop, changes: dict, message: str) -> None:
    with pytest.raises(PipelineError) as error:
        shop.save(order(**changes))
    assert str(error.value) == message
    assert shop.events() == []


def test_a_number_names_one_order(shop: Shop) -> None:
    shop.save(order())
    shop.save(order(id="O2", number="1002"))
    message = "the number '1001' is taken by order 'O1'. Give it another number."
    with pytest.raises(Conflict, match=f"Order 'O3': {message}"):
        shop.save(order(id="O3"))
    with pytest.raises(Conflict, match=f"Order 'O2': {message}"):
        shop.save(order(id="O2"))
    assert shop.order("O2").number == "1002"


def test_two_orders_that_ask_for_one_number_at_once(shop: Shop) -> None:
    def save(number: int) -> bool:
        try:
            return shop.save(order(id=f"O{number}")).created
        except Conflict:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(save, range(4))) == [False, False, False, True]


def test_cancelling_is_told_once_and_for_good(shop: Shop) -> None:
    shop.save(order())
    with shop.db.tenant("acme") as conn:
        assert orders.cancel(conn, "acme", "O1").changed
        assert not orders.cancel(conn, "acme", "O1").changed
        with pytest.raises(NotFound, match="There is no order 'O7'"):
            orders.cancel(conn, "acme", "O7")
    assert shop.order().status is OrderStatus.CANCELLED
    with pytest.raises(Conflict, match="Order 'O1' is cancelled"):
        shop.save(order())
    with pytest.raises(Conflict, match="Order 'O1' is cancelled: it cannot be paid"):
        shop.pay("O1")
    assert shop.events() == [("OrderCreated", "O1"), ("OrderCancelled", "O1")]


def test_a_save_may_cancel(shop: Shop) -> None:
    shop.save(order())
    shop.save(order(status="cancelled"))
    assert shop.events()[1:] == [("OrderCancelled", "O1")]


def test_paying_tells_the_order_and_then_the_payment(shop: Shop) -> None:
    shop.save(order())
    shop.forget_events()
    paid = shop.pay("O1", method="card", reference="ch_1")
    assert (paid.status, paid.payment_id, paid.changed) == (PaymentStatus.PAID, "O1-1", True)
    told = shop.outbox()
    assert [(e["event_type"], e["entity_type"], e["entity_id"]) for e in told] == [
        ("OrderPaid", "Order", "O1"),
        ("PaymentRecorded", "Payment", "O1-1"),
    ]
    assert told[0]["payload"]["paymentStatus"] == "paid"
    assert told[1]["payload"] == {
        "id": "O1-1", "orderId": "O1", "amount": "22.50", "currency": "USD", "date": "2026-03-02",
        "method": "card", "reference": "ch_1",
    }  # fmt: skip


def test_paying_a_paid_order_changes_and_tells_nothing(shop: Shop) -> None:
    shop.save(order())
    shop.pay("O1", payment_id="ch_1")
    shop.forget_events()
    assert shop.pay("O1").changed is False
    assert shop.pay("O1", payment_id="ch_1") == orders.Paid(PaymentStatus.PAID, "ch_1", changed=False)
    assert shop.pay("O1", payment_id="ch_2", amount=Decimal(5)).changed is False
    assert shop.events() == []


def test_two_that_pay_at_once_pay_once(shop: Shop) -> None:
    shop.save(order())
    with ThreadPoolExecutor(6) as pool:
        changed = [paid.changed for paid in pool.map(lambda _: shop.pay("O1"), range(6))]
    assert sorted(changed) == [False] * 5 + [True]
    assert shop.events()[1:] == [("OrderPaid", "O1"), ("PaymentRecorded", "O1-1")]


def test_parts_are_told_one_by_one_and_again_when_the_order_is_paid(shop: Shop) -> None:
    shop.save(order())
    shop.forget_events()
    assert shop.pay("O1", amount=Decimal("10.00")).status is PaymentStatus.PARTIALLY_PAID
    assert shop.pay("O1", amount=Decimal("0.50"), payment_id="extra").status is PaymentStatus.PARTIALLY_PAID
    assert shop.pay("O1").status is PaymentStatus.PAID
    assert shop.events() == [
        ("OrderUpdated", "O1"), ("PaymentRecorded", "O1-1"),
        ("OrderUpdated", "O1"), ("PaymentRecorded", "extra"),
        ("OrderPaid", "O1"), ("PaymentRecorded", "O1-1"), ("PaymentRecorded", "extra"), ("PaymentRecorded", "O1-3"),
    ]  # fmt: skip
    with shop.db.tenant("acme") as conn:
        assert [p.amount for p in orders.payments_of(conn, "acme", "O1")] == [Decimal(10), Decimal("0.5"), Decimal(12)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"amount": Decimal("12.51")},
            (
                "12.51 USD is more than the open balance of order 'O1': 12.50 (total 22.50, received 10.00). "
                "Record at most the open balance."
            ),
        ),
        ({"amount": Decimal(0)}, "A payment of 0 USD is none. Give an amount above 0."),
        ({"amount": Decimal("1.001")}, "amount is 1.001, but USD has no unit below 0.01."),
        (
            {"amount": Decimal(5), "payment_id": "O1-1"},
            "Payment 'O1-1' is known already: 10.00 USD for order 'O1'. Give a new payment an id of its own.",
        ),
        ({"payment_id": "x" * 101}, "Payment: id: String should have at most 100 characters."),
    ],
)
def test_a_payment_that_cannot_be_right_is_refused(shop: Shop, options: dict, message: str) -> None:
    shop.save(order())
    shop.pay("O1", amount=Decimal(10))
    shop.forget_events()
    with pytest.raises(PipelineError) as error:
        shop.pay("O1", **options)
    assert str(error.value) == message
    assert shop.events() == []


def test_paying_an_unknown_order(shop: Shop) -> None:
    with pytest.raises(NotFound, match="There is no order 'O7'"):
        shop.pay("O7")


def test_an_order_of_nothing_is_paid_without_money(shop: Shop) -> None:
    shop.save(order(orderDiscount="22.50"))
    shop.forget_events()
    assert shop.pay("O1") == orders.Paid(PaymentStatus.PAID, None, changed=True)
    assert shop.events() == [("OrderPaid", "O1")]


def test_payment_ids_are_free_and_short_enough(shop: Shop) -> None:
    long_id = "O" * 100
    shop.save(order())
    shop.save(order(id=long_id, number="2"))
    shop.pay("O1", payment_id="O" * 90 + "-1")
    assert shop.pay(long_id).payment_id == "O" * 90 + "-2"


def test_a_new_order_that_says_paid_gets_its_payment(shop: Shop) -> None:
    assert shop.save(order(paymentStatus="paid")).created
    assert shop.order().payment_status is PaymentStatus.PAID
    assert shop.events() == [("OrderCreated", "O1"), ("OrderPaid", "O1"), ("PaymentRecorded", "O1-1")]
    with shop.db.tenant("acme") as conn:
        [payment] = orders.payments_of(conn, "acme", "O1")
    assert (payment.amount, payment.date) == (Decimal("22.50"), dt.date(2026, 3, 1))
    assert not shop.save(order(paymentStatus="paid")).changed
    assert not shop.save(order()).changed


def test_a_later_save_never_touches_the_payment_status(shop: Shop) -> None:
    shop.save(order())
    assert not shop.save(order(paymentStatus="paid")).changed
    shop.pay("O1")
    shop.save(order(memo="new"))
    assert shop.order().payment_status is PaymentStatus.PAID


def test_a_changed_total_weighs_the_payments_anew(shop: Shop) -> None:
    shop.save(order())
    shop.pay("O1", amount=Decimal(20))
    shop.forget_events()
    shop.save(order(orderDiscount="2.50"))
    assert shop.order().payment_status is PaymentStatus.PAID
    assert shop.events() == [("OrderPaid", "O1"), ("PaymentRecorded", "O1-1")]
    shop.save(order())
    assert shop.order().payment_status is PaymentStatus.PARTIALLY_PAID
    with pytest.raises(Conflict, match=r"has received 20.00 USD: its total cannot become 19.50 USD"):
        shop.save(order(orderDiscount="3"))


def test_what_is_rolled_back_was_never_told(shop: Shop) -> None:
    shop.save(order())
    shop.forget_events()
    with shop.db.tenant("acme") as conn:
        orders.pay(conn, "acme", "O1", date=TODAY)
        conn.get_transaction().rollback()
    assert shop.order().payment_status is PaymentStatus.UNPAID
    assert shop.events() == []


def test_events_of_an_order_and_its_payments_share_one_queue(shop: Shop) -> None:
    with shop.db.tenant("acme") as conn:
        conn.execute(
            sa.text(
                "insert into erp.integration_connections (tenant_id, provider, state, external_company_id) "
                "values ('acme', 'quickbooks', 'Connected', '1')"
            )
        )
    shop.save(order(paymentStatus="paid"))
    with shop.db.tenant("acme") as conn:
        query = sa.text("select ordering_key, entity_type from erp.integration_deliveries order by seq")
        assert conn.execute(query).all() == [("Order:O1", "Order"), ("Order:O1", "Order"), ("Order:O1", "Payment")]
