"""A month's orders beside their documents, told from what is known here."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

import pytest

from erp_pipelines.access import connections as access
from erp_pipelines.commerce import records
from erp_pipelines.connectors.base import DocumentState, ExternalRef, Truth, Write
from erp_pipelines.delivery import bulk, worker
from erp_pipelines.delivery.wanted import unwanted
from erp_pipelines.domain.errors import Rejected
from erp_pipelines.domain.orders import OrderStatus
from erp_pipelines.domain.payments import PaymentStatus
from erp_pipelines.storage import inbox_intake, reconciling
from erp_pipelines.storage.inbox_intake import NewNotice
from erp_pipelines.storage.reconciling import Months, Word
from tests.support.toy import KEY

MARCH, APRIL = dt.date(2026, 3, 1), dt.date(2026, 4, 1)
DUE = Decimal(25)


@pytest.fixture
def books(runtime, shop):
    """What the month comes to: `sums` by word, `lines` by order."""
    access.change_settings(runtime, KEY, {"documentsWhen": "confirmed"}, "ann")
    shop.customer()
    shop.product()

    class Books:
        @property
        def months(self) -> Months:
            return Months(KEY, access.status(runtime, KEY).row.settings, MARCH, APRIL)

        def sums(self) -> dict[Word, tuple[int, Decimal, int, Decimal]]:
            with runtime.db.tenant("acme") as conn:
                found = reconciling.sums(conn, self.months)
            return {one.word: (one.orders, one.ours, one.documents, one.theirs) for one in found}

        def lines(self, *, everything: bool = False, after=None, limit: int = 100) -> list[reconciling.Line]:
            with runtime.db.tenant("acme") as conn:
                return reconciling.page(conn, self.months, everything=everything, after=after, limit=limit)

        def tells(self, order_id: str, total: Decimal | None, erp) -> None:
            """The ERP tells of a document that comes to so much now; None: it is gone."""
            ref = ExternalRef("Invoice", erp.documents[("Order", order_id)][0]["id"])
            at = runtime.clock.now()
            state = DocumentState(ref, total or Decimal(0), total or Decimal(0), total is None, at, "9")
            erp.truth = Truth((state,), ())
            with runtime.db.tenant("acme") as conn:
                notice = NewNotice(KEY, f"n-{order_id}", "9130", "Invoice", ref.external_id, "Update", at)
                inbox_intake.insert(conn, [notice])
            worker.serve(runtime, KEY)

    return Books()


def test_orders_whose_documents_say_the_same_are_in_order(runtime, shop, books):
    shop.order("o1")
    shop.order("o2")
    shop.order("o3", order_date=APRIL)
    worker.serve(runtime, KEY)
    assert books.sums() == {Word.EQUAL: (2, 2 * DUE, 2, 2 * DUE)}
    assert books.lines() == []
    assert [line.order_id for line in books.lines(everything=True)] == ["o1", "o2"]


def test_what_was_never_sent_waits_or_failed_is_missing_with_its_error(runtime, shop, erp, books):
    shop.order("o1")
    shop.order("o2")
    erp.always = _refuse
    worker.serve(runtime, KEY)
    bulk.request(runtime, KEY, ["Order"], entity_ids=["o1"], by="ann")  # what waits since hides no error
    with runtime.db.system() as conn:
        conn.exec_driver_sql("delete from erp.integration_deliveries where entity_id = 'o2'")
    assert books.sums() == {Word.MISSING: (2, 2 * DUE, 0, Decimal(0))}
    failed, never = books.lines()
    assert (failed.order_id, failed.word, failed.cause, failed.error, failed.mend) == (
        "o1", Word.MISSING, "closed-period", "The books are closed.", "Open them.",
    )  # fmt: skip
    assert (failed.theirs, failed.difference) == (None, -DUE)
    assert (never.order_id, never.status, never.cause) == ("o2", None, None)


def _refuse(write: Write) -> None:
    if write.ref.entity_type == "Order":
        raise Rejected("The books are closed.", cause="closed-period", mend="Open them.")


def test_a_document_that_somebody_changed_there_differs(runtime, shop, erp, books):
    shop.order("o1")
    worker.serve(runtime, KEY)
    books.tells("o1", Decimal(30), erp)
    [line] = books.lines()
    assert (line.word, line.ours, line.theirs, line.difference) == (Word.DIFFERS, DUE, Decimal(30), Decimal(5))
    assert books.sums() == {Word.DIFFERS: (1, DUE, 1, Decimal(30))}


def test_a_document_that_somebody_voided_is_gone(runtime, shop, erp, books):
    shop.order("o1")
    worker.serve(runtime, KEY)
    books.tells("o1", None, erp)
    [line] = books.lines()
    assert (line.word, line.theirs) == (Word.GONE, None)
    assert books.sums() == {Word.GONE: (1, DUE, 0, Decimal(0))}


def test_an_order_that_was_cancelled_while_its_document_stands(runtime, shop, books):
    shop.order("o1")
    worker.serve(runtime, KEY)
    with runtime.db.system() as conn:
        conn.exec_driver_sql("update erp.orders set status = 'cancelled'")
    assert [line.word for line in books.lines()] == [Word.CANCELLED]
    with runtime.db.system() as conn:
        conn.exec_driver_sql("update erp.integration_entity_mappings set total = 0 where entity_type = 'Order'")
    assert books.lines() == []


def test_a_document_of_unknown_total_is_no_difference(runtime, shop, books):
    shop.order("o1")
    worker.serve(runtime, KEY)
    with runtime.db.system() as conn:
        conn.exec_driver_sql("update erp.integration_entity_mappings set total = null")
    assert [line.word for line in books.lines()] == [Word.UNKNOWN]


def test_pages_go_on_where_they_ended(runtime, shop, books):
    for number in range(5):
        shop.order(f"o{number}", order_date=MARCH + dt.timedelta(days=number // 2))
    seen, after = [], None
    while found := books.lines(after=after, limit=2):
        seen += [line.order_id for line in found]
        after = (found[-1].order_date, found[-1].order_id)
    assert seen == [f"o{number}" for number in range(5)]


@pytest.mark.parametrize("documents_when", ["paid", "confirmed"])
@pytest.mark.parametrize("start", [None, MARCH, MARCH + dt.timedelta(days=1)])
def test_what_is_not_wanted_is_the_same_here_as_for_deliveries(runtime, shop, books, documents_when, start):
    access.change_settings(runtime, KEY, {"documentsWhen": documents_when, "startDate": start}, "ann")
    settings = access.status(runtime, KEY).row.settings
    expected = {}
    for number, (status, paid) in enumerate(itertools.product(OrderStatus, PaymentStatus)):
        shop.order(f"o{number}")
        with runtime.db.system() as conn:
            conn.exec_driver_sql(
                "update erp.orders set status = %s, payment_status = %s where id = %s", (status, paid, f"o{number}")
            )
        with runtime.db.tenant("acme") as conn:
            order = records.load(conn, "acme", "Order", f"o{number}")
        expected[f"o{number}"] = Word.NOT_WANTED if unwanted(order, settings) else Word.MISSING
    assert {line.order_id: line.word for line in books.lines(everything=True)} == expected
