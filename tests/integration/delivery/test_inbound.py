from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from erp_pipelines.connectors.base import ExternalRef, PaymentState, Truth
from erp_pipelines.delivery import due, worker
from erp_pipelines.domain.errors import ConnectionLost, Throttled
from erp_pipelines.storage import inbox_intake
from erp_pipelines.storage.inbox_intake import NewNotice
from tests.support.toy import KEY, connect, document, toy_runtime

PAID = ExternalRef("Payment", "p-1")


@pytest.fixture
def runtime(database, clock, erp, connection_id):
    connect(database, documents_when="confirmed")
    return toy_runtime(database, clock, erp)


def ring(runtime, ref, *, event_id="n-1", at=None, operation="Create"):
    """A verified notice arrives; how many were new."""
    at = at or runtime.clock.now()
    notice = NewNotice(KEY, event_id, "company-1", ref.external_type, ref.external_id, operation, at)
    with runtime.db.tenant("acme") as conn:
        return inbox_intake.insert(conn, [notice])


def payment(invoice, amount, *, gone=False, ref=PAID):
    applied = {} if gone else {ExternalRef("Invoice", invoice): Decimal(amount)}
    return PaymentState(ref, dt.date(2026, 3, 5), "transfer", "ref-1", gone, applied, None)


def says(erp, runtime, invoice, balance, *payments, total="25.00", gone=False):
    state = document(invoice, total, balance, gone=gone, updated_at=runtime.clock.now())
    erp.truth = Truth((state,), payments)


def order(shop):
    return shop.rows("select payment_status from erp.orders")[0][0]


@pytest.mark.parametrize(("amount", "balance", "status"), [("25.00", "0", "paid"), ("10.00", "15.00", "partiallyPaid")])
def test_the_order_follows_the_documents_balance(runtime, shop, erp, invoice, amount, balance, status):
    says(erp, runtime, invoice, balance, payment(invoice, amount))
    ring(runtime, PAID)
    report = worker.serve(runtime, KEY)
    assert order(shop) == status
    assert shop.rows("select amount, source, reference from erp.payments") == [(Decimal(amount), "toy", "ref-1")]
    assert report.counts == {"Notices": 1}
    assert shop.rows("select status from erp.integration_inbox") == [("Completed",)]
    assert shop.rows("select outcome from erp.integration_sync_logs where direction = 'FromExternal'") == [("Applied",)]


def test_what_came_from_the_erp_is_not_pushed_back(runtime, shop, erp, invoice):
    before = len(erp.arrived)
    says(erp, runtime, invoice, "0", payment(invoice, "25.00"))
    ring(runtime, PAID)
    worker.serve(runtime, KEY)
    assert len(erp.arrived) == before
    assert shop.rows("select count(*) from erp.integration_outbox where entity_type = 'Payment'") == [(0,)]


def test_many_notices_of_one_change_cost_one_read_and_are_applied_once(runtime, shop, erp, invoice):
    says(erp, runtime, invoice, "0", payment(invoice, "25.00"))
    for number in range(5):
        ring(runtime, PAID, event_id=f"n-{number}")
        assert ring(runtime, PAID, event_id=f"n-{number}") == 0
    worker.serve(runtime, KEY)
    assert len(erp.truths) == 1
    assert shop.rows("select count(*) from erp.payments") == [(1,)]


def test_the_echo_of_our_own_write_costs_no_read(runtime, shop, erp, invoice):
    with runtime.db.tenant("acme") as conn:
        conn.exec_driver_sql("update erp.integration_entity_mappings set external_updated_at = now()")
    ring(runtime, ExternalRef("Invoice", invoice), at=runtime.clock.now() - dt.timedelta(minutes=2))
    worker.serve(runtime, KEY)
    assert erp.truths == []
    assert shop.rows("select status, last_error from erp.integration_inbox") == [
        ("Skipped", "It tells of our own write.")
    ]


@pytest.mark.parametrize("kind", ["Customer", "Item", "Preferences"])
def test_kinds_that_nobody_applies_are_skipped_without_a_read(runtime, shop, erp, invoice, kind):
    ring(runtime, ExternalRef(kind, "1"))
    worker.serve(runtime, KEY)
    assert erp.truths == []
    assert shop.rows("select status from erp.integration_inbox") == [("Skipped",)]


def test_a_document_of_somebody_else_is_skipped(runtime, shop, erp, invoice):
    says(erp, runtime, "777", "0")
    ring(runtime, ExternalRef("Invoice", "777"))
    worker.serve(runtime, KEY)
    assert shop.rows("select status, last_error from erp.integration_inbox") == [
        ("Skipped", "The record behind it is none of ours.")
    ]
    assert order(shop) == "unpaid"


def test_a_throttle_pauses_the_connection_and_the_notices_wait(runtime, shop, erp, invoice, clock):
    erp.truth_error = Throttled("Slow down.", retry_after=60)
    ring(runtime, PAID)
    assert "Slow down" in (worker.serve(runtime, KEY).parked or "")
    assert shop.rows("select status from erp.integration_inbox") == [("Pending",)]
    assert due.connections(runtime) == []
    erp.truth_error = None
    says(erp, runtime, invoice, "0", payment(invoice, "25.00"))
    clock.advance(61)
    worker.serve(runtime, KEY)
    assert order(shop) == "paid"


def test_a_lost_grant_parks_and_the_notices_go_on_after_the_reconnect(runtime, database, shop, erp, invoice):
    erp.truth_error = ConnectionLost("The grant is gone.")
    ring(runtime, PAID)
    assert worker.serve(runtime, KEY).parked == "The grant is gone."
    erp.truth_error = None
    says(erp, runtime, invoice, "0", payment(invoice, "25.00"))
    connect(database, documents_when="confirmed")
    worker.serve(runtime, KEY)
    assert order(shop) == "paid"


def test_a_bug_over_one_notice_holds_up_no_event(runtime, shop, erp, invoice, clock):
    erp.truth_error = ZeroDivisionError("secret")
    ring(runtime, PAID)
    shop.customer("c9")
    report = worker.serve(runtime, KEY)
    assert report.counts == {"Notices": 1, "Created": 1}
    assert shop.rows("select status, last_error from erp.integration_inbox") == [
        ("Failed", "An unexpected ZeroDivisionError stopped this event.")
    ]
    erp.truth_error = None
    says(erp, runtime, invoice, "0", payment(invoice, "25.00"))
    clock.advance(minutes=3)
    worker.serve(runtime, KEY)
    assert order(shop) == "paid"


def test_a_voided_document_raises_one_alert_and_is_never_made_again(runtime, shop, erp, invoice):
    arrived = len(erp.arrived)
    says(erp, runtime, invoice, "0", total="0", gone=True)
    for number in range(3):
        ring(runtime, ExternalRef("Invoice", invoice), event_id=f"n-{number}", operation="Void")
        worker.serve(runtime, KEY)
    assert shop.rows("select cause, entity_id from erp.integration_alerts") == [("document-gone", "o1")]
    assert order(shop) == "unpaid"
    assert len(erp.arrived) == arrived


def test_a_payment_that_is_gone_reopens_its_order(runtime, shop, erp, invoice, clock):
    says(erp, runtime, invoice, "0", payment(invoice, "25.00"))
    ring(runtime, PAID)
    worker.serve(runtime, KEY)
    clock.advance(minutes=1)
    says(erp, runtime, invoice, "25.00", payment(invoice, "0", gone=True))
    ring(runtime, PAID, event_id="n-2", operation="Delete")
    worker.serve(runtime, KEY)
    assert (order(shop), shop.rows("select count(*) from erp.payments")) == ("unpaid", [(0,)])
    assert ExternalRef("Invoice", invoice) in erp.truths[-1]


def test_a_notice_whose_worker_died_is_taken_by_the_next(runtime, shop, erp, invoice):
    ring(runtime, PAID)
    with runtime.db.tenant("acme") as conn:
        conn.exec_driver_sql("update erp.integration_inbox set status = 'InProgress'")
    says(erp, runtime, invoice, "0", payment(invoice, "25.00"))
    worker.serve(runtime, KEY)
    assert order(shop) == "paid"
