from __future__ import annotations

import uuid

import pytest

from erp_pipelines.commerce import customers
from erp_pipelines.storage import connections
from tests.support.factories import make_customer

SYNC = "/api/integrations/sync/quickbooks"


@pytest.fixture
def connected(api, database):
    """`acme` is connected; two customers were saved before, so nothing of them is queued."""
    with database.tenant("acme") as conn:
        for number in range(2):
            customers.save(conn, "acme", make_customer(f"c{number}"))
        connections.upsert_connected(
            conn,
            connections.ConnectionKey("acme", "quickbooks"),
            external_company_id="1",
            company_name="A company",
            company={},
            environment="sandbox",
            connected_by="ann",
        )
    return api


def test_a_bulk_sync_is_queued_and_its_progress_counted(connected):
    started = connected.send("POST", SYNC, {"entityType": "All"})
    assert started.status_code == 202
    body = started.json()
    assert (body["total"], body["totalProcessed"], body["percent"], body["finished"]) == (2, 0, 0.0, False)
    seen = connected.get(f"{SYNC}/{body['syncId']}", role="SalesManager")
    assert seen.json() == body


def test_the_same_request_again_goes_on_with_the_open_sync(connected):
    first = connected.send("POST", SYNC, {"entityType": "Customer"}).json()
    assert connected.send("POST", SYNC, {"entityType": "Customer"}).json() == first


def test_a_bulk_sync_is_cancelled_by_an_admin(connected):
    sync_id = connected.send("POST", SYNC, {"entityType": "Customer"}).json()["syncId"]
    path = f"{SYNC}/{sync_id}/cancel"
    assert connected.send("POST", path, role="SalesManager").status_code == 403
    assert connected.send("POST", path, tenant="beta").status_code == 404
    body = connected.send("POST", path).json()
    assert (body["skipped"], body["finished"], body["cancelled"]) == (2, True, True)
    assert connected.send("POST", SYNC, {"entityType": "Customer"}).json()["syncId"] != sync_id


def test_named_records_only(connected):
    body = connected.send("POST", SYNC, {"entityType": "Customer", "entityIds": ["c1"]}).json()
    assert body["total"] == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"entityType": "All", "entityIds": ["c1"]}, 422),
        ({"entityType": "Customer", "entityIds": ["c9"]}, 404),
        ({"entityType": "Bill"}, 422),
        ({}, 422),
    ],
)
def test_a_wrong_request_queues_nothing(connected, body, status):
    answer = connected.send("POST", SYNC, body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert connected.get("/api/integrations/outbox?status=Pending").json()["items"] == []


def test_nobody_but_an_admin_starts_or_retries_and_no_other_tenant_sees_it(connected):
    sync_id = connected.send("POST", SYNC, {"entityType": "Customer"}).json()["syncId"]
    assert connected.send("POST", SYNC, {"entityType": "Customer"}, role="SalesManager").status_code == 403
    assert connected.send("POST", f"{SYNC}/retry-failed", role="SalesManager").status_code == 403
    assert connected.get(f"{SYNC}/{sync_id}", role="SalesRep").status_code == 403
    assert connected.get(f"{SYNC}/{sync_id}", tenant="beta").status_code == 404
    assert connected.send("POST", SYNC, {"entityType": "Customer"}, tenant="beta").status_code == 404
    assert connected.get(f"{SYNC}/{uuid.uuid4()}").status_code == 404


def test_all_that_failed_is_due_again(connected, database):
    connected.send("POST", SYNC, {"entityType": "Customer"})
    with database.tenant("acme") as conn:
        conn.exec_driver_sql(
            "update erp.integration_deliveries set status = 'Abandoned', processed_at = now(), cause = 'rule' where entity_id = 'c0'"
        )
    assert connected.send("POST", f"{SYNC}/retry-failed?cause=other").json() == {"retried": 0}
    assert connected.send("POST", f"{SYNC}/retry-failed").json() == {"retried": 1}
