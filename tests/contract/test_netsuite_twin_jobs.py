"""Asynchronous requests, batches and the idempotency key of the NetSuite twin."""

from __future__ import annotations

import pytest

from tests.contract.netsuite_twin_support import BASE, RECORD, Shop, refusal

JOBS = "/services/rest/async/v1/job"
ASYNC = {"prefer": "respond-async"}
COLLECTION = {**ASYNC, "content-type": "application/vnd.oracle.resource+json; type=collection"}


@pytest.fixture
def shop():
    return Shop()


def new(name="A", **more):
    return {"companyName": name, "subsidiary": {"id": "1"}, **more}


def results(shop, job):
    tasks = shop.get(f"{JOBS}/{job}/task")
    answers = [shop.call("GET", f"{JOBS}/{job}/task/{number}/result") for number in range(1, tasks["totalResults"] + 1)]
    return [(one.status_code, one.headers.get("location")) for one in answers]


def test_asynchronous_write_answers_with_a_job(shop):
    answer = shop.call("POST", "customer", new(), ASYNC)
    assert (answer.status_code, answer.content, answer.headers["location"]) == (202, b"", f"{BASE}{JOBS}/1")
    assert answer.headers["preference-applied"] == "respond-async"
    job = shop.get(f"{JOBS}/1")
    assert (job["completed"], job["id"], job["progress"]) == (True, "1", "succeeded")
    assert results(shop, 1) == [(204, f"{BASE}{RECORD}/customer/101")]
    assert shop.refused("GET", f"{JOBS}/2")[:2] == (404, "NONEXISTENT_ID")
    assert shop.refused("GET", f"{JOBS}/1/task/2")[:2] == (404, "NONEXISTENT_ID")


def test_idempotency_key_protects_asynchronous_requests_only(shop):
    keyed = {"X-NetSuite-Idempotency-Key": "5b3d3a3e-0000-4000-8000-000000000001"}
    assert [shop.call("POST", "customer", new(name), {**ASYNC, **keyed}).status_code for name in ("A", "B")] == [
        202,
        400,
    ]
    again = shop.call("POST", "customer", new("B"), {**ASYNC, **keyed})
    assert refusal(again)[:2] == (400, "IDEMPOTENCY_ERROR")
    assert (again.json()["title"], again.headers["location"]) == ("Conflict", f"{BASE}{JOBS}/1")
    assert [shop.call("POST", "customer", new(name), keyed).status_code for name in ("C", "D")] == [204, 204]
    assert [row["companyName"] for row in shop.account.rows("customer")] == ["A", "C", "D"]


def test_job_succeeds_although_a_task_of_its_batch_failed(shop):
    body = {"items": [new("A", externalId="c-1"), {"companyName": "B"}, new("C")]}
    assert shop.call("POST", "customer", body, COLLECTION).status_code == 202
    assert shop.get(f"{JOBS}/1")["progress"] == "succeeded"
    assert [shop.get(f"{JOBS}/1/task/{number}")["progress"] for number in (1, 2, 3)] == [
        "succeeded",
        "failed",
        "succeeded",
    ]
    assert [status for status, _ in results(shop, 1)] == [204, 400, 204]
    assert refusal(shop.call("GET", f"{JOBS}/1/task/2/result"))[2].endswith("for: Subsidiary.")


def test_batches_update_upsert_and_delete(shop):
    shop.customer("A", externalId="c-1")
    shop.customer("B")
    patch = {"items": [{"id": "102", "phone": "2"}, {"externalId": "c-1", "phone": "1"}, {"id": "9", "phone": "9"}]}
    shop.call("PATCH", "customer", patch, COLLECTION)
    shop.call(
        "PUT",
        "customer",
        {"items": [new("C", externalId="c-3"), {"externalId": "c-1", "email": "a@example.com"}]},
        COLLECTION,
    )
    assert [[status for status, _ in results(shop, job)] for job in (1, 2)] == [[204, 204, 404], [204, 204]]
    assert [(row["companyName"], row.get("phone"), row.get("email")) for row in shop.account.rows("customer")] == [
        ("A", "1", "a@example.com"),
        ("B", "2", None),
        ("C", None, None),
    ]
    shop.call("DELETE", "customer", None, ASYNC, ids="102,eid:c-3")
    assert [row["companyName"] for row in shop.account.rows("customer")] == ["A"]


def test_batch_has_at_most_a_hundred_records_and_is_always_asynchronous(shop):
    many = {"items": [new(f"C{number}") for number in range(101)]}
    assert refusal(shop.call("POST", "customer", many, COLLECTION))[:2] == (400, "INVALID_REQUEST")
    assert refusal(shop.call("PATCH", "customer", {"phone": "1"}, ASYNC))[:2] == (400, "INVALID_CONTENT")
    assert refusal(shop.call("PATCH", "customer", {"items": []}))[:2] == (405, "INVALID_METHOD")
    assert shop.account.rows("customer") == []
