from __future__ import annotations

import datetime as dt

import pytest

from erp_pipelines.connectors.base import Changed, ChangePage, ExternalRef, PaymentState, Truth
from erp_pipelines.delivery import pull
from erp_pipelines.domain.errors import ConnectionLost, Throttled, Unavailable
from tests.support.toy import KEY, connect, document, toy_runtime

PAID = ExternalRef("Payment", "p-1")


@pytest.fixture
def runtime(database, clock, erp, connection_id):
    connect(database, documents_when="confirmed")
    return toy_runtime(database, clock, erp)


def paid(erp, invoice, clock):
    """A payment that nobody told of: the truth, and the page on which a pull finds it."""
    there = ExternalRef("Invoice", invoice)
    at = clock.now()
    payment = PaymentState(PAID, at.date(), "Cash", None, gone=False, applied={there: 25}, updated_at=at)
    state = document(invoice, "25.00", "0.00", updated_at=at)
    erp.truth = Truth((state,), (payment,), {PAID: frozenset({there})})
    return Changed(PAID, at)


def inbox(shop):
    return shop.rows("select external_type, external_id, status from erp.integration_inbox order by seq")


def checkpoint(shop):
    return shop.rows(
        "select entity_type, cursor, last_success_at is not null, last_error from erp.integration_sync_checkpoints"
    )


def test_a_payment_that_no_notice_told_of_is_applied_once_however_often_it_is_found(runtime, shop, erp, invoice, clock):
    found = paid(erp, invoice, clock)
    erp.pages = {"all": [ChangePage((found, found), "1"), ChangePage((found,), "2")]}
    assert [pull.pull(runtime, KEY).counts for _ in range(3)] == [
        {"Pulled": 2, "Notices": 1},
        {"Pulled": 1},
        {"Pulled": 0},
    ]
    assert shop.rows("select payment_status from erp.orders") == [("paid",)]
    assert shop.rows("select count(*) from erp.payments") == [(1,)]
    assert inbox(shop) == [("Payment", "p-1", "Completed")]
    assert checkpoint(shop) == [("all", "2", True, None)]


def test_pages_are_read_until_there_are_no_more_and_each_from_where_the_last_one_ended(
    runtime, shop, erp, invoice, clock
):
    found = paid(erp, invoice, clock)
    erp.pages = {"a": [ChangePage((), "1", more=True), ChangePage((found,), "2")], "b": [ChangePage((), "1")]}
    pull.pull(runtime, KEY)
    assert [(stream, cursor) for stream, cursor, _ in erp.asked] == [("a", None), ("a", "1"), ("b", None)]
    assert sorted(checkpoint(shop)) == [("a", "2", True, None), ("b", "1", True, None)]


def test_the_first_pull_begins_with_the_connection(runtime, shop, erp, invoice):
    erp.pages = {"all": [ChangePage((), "1")]}
    pull.pull(runtime, KEY)
    assert [since for *_, since in erp.asked] == [shop.rows("select created_at from erp.integration_connections")[0][0]]


def test_our_own_writes_and_names_of_others_are_not_looked_at(runtime, shop, erp, invoice, clock):
    shop.rows("update erp.integration_entity_mappings set external_updated_at = :at returning 1", at=clock.now())
    own = Changed(ExternalRef("Invoice", invoice), clock.now())
    strange = Changed(ExternalRef("Customer", "999"), clock.now())
    unheard_of = Changed(ExternalRef("Journal", "7"), clock.now())
    erp.pages = {"all": [ChangePage((own, strange, unheard_of), "1")]}
    assert pull.pull(runtime, KEY).counts == {"Pulled": 3}
    assert inbox(shop) == []
    assert erp.truths == []


def test_a_deleted_document_of_ours_is_told_of(runtime, shop, erp, invoice, clock):
    erp.truth = Truth((document(invoice, "0", "0", gone=True),), ())
    erp.pages = {"all": [ChangePage((Changed(ExternalRef("Invoice", invoice), clock.now(), deleted=True),), "1")]}
    pull.pull(runtime, KEY)
    assert shop.rows("select cause from erp.integration_alerts") == [("document-gone",)]
    assert len(erp.documents[("Order", "o1")]) == 1


def test_a_page_that_cannot_be_read_leaves_the_cursor_and_the_other_streams_alone(runtime, shop, erp, invoice):
    erp.pages = {"bad": [Unavailable("Nobody answers.")], "good": [ChangePage((), "1")]}
    report = pull.pull(runtime, KEY)
    assert [(one.entity_type, one.entity_id, one.message) for one in report.failures] == [
        ("Stream", "bad", "Nobody answers.")
    ]
    assert sorted(checkpoint(shop), key=lambda row: row[0]) == [
        ("bad", None, False, "Nobody answers."),
        ("good", "1", True, None),
    ]
    assert pull.due(runtime) == [KEY]


@pytest.mark.parametrize(
    ("error", "state", "paused"),
    [
        (ConnectionLost("The grant is gone.", mend="Connect again."), "Reconnect needed", False),
        (Throttled("Slow down.", retry_after=60), "Connected", True),
    ],
)
def test_what_stands_in_the_way_of_the_connection_holds_it(runtime, shop, erp, invoice, error, state, paused):
    erp.pages = {"bad": [error], "later": [ChangePage((), "1")]}
    assert pull.pull(runtime, KEY).parked
    assert shop.rows("select state, paused_until is not null from erp.integration_connections") == [(state, paused)]
    assert [stream for stream, *_ in erp.asked] == ["bad"]


def test_a_pull_gives_way_to_a_worker_that_does_not_end(runtime, database, erp, invoice):
    erp.pages = {"all": [ChangePage((), "1")]}
    with database.worker(f"erp:connection:{KEY}"):
        assert pull.pull(runtime, KEY, patience=0).busy
    assert erp.asked == []


def test_a_connection_is_due_again_when_its_interval_has_passed(runtime, erp, invoice, clock):
    erp.pages = {"all": [ChangePage((), "1")]}
    assert pull.due(runtime) == [KEY]
    pull.pull(runtime, KEY)
    assert pull.due(runtime) == []
    clock.moment += dt.timedelta(seconds=901)
    assert pull.due(runtime) == [KEY]
