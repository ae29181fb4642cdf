"""Refunds: of all that was received, of lines, of an amount; never of more than is left."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from erp_pipelines.commerce import orders, refunds
from erp_pipelines.commerce.refunds import Refunded, Wanted
from erp_pipelines.commerce.returns import Returned
from erp_pipelines.domain.errors import Conflict, NotFound, RecordInvalid
from erp_pipelines.domain.payments import PaymentStatus
from erp_pipelines.domain.refunds import Refund
from tests.integration.commerce.shop import TODAY, Shop, order

TAXED = {
    "lines": [
        {"product": "P1", "quantity": "3", "unitPrice": "10.00", "discount": "1.00", "tax": "5.80"},
        {"product": "P2", "quantity": "1", "unitPrice": "2.50", "tax": "0.50"},
    ],
    "orderDiscount": "3.15",
    "shipping": {"amount": "5.00", "tax": "1.00"},
}


def give_back(shop: Shop, refund_id: str | None = None, order_id: str = "O1", **wanted: Any) -> Refunded:
    with shop.db.tenant(shop.tenant) as conn:
        return refunds.refund(conn, shop.tenant, order_id, Wanted(TODAY, **wanted), refund_id=refund_id)


def stored(shop: Shop) -> list[Refund]:
    with shop.db.tenant(shop.tenant) as conn:
        return refunds.refunds_of(conn, shop.tenant, "O1")


@pytest.fixture
def paid(shop: Shop) -> Shop:
    shop.save(order())
    shop.pay("O1")
    shop.forget_events()
    return shop


@pytest.fixture
def taxed(shop: Shop) -> Shop:
    """28.35 of goods after all discounts, 5.00 of shipping, 7.30 of tax."""
    shop.save(order(**TAXED))
    shop.pay("O1")
    shop.forget_events()
    return shop


def test_all_that_was_received_is_given_back_line_by_line(paid):
    done = give_back(paid, reason="Too late")
    assert done == Refunded(PaymentStatus.REFUNDED, "O1-R1", Decimal("22.50"), changed=True)
    (refund,) = stored(paid)
    assert [(line.line, line.product, line.quantity, line.amount) for line in refund.lines] == [
        (1, "P1", 2, Decimal("20.00")),
        (2, "P2", 1, Decimal("2.50")),
    ]
    assert (refund.adjustment, refund.reason, refund.order_number) == (0, "Too late", "1001")
    assert paid.order().payment_status is PaymentStatus.REFUNDED
    assert paid.events() == [("OrderUpdated", "O1"), ("RefundRecorded", "O1-R1")]


def test_events_payload_is_the_record_as_it_is_stored(paid):
    give_back(paid, amount=Decimal(5))
    assert paid.outbox()[-1]["payload"] == stored(paid)[0].payload()


def test_whole_refund_holds_discounts_taxes_and_shipping(taxed):
    assert give_back(taxed).amount == taxed.order().total == Decimal("40.65")
    (refund,) = stored(taxed)
    assert (refund.tax_total, refund.shipping.amount, refund.shipping.tax) == (
        Decimal("7.30"),
        Decimal("5.00"),
        Decimal("1.00"),
    )
    assert [(line.amount, line.discount, line.tax) for line in refund.lines] == [
        (Decimal("26.10"), Decimal("3.90"), Decimal("5.80")),
        (Decimal("2.25"), Decimal("0.25"), Decimal("0.50")),
    ]


def test_pieces_of_a_line_come_to_the_line(taxed):
    parts = [give_back(taxed, lines=[Returned(1, Decimal(1))]).amount for _ in range(3)]
    assert sum(parts) == Decimal("26.10") + Decimal("5.80")
    assert [(one.lines[0].amount, one.lines[0].tax) for one in stored(taxed)] == [
        (Decimal("8.70"), Decimal("1.93")),
        (Decimal("8.70"), Decimal("1.94")),
        (Decimal("8.70"), Decimal("1.93")),
    ]
    rest = give_back(taxed)
    assert (rest.status, rest.amount) == (PaymentStatus.REFUNDED, Decimal("8.75"))
    assert [line.product for line in stored(taxed)[-1].lines] == ["P2"]


def test_prices_with_tax_give_back_what_was_paid(shop):
    lines = [{"product": "P1", "quantity": "3", "unitPrice": "12.00", "tax": "6.00", "taxRate": "0.2"}]
    shop.save(order(lines=lines, pricesIncludeTax=True))
    shop.pay("O1")
    done = give_back(shop, lines=[Returned(1, Decimal(2))])
    (refund,) = stored(shop)
    assert (done.amount, refund.lines[0].tax, refund.lines[0].tax_rate) == (
        Decimal("24.00"),
        Decimal("4.00"),
        Decimal("0.2"),
    )


def test_amount_alone_is_for_no_line(paid):
    done = give_back(paid, amount=Decimal("5.00"))
    (refund,) = stored(paid)
    assert (done.status, refund.lines, refund.adjustment) == (PaymentStatus.PAID, (), Decimal("5.00"))
    assert paid.events() == [("RefundRecorded", "O1-R1")]


def test_amount_besides_lines_makes_an_adjustment(paid):
    give_back(paid, lines=[Returned(1, Decimal(1))], amount=Decimal("8.00"))
    assert stored(paid)[0].adjustment == Decimal("-2.00")


def test_rest_after_an_amount_is_an_amount(paid):
    give_back(paid, amount=Decimal("5.00"))
    rest = give_back(paid)
    assert (rest.amount, rest.status) == (Decimal("17.50"), PaymentStatus.REFUNDED)
    assert stored(paid)[1].lines == ()


def test_partly_paid_order_gives_back_what_it_received(shop):
    shop.save(order())
    shop.pay("O1", amount=Decimal("10.00"))
    done = give_back(shop)
    assert (done.amount, done.status) == (Decimal("10.00"), PaymentStatus.REFUNDED)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"amount": Decimal("22.51")}, "more than is left"),
        ({"amount": Decimal(0)}, "is none"),
        ({"lines": [Returned(3)]}, "line 3 is none of them"),
        ({"lines": [Returned(1), Returned(1)]}, "named twice"),
        ({"lines": [Returned(1, Decimal(3))]}, "2 can come back, not 3"),
        ({"lines": [Returned(1, Decimal(-1))]}, "not -1"),
        ({"lines": [Returned(1)], "amount": Decimal(-1)}, "is none"),
    ],
)
def test_what_cannot_be_is_refused(paid, wanted, said):
    with pytest.raises(RecordInvalid, match=said):
        give_back(paid, **wanted)
    assert stored(paid) == []
    assert paid.events() == []


def test_two_refunds_never_exceed_what_was_received(paid):
    give_back(paid, amount=Decimal("20.00"))
    with pytest.raises(RecordInvalid, match=r"2\.50"):
        give_back(paid, amount=Decimal("2.51"))
    give_back(paid)
    with pytest.raises(Conflict, match="all of it was given back"):
        give_back(paid)
    assert sum(one.amount_due for one in stored(paid)) == Decimal("22.50")


def test_order_that_received_nothing_gives_nothing_back(shop):
    shop.save(order())
    with pytest.raises(Conflict, match="received nothing"):
        give_back(shop)
    with pytest.raises(NotFound):
        give_back(shop, order_id="nobody")


def test_same_refund_again_is_no_second_one(paid):
    first = give_back(paid, refund_id="r-1", amount=Decimal("5.00"))
    again = give_back(paid, refund_id="r-1", amount=Decimal("5.00"))
    assert (first.changed, again.changed, again.refund_id) == (True, False, "r-1")
    with pytest.raises(Conflict, match="known already"):
        give_back(paid, refund_id="r-1", amount=Decimal("6.00"))
    assert len(stored(paid)) == 1
    assert paid.events() == [("RefundRecorded", "r-1")]


def test_cancelled_order_can_be_refunded(paid):
    with paid.db.tenant(paid.tenant) as conn:
        orders.cancel(conn, paid.tenant, "O1")
    assert give_back(paid).status is PaymentStatus.REFUNDED
