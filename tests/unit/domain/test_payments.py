"""A payment over several orders: what fits together, and what one for a single order looks like."""

from __future__ import annotations

from decimal import Decimal

import pytest

from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.events import ordering_key
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.records import parse

PLAIN = {"id": "m1", "orderId": "o1", "amount": "40.00", "currency": "USD", "date": "2026-03-02"}


def allocated(*parts, **changes):
    allocations = [{"orderId": order_id, "amount": amount} for order_id, amount in parts]
    return parse(Payment, {**PLAIN, **changes, "allocations": allocations})


def test_an_ordinary_payment_is_all_for_its_order_and_reads_as_ever():
    payment = parse(Payment, PLAIN)
    assert payment.payload() == PLAIN
    assert [(part.order_id, part.amount) for part in payment.parts] == [("o1", Decimal("40.00"))]
    assert (payment.part_for("o1"), payment.part_for("o2"), payment.unallocated) == (Decimal("40.00"), 0, 0)


def test_parts_and_what_is_for_no_order():
    payment = allocated(("o1", "25.00"), ("o2", "10.00"))
    assert (payment.part_for("o1"), payment.part_for("o2")) == (Decimal("25.00"), Decimal("10.00"))
    assert payment.unallocated == Decimal("5.00")
    assert parse(Payment, payment.payload()) == payment


def test_it_queues_behind_its_first_order():
    assert ordering_key("Payment", "m1", allocated(("o1", "25.00"), ("o2", "10.00")).payload()) == "Order:o1"


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([], "at least 1 item"),
        ([("o2", "10.00")], "orderId is not the order of the first allocation"),
        ([("o1", "10.00"), ("o1", "10.00")], "an order is allocated to twice"),
        ([("o1", "10.00"), ("o2", "0")], "greater than 0"),
        ([("o1", "30.00"), ("o2", "10.01")], r"the allocations come to 0\.01 more than the amount"),
    ],
)
def test_what_does_not_fit_is_refused(parts, says):
    with pytest.raises(RecordInvalid, match=says):
        allocated(*parts)
