"""What stays of a try: the pair of ids, the log's entry, the worker's report, the standing of the connection."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from erp_pipelines.delivery import worker
from erp_pipelines.delivery.reports import Document, Failure
from erp_pipelines.domain.errors import ConnectionLost, Rejected, Unavailable
from erp_pipelines.storage import outbox
from tests.support.toy import KEY, toy_runtime

CORRELATION = "0c5f7a52-2a1c-4f0e-9a77-000000000001"
MAPPING = (
    "select external_id, external_type, external_number, sync_token, balance, total, external_updated_at, snapshot,"
    " last_sync_at between :began and :ended from erp.integration_entity_mappings where entity_type = 'Order'"
)
ENTRIES = (
    "select l.entity_type, l.entity_id, l.direction, l.status, l.outcome, l.external_id, l.error_message, l.cause, l.mend"
    " from erp.integration_sync_logs l order by l.started_at"
)
CIRCUMSTANCES = (
    "select l.started_at, l.completed_at, l.attempt, l.retry_count, l.in_doubt, l.erp_request_id, l.run_id,"
    " l.settings_version, l.correlation_id::text, l.delivery_id = d.id, l.actor like 'worker %:%'"
    " from erp.integration_sync_logs l, erp.integration_deliveries d order by l.started_at"
)
STANDING = "select last_sync_at, last_sync_error from erp.integration_connections"


@pytest.fixture
def runtime(database, clock, erp, connection_id):
    return toy_runtime(database, clock, erp, run_id="run-7")


def answering_late(clock, error=None):
    """The ERP takes three seconds, and fails if an error is given."""

    def answer(_write):
        clock.advance(3)
        if error:
            raise error

    return answer


def test_all_that_the_erp_tells_of_a_document_is_kept(runtime, shop, erp, clock):
    began = clock.now()
    stamp = began - dt.timedelta(seconds=5)
    erp.telling = {"updated_at": stamp, "snapshot": {"memo": "8f3c"}}
    shop.paid_order()
    worker.serve(runtime, KEY)
    amount = Decimal("25.00")
    assert shop.rows(MAPPING, began=began, ended=clock.now()) == [
        ("3", "Invoice", "o1", "0", amount, amount, stamp, {"memo": "8f3c"}, True),
    ]


def test_the_log_tells_of_every_try_what_it_came_to_and_under_which_circumstances(database, runtime, shop, erp, clock):
    with database.tenant(KEY.tenant_id) as conn:
        outbox.emit(conn, KEY.tenant_id, "Changed", "Customer", "c1", {"id": "c1", "name": "One"},
                    correlation_id=CORRELATION)  # fmt: skip
    unanswered = Unavailable("No answer.", mend="Wait.", request_id="r-1")
    erp.before = [answering_late(clock, unanswered), answering_late(clock)]
    erp.telling = {"request_id": "r-2", "note": "The name was cut."}
    first = clock.now()
    worker.serve(runtime, KEY)
    clock.advance(minutes=2)
    second = clock.now()
    worker.serve(runtime, KEY)
    said = shop.rows(CIRCUMSTANCES)
    erp.telling = {}
    clock.advance(minutes=2)
    shop.customer()
    worker.serve(runtime, KEY)
    told = ("Customer", "c1", "ToExternal")
    assert shop.rows(ENTRIES) == [
        (*told, "Failed", "Retry", None, "No answer.", "erp-unavailable", "Wait."),
        (*told, "Completed", "Created", "1", "The name was cut.", "noted", ""),
        (*told, "Completed", "Updated", "1", None, None, None),
    ]
    late = dt.timedelta(seconds=3)
    assert said == [
        (first, first + late, 1, 0, False, "r-1", "run-7", 1, CORRELATION, True, True),
        (second, second + late, 2, 1, False, "r-2", "run-7", 1, CORRELATION, True, True),
    ]


def test_the_log_tells_a_note_on_what_was_done_from_the_reason_why_nothing_was(runtime, shop, erp):
    erp.unwanted = {"Customer": "Nobody wants it."}
    shop.customer(name="One")
    shop.customer(name="Two")
    worker.serve(runtime, KEY)
    told = ("Customer", "c1", "ToExternal", "Skipped")
    assert shop.rows(ENTRIES) == [
        (*told, "Superseded", None, "A later event carries the newer state.", "not-wanted", ""),
        (*told, "NotWanted", None, "Nobody wants it.", "not-wanted", ""),
    ]


def test_the_report_names_what_was_brought_and_what_stood_there_unchanged(runtime, shop, erp):
    shop.paid_order()
    found = worker.serve(runtime, KEY).documents
    url = "https://erp.example.com"
    assert found[2] == Document("Order", "o1", "Created", "Invoice", "3", "o1", f"{url}/Invoice/3")
    shop.order(memo="Leave it at the gate")
    worker.serve(runtime, KEY)
    shop.order()
    shop.order(memo="Leave it at the gate")
    again = worker.serve(runtime, KEY).documents
    assert again == (Document("Order", "o1", "Unchanged", "Invoice", "3", "o1", f"{url}/Invoice/3"),)


@pytest.mark.parametrize(
    ("error", "status", "cause", "counts", "logged"),
    [
        (Unavailable("No answer.", mend="Wait."), "Failed", "erp-unavailable", {"Failed": 1}, ("Failed", "Retry")),
        (Rejected("No.", cause="rule", mend="Wait."), "Abandoned", "rule", {"Abandoned": 1}, ("Failed", "Abandon")),
        (ConnectionLost("No.", mend="Wait."), "Pending", "reconnect-needed", {}, ("Pending", "Park")),
    ],
)
def test_the_report_names_what_did_not_end_well(runtime, shop, erp, error, status, cause, counts, logged):
    erp.before = [answering_late(runtime.clock, error)]
    shop.customer()
    report = worker.serve(runtime, KEY)
    assert report.failures == (Failure("Customer", "c1", status, error.message, cause, "Wait."),)
    assert report.counts == counts
    assert [row[3:5] for row in shop.rows(ENTRIES)] == [logged]


def test_the_connection_stands_as_its_last_settled_event_ended(runtime, shop, erp, clock):
    erp.before = [answering_late(clock, Rejected("No. " * 200, cause="rule", mend="Mend it."))]
    shop.customer("c1")
    worker.serve(runtime, KEY)
    refused = clock.now()
    assert shop.rows(STANDING) == [(refused, ("No. " * 200)[:500])]
    clock.advance(60)
    erp.before = [answering_late(clock, Unavailable("No answer."))]
    shop.customer("c2")
    worker.serve(runtime, KEY)
    assert shop.rows(STANDING) == [(refused, ("No. " * 200)[:500])]  # it comes again: nothing is settled
    clock.advance(60)
    worker.serve(runtime, KEY)
    assert shop.rows(STANDING) == [(clock.now(), None)]


def test_a_try_whose_claim_went_to_somebody_else_meanwhile_leaves_the_event_to_them(database, runtime, shop, erp):
    def taken(_write):
        with database.tenant(KEY.tenant_id) as conn:
            conn.exec_driver_sql("update erp.integration_deliveries set claimed_by = 'other'")

    erp.before = [taken]
    shop.customer()
    report = worker.serve(runtime, KEY)
    assert shop.deliveries("status, claimed_by, outcome") == [("Processing", "other", None)]
    assert (report.counts, report.failures) == ({}, ())
    assert shop.rows(ENTRIES) == []
    assert shop.rows(STANDING) == [(None, None)]
