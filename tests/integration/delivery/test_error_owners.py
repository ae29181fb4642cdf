"""Whose job an error is, from the ERP's code to the tables; and codes that no catalogue knows."""

from __future__ import annotations

import pytest

from erp_pipelines.connectors.http import HttpRequest, HttpResponse
from erp_pipelines.delivery import replay
from tests.support.books import KEY, Shop

ABANDONED = (
    "select entity_type, cause, owner, retriable, erp_code, key_generation, in_doubt"
    " from erp.integration_deliveries where status = 'Abandoned' order by seq"
)
UNKNOWN = "select provider, code, count, message from erp.integration_unknown_faults"


def saying(code, *, path="/invoice", status=400, times=1, detail="Something new. access_token=abc"):
    """Answers the next writes to `path` with a fault of this code; what arrived stands in `.keys`."""

    def answer(request: HttpRequest) -> HttpResponse | None:
        if request.method != "POST" or not request.url.path.endswith(path) or len(answer.keys) >= times:
            return None
        answer.keys.append(request.url.params["requestid"])
        error = {"Message": "Odd", "Detail": detail, "code": code, "element": ""}
        return HttpResponse(status, json={"Fault": {"Error": [error], "type": "ValidationFault"}})

    answer.keys = []
    return answer


@pytest.fixture
def shop(database, clock):
    return Shop(database, clock)


def test_a_refusal_is_stored_with_its_owner_and_code(database, clock):
    shop = Shop(database, clock, book_close_date="2026-12-31")
    shop.sale()
    shop.serve()
    assert shop.rows(ABANDONED)[0] == ("Order", "closed-period", "bookkeeper", False, "6200", 1, False)
    logged = shop.rows(
        "select cause, owner, retriable, erp_code, catalogue from erp.integration_sync_logs"
        " where outcome = 'Abandon' and entity_type = 'Order'"
    )
    assert logged == [("closed-period", "bookkeeper", False, "6200", "2026-11-27")]


def test_what_stops_a_customer_is_the_same_person_s_job_for_its_order(shop):
    shop.answering = saying("6000", path="/customer", times=2)
    shop.sale()
    shop.serve()
    by_type = {row[0]: row[1:3] for row in shop.rows(ABANDONED)}
    assert by_type["Customer"] == ("business-rule", "bookkeeper")
    assert by_type["Order"] == ("requirement-missing", "bookkeeper")


def test_an_unknown_code_is_ours_tells_the_erp_s_words_and_is_counted_without_secrets(shop):
    shop.answering = saying("7777")
    shop.sale()
    report = shop.serve()
    assert shop.rows(ABANDONED)[0] == ("Order", "unknown", "us", False, "7777", 1, False)
    assert report.failures[0].message == "QuickBooks: Odd: Something new. access_token=[redacted]"
    assert shop.rows(UNKNOWN) == [("quickbooks", "7777", 1, "QuickBooks: Odd: Something new. access_token=[redacted]")]
    assert shop.twin.ledger().counts.get("Invoice", 0) == 0


def test_each_time_counts_and_the_latest_words_stay(shop):
    shop.sale()
    for words in ("First.", "Second."):
        shop.answering = saying("7777", detail=words)
        replay.retry_failed(shop.runtime, KEY)
        shop.serve()
    assert shop.rows(UNKNOWN) == [("quickbooks", "7777", 2, "QuickBooks: Odd: Second.")]
    assert shop.rows("select first_seen < last_seen or first_seen = last_seen from erp.integration_unknown_faults") == [
        (True,)
    ]


def test_after_a_first_no_of_an_unknown_code_a_retry_is_a_new_request(shop):
    shop.answering = first = saying("7777")
    shop.sale()
    shop.serve()
    shop.answering = second = saying("7778")
    replay.retry_failed(shop.runtime, KEY)
    shop.serve()
    assert len(first.keys) == len(second.keys) == 1
    assert first.keys != second.keys


def test_an_unknown_code_settles_no_doubt(shop):
    """The first try was done and its answer lost; the repeat's odd refusal may mean just that."""
    shop.twin.add_fault("drop_after_commit", entity="Invoice", times=3)
    shop.sale()
    shop.serve()
    shop.twin.clear_faults()
    shop.clock.advance(minutes=10)
    shop.answering = saying("7777", times=9)
    shop.serve()
    assert shop.twin.ledger().doubles("Invoice") == []
    shop.answering = None
    replay.retry_failed(shop.runtime, KEY)
    shop.clock.advance(minutes=10)
    shop.serve()
    assert shop.rows("select count(*) from erp.integration_deliveries where in_doubt") == [(0,)]
    assert shop.twin.ledger().doubles("Invoice") == []
    assert len(shop.company.invoices) == 1


def test_a_bare_status_is_counted_too_and_proves_nothing(shop):
    shop.twin.add_fault("status", entity="Invoice", status=418, html=True)
    shop.sale()
    shop.serve()
    assert shop.rows(ABANDONED)[0] == ("Order", "unknown", "us", False, "418", 0, False)
    assert [row[:3] for row in shop.rows(UNKNOWN)] == [("quickbooks", "418", 1)]


def test_known_codes_are_not_counted(database, clock):
    shop = Shop(database, clock, book_close_date="2026-12-31")
    shop.sale()
    shop.serve()
    assert shop.rows(UNKNOWN) == []
