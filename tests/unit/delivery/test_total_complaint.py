"""When a document that stands in the ERP is not taken for done."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from erp_pipelines.connectors.base import Pushed
from erp_pipelines.delivery.bring import total_complaint
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.refunds import Refund
from tests.support.factories import make_customer, make_order

REFUND = Refund(
    id="o1-R1", order_id="o1", order_number="o1", date=dt.date(2026, 3, 5), currency="USD", adjustment=Decimal("4.00")
).completed()
ORDER = make_order().completed()


def pushed(total, number=None, *, void=False):
    money = None if total is None else Decimal(total)
    return Pushed(Outcome.CREATED, "77", "Invoice", number, total=money, void=void)


@pytest.mark.parametrize(
    ("record", "total"),
    [(ORDER, "25.00"), (ORDER, None), (REFUND, "4.0"), (make_customer(), "1.00")],
)
def test_a_document_of_the_right_total_or_of_none_is_done(record, total):
    assert total_complaint(record, pushed(total)) is None


@pytest.mark.parametrize(
    ("record", "total", "number", "said"),
    [
        (ORDER, "25.01", "1001", "Invoice 1001 comes to 25.01, order o1 to 25.00: a difference of 0.01."),
        (ORDER, "0", None, "Invoice 77 comes to 0, order o1 to 25.00: a difference of -25.00."),
        (REFUND, "3.00", "R-9", "Invoice R-9 comes to 3.00, refund o1-R1 to 4.00: a difference of -1.00."),
    ],
)
def test_another_total_is_a_persons_job_and_proves_nothing_absent(record, total, number, said):
    complaint = total_complaint(record, pushed(total, number))
    assert complaint.message == said
    assert (complaint.cause, complaint.definitive) == ("total-differs", False)
    assert (
        complaint.mend
        == "Look at the document's taxes and discounts there, correct them or the record here, and retry."
    )


@pytest.mark.parametrize(("number", "named"), [("1001", "Invoice 1001"), (None, "Invoice 77")])
def test_a_voided_document_is_never_done_whatever_it_comes_to(number, named):
    complaint = total_complaint(ORDER, pushed("25.00", number, void=True))
    assert complaint.cause == "voided-in-erp"
    assert complaint.message.startswith(f"{named} was voided")
