"""Repeats, lost answers, limits, batches and change capture."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.twin_support import REALM, Books, handle_of


@pytest.fixture
def books() -> Books:
    return Books()


# --- requestid ---


def test_repeat_with_the_same_requestid_gets_the_same_bytes_and_changes_nothing(books):
    first = books.call("POST", "customer", {"DisplayName": "A"}, requestid="r-1")
    books.clock.advance(60)
    again = books.call("POST", "customer", {"DisplayName": "Other"}, requestid="r-1")
    assert again.content == first.content
    assert again.headers["intuit_tid"] != first.headers["intuit_tid"]
    assert len(books.company.customers) == 1
    assert [call.replayed for call in books.twin.calls.since()] == [False, True]
    assert books.twin.ledger().history[0]["requestid"] == "r-1"


def test_requestids_are_kept_per_realm(books):
    books.post("customer", {"DisplayName": "A"}, requestid="r-1")
    books.twin.add_company("555")
    token = books.twin.connect("app-1", "555")["access_token"]
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    answer = books.http.post("/v3/company/555/customer?requestid=r-1", json={"DisplayName": "B"}, headers=headers)
    assert answer.json()["Customer"]["DisplayName"] == "B"


def test_refusals_are_not_remembered_unless_switched_on(books):
    books.customer("Taken")
    assert books.refused("customer", {"DisplayName": "Taken"}, requestid="r-2") == ["6240"]
    assert books.post("customer", {"DisplayName": "Free"}, requestid="r-2")["Id"] == "2"
    books.twin.configure(store_failed_requestids=True)
    assert books.refused("customer", {"DisplayName": "Taken"}, requestid="r-3") == ["6240"]
    assert books.refused("customer", {"DisplayName": "Free too"}, requestid="r-3") == ["6240"]


def test_requestid_length_and_switches(books):
    assert books.refused("customer", {"DisplayName": "A"}, requestid="x" * 51) == ["2130"]
    books.twin.configure(requestid_ttl_seconds=10)
    books.post("customer", {"DisplayName": "A"}, requestid="r")
    books.clock.advance(11)
    assert books.refused("customer", {"DisplayName": "A"}, requestid="r") == ["6240"]
    books.twin.configure(honour_requestid=False, requestid_ttl_seconds=None)
    books.post("customer", {"DisplayName": "B"}, requestid="q")
    assert books.refused("customer", {"DisplayName": "B"}, requestid="q") == ["6240"]


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "drop_after_commit"},
        {"fault": "truncated_body"},
        {"fault": "slow", "seconds": 90, "after_commit": True},
    ],
)
def test_lost_answer_after_commit_is_replayed_to_the_repeat(books, fault):
    books.control("POST", "faults", {"match": {"entity": "Customer", "operation": "create"}, **fault})
    with pytest.raises(httpx.TransportError):
        books.call("POST", "customer", {"DisplayName": "A"}, requestid="r-1")
    assert books.post("customer", {"DisplayName": "A"}, requestid="r-1")["Id"] == "1"
    assert len(books.company.customers) == 1
    assert [(call.status, call.replayed) for call in books.twin.calls.since()][-1] == (200, True)


def test_lost_answers_can_be_forgotten_by_switch(books):
    books.twin.configure(remember_lost_answers=False)
    draft = books.draft()
    books.twin.add_fault("drop_after_commit")
    with pytest.raises(httpx.RemoteProtocolError):
        books.call("POST", "invoice", draft, requestid="r-1")
    books.post("invoice", draft, requestid="r-1")
    assert len(books.company.invoices) == 2


def test_drop_before_commit_leaves_nothing(books):
    books.twin.add_fault("drop_before_commit", times=2)
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            books.call("POST", "customer", {"DisplayName": "A"}, requestid="r-1")
    assert books.company.customers == []
    assert books.post("customer", {"DisplayName": "A"}, requestid="r-1")["Id"] == "1"


def test_slow_request_commits_later_though_nobody_waits(books):
    books.twin.add_fault("slow", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        books.call("POST", "customer", {"DisplayName": "A"}, requestid="r-1")
    assert books.company.customers == []
    books.clock.advance(31)
    books.twin.run_late()
    assert [row["DisplayName"] for row in books.company.customers] == ["A"]
    assert books.post("customer", {"DisplayName": "A"}, requestid="r-1")["Id"] == "1"


# --- the fault dial ---


@pytest.mark.parametrize(
    ("rule", "status", "kind"),
    [
        ({"fault": "status", "status": 502}, 502, "text/html;charset=UTF-8"),
        ({"fault": "status", "status": 503, "retry_after": 7}, 503, "application/json;charset=UTF-8"),
        ({"fault": "xml_throttle"}, 429, "application/xml;charset=UTF-8"),
        ({"fault": "redirect"}, 302, "text/html;charset=UTF-8"),
        ({"fault": "wrong_content_type"}, 200, "text/html;charset=UTF-8"),
    ],
)
def test_answers_instead(books, rule, status, kind):
    books.control("POST", "faults", rule)
    answer = books.call("POST", "customer", {"DisplayName": "A"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
    assert len(books.company.customers) == (1 if status == 200 else 0)
    assert answer.headers.get("retry-after") == ("7" if status == 503 else None)


def test_status_after_commit_has_done_the_work(books):
    books.twin.add_fault("status", status=500, after_commit=True)
    assert books.call("POST", "customer", {"DisplayName": "A"}, requestid="r").status_code == 500
    assert books.post("customer", {"DisplayName": "A"}, requestid="r")["Id"] == "1"


def test_truncated_json_is_a_whole_answer_that_does_not_parse(books):
    books.customer()
    books.twin.add_fault("truncated_json", method="get")
    with pytest.raises(ValueError):
        books.call("GET", "customer/1").json()


def test_stale_fault_edits_the_document_first(books):
    made = books.customer()
    books.twin.add_fault("stale", entity="customer", operation="update")
    assert books.refused("customer", {**handle_of(made), "sparse": True, "Notes": "x"}) == ["5010"]


def test_rules_match_count_and_can_be_cleared(books):
    books.control("POST", "faults", {"match": {"path": "/invoice$"}, "fault": "status", "times": None})
    assert books.customer()["Id"] == "1"
    assert [books.call("POST", "invoice", {}).status_code for _ in range(2)] == [503, 503]
    assert books.control("GET", "faults")[0]["hits"] == 2
    books.control("DELETE", "faults")
    assert books.call("POST", "invoice", {}).status_code == 400


def test_probability_is_repeatable(books):
    def pattern():
        books.twin.clear_faults()
        books.twin.add_fault("status", probability=0.5, seed=3, times=None)
        return [books.call("GET", "preferences").status_code for _ in range(20)]

    assert pattern() == pattern()
    assert 0 < pattern().count(503) < 20


def test_unknown_rule_fields_are_refused(books):
    answer = books.http.post("/_twin/faults", json={"fault": "explode"})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("fault must be one of drop_before_commit")


# --- throttles ---


def test_eleventh_call_in_a_second_is_throttled_in_xml(books):
    books.twin.configure(throttle=True)
    answers = [books.call("GET", "preferences") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert "ThrottleExceeded; errorCode=003001; statusCode=429" in answers[-1].text
    assert answers[-1].text.startswith("<?xml")
    assert "retry-after" not in answers[-1].headers
    books.clock.advance(1)
    assert books.call("GET", "preferences").status_code == 200


def test_minute_limits_of_the_realm_and_of_batches(books):
    books.twin.configure(throttle=True, throttle_body="json")

    def run(count, send):
        statuses = []
        for _ in range(count):
            books.clock.advance(0.11)
            statuses.append(send().status_code)
        return statuses

    batch = {"BatchItemRequest": [{"bId": "1", "Query": "select count(*) from Item"}]}
    assert run(41, lambda: books.call("POST", "batch", batch)).count(429) == 1
    assert run(461, lambda: books.call("GET", "preferences")).count(429) == 1
    assert books.call("GET", "preferences").json()["fault"]["error"][0]["code"] == "3001"


def test_limits_can_be_scaled(books):
    books.control("POST", "config", {"throttle": True, "throttleScale": "0.1"})
    assert [books.call("GET", "preferences").status_code for _ in range(2)] == [200, 429]


def test_reads_are_counted_as_core_plus(books):
    books.customer()
    books.get("customer/1")
    books.query("select * from Customer")
    assert books.control("GET", "calls/summary")["corePlusReads"] == {REALM: 2}


# --- batch ---


def test_batch_items_have_their_own_outcomes(books):
    books.customer("Taken")
    items = [
        {"bId": "a", "operation": "create", "Customer": {"DisplayName": "New"}},
        {"bId": "b", "operation": "create", "Customer": {"DisplayName": "Taken"}},
        {"bId": "c", "Query": "select * from Customer"},
        {"bId": "d", "operation": "create", "Invoice": {**books.draft(), "CustomerRef": {"value": "2"}}},
        {"bId": "e", "operation": "update", "Customer": {"Id": "1", "SyncToken": "0", "sparse": True, "Notes": "n"}},
    ]
    books.item()
    answers = {row["bId"]: row for row in books.post("batch", {"BatchItemRequest": items})}
    assert answers["a"]["Customer"]["Id"] == "2"
    assert answers["b"]["Fault"]["Error"][0]["code"] == "6240"
    assert [row["Id"] for row in answers["c"]["QueryResponse"]["Customer"]] == ["1"]
    assert answers["d"]["Fault"]["Error"][0]["code"] == "2500"
    assert answers["e"]["Customer"]["SyncToken"] == "1"
    assert len(books.company.customers) == 2


def test_batch_has_thirty_items_at_most(books):
    item = {"bId": "1", "Query": "select * from Item"}
    assert books.refused("batch", {"BatchItemRequest": [item] * 31}) == ["1040"]


def test_batch_replays_with_requestid_and_the_same_item_ids(books):
    def batch(ident):
        return {"BatchItemRequest": [{"bId": ident, "operation": "create", "Invoice": books.draft()}]}

    first = books.call("POST", "batch", batch("1"), requestid="r")
    assert books.call("POST", "batch", batch("1"), requestid="r").content == first.content
    books.call("POST", "batch", batch("2"), requestid="r")
    assert len(books.company.invoices) == 2
    assert books.refused("batch", batch("x" * 11), requestid="r") == ["2130"]
    assert books.refused("batch", batch("1"), requestid="r" * 37) == ["2130"]


# --- change data capture ---


def test_cdc_gives_live_documents_then_stubs_and_empty_objects(books):
    books.customer()
    books.item()
    gone = books.invoice()
    since = "2026-03-02T12:30:00-08:00"
    books.clock.advance(3600)
    kept = books.invoice()
    books.post("invoice", handle_of(gone), operation="delete")
    (answer,) = books.get("cdc", entities="Invoice,Customer,Payment", changedSince=since)
    invoices, customers, payments = answer["QueryResponse"]
    stub = {
        "domain": "QBO",
        "status": "Deleted",
        "Id": gone["Id"],
        "MetaData": {"LastUpdatedTime": "2026-03-02T13:00:00-08:00"},
    }
    assert invoices == {"Invoice": [kept, stub], "startPosition": 1, "maxResults": 2, "totalCount": 2}
    assert (customers, payments) == ({}, {})


def test_cdc_bound_is_inclusive_and_looks_back_thirty_days(books):
    made = books.customer()
    (answer,) = books.get("cdc", entities="customer", changedSince=made["MetaData"]["LastUpdatedTime"])
    assert answer["QueryResponse"][0]["Customer"] == [made]
    answer = books.call("GET", "cdc", entities="Customer", changedSince="2026-01-01")
    assert "exceeds the allowed number" in answer.json()["Fault"]["Error"][0]["Detail"]
    assert books.call("GET", "cdc", entities="TaxCode", changedSince="2026-03-01").status_code == 400


@pytest.mark.parametrize(("per", "counts"), [("response", [2, 1]), ("entity", [2, 3])])
def test_cdc_cap_per_response_or_entity(books, per, counts):
    books.twin.configure(cdc_cap=3, cdc_cap_per=per)
    for number in range(2):
        books.customer(f"C{number}")
    for number in range(3):
        books.item(f"I{number}")
    (answer,) = books.get("cdc", entities="Customer,Item", changedSince="2026-03-01")
    assert [part["maxResults"] for part in answer["QueryResponse"]] == counts
