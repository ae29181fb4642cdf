"""What waits for somebody, as staff sees it."""

from __future__ import annotations

from typing import Any

import pytest

from erp_pipelines.domain.catalogue import own
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import AnswerLost, Rejected
from erp_pipelines.storage import unknown_faults
from tests.integration.access.fakes import connect
from tests.integration.web.conftest import Api
from tests.integration.web.test_health_and_problems import failing
from tests.integration.web.test_sync_status import ORDER, run

PATH = "/api/integrations/errors"
INACTIVE = (
    "status = 'Abandoned', processed_at = now(), last_error = 'It is inactive.', mend = 'Activate it.',"
    " cause = 'inactive', owner = 'bookkeeper', retriable = false, erp_code = '610'"
)
LOST = (
    "status = 'Failed', last_error = 'Nothing was heard.', mend = null, cause = 'in-doubt', owner = 'provider',"
    " retriable = true, in_doubt = true"
)


def seed(api: Api) -> None:
    connect(api.runtime)
    for name in ("c1", "c2", "c3"):
        api.send("PUT", f"/api/commerce/customers/{name}", {"id": name, "name": name})


def fail(api: Api, changes: str, *ids: str) -> None:
    run(api, f"update erp.integration_deliveries set {changes} where entity_id = any(:ids)", ids=list(ids))


def counted(api: Api, code: str = "7777", times: int = 3, tenant: str = "acme") -> None:
    key = ConnectionKey(tenant, "quickbooks")
    with api.runtime.db.tenant(tenant) as conn:
        unknown_faults.count(conn, key, code, "Odd.", times, now=api.runtime.clock.now())


def test_open_errors_are_grouped_by_cause(api: Api) -> None:
    seed(api)
    fail(api, INACTIVE, "c1", "c2")
    fail(api, LOST, "c3")
    counted(api)
    body = api.get(PATH, role="SalesManager").json()
    assert (body["count"], body["inDoubt"]) == (3, 1)
    inactive, lost = body["groups"]
    assert inactive.pop("oldest") <= lost["oldest"]
    assert inactive == {
        "provider": "quickbooks", "cause": "inactive", "title": "Made inactive in the ERP", "owner": "bookkeeper",
        "retriable": False, "erpCode": "610", "count": 2, "inDoubt": 0, "message": "It is inactive.",
        "mend": "Activate it.",
        "records": [{"entityType": "Customer", "entityId": name} for name in ("c1", "c2")],
    }  # fmt: skip
    assert (lost["cause"], lost["count"], lost["inDoubt"], lost["retriable"]) == ("in-doubt", 1, 1, True)
    assert [(one["code"], one["count"], one["message"]) for one in body["unknownFaults"]] == [("7777", 3, "Odd.")]


def test_what_a_later_event_brought_through_is_over(api: Api) -> None:
    seed(api)
    fail(api, INACTIVE, "c1")
    api.send("PUT", "/api/commerce/customers/c1", {"id": "c1", "name": "Renamed"})
    assert api.get(PATH).json()["count"] == 1
    run(
        api,
        "update erp.integration_deliveries set status = 'Completed', outcome = 'Created', processed_at = now()"
        " where entity_id = 'c1' and status = 'Pending'",
    )
    assert api.get(PATH).json()["count"] == 0


def test_samples_are_few_and_the_count_is_whole(api: Api) -> None:
    connect(api.runtime)
    names = [f"c{number}" for number in range(8)]
    for name in names:
        api.send("PUT", f"/api/commerce/customers/{name}", {"id": name, "name": name})
    fail(api, INACTIVE, *names)
    (group,) = api.get(PATH).json()["groups"]
    assert (group["count"], [record["entityId"] for record in group["records"]]) == (8, names[:5])


def test_another_tenant_sees_nothing_of_it(api: Api) -> None:
    seed(api)
    fail(api, INACTIVE, "c1")
    counted(api)
    assert api.get(PATH, tenant="beta").json() == {"groups": [], "count": 0, "inDoubt": 0, "unknownFaults": []}


@pytest.mark.parametrize("path", [PATH, f"{PATH}/catalogue"])
def test_errors_are_for_managers(api: Api, path: str) -> None:
    assert [api.get(path, role=role).status_code for role in ("Admin", "SalesManager", "SalesRep")] == [200, 200, 403]
    assert api.get(path, role="Customer", customer_id="c1").status_code == 403


def test_the_whole_catalogue_is_told(api: Api) -> None:
    body = api.get(f"{PATH}/catalogue").json()
    assert (body["version"], len(body["causes"])) == (own().version, len(own().causes))
    (quickbooks,) = [one for one in body["providers"] if one["provider"] == "quickbooks"]
    assert (quickbooks["provider"], quickbooks["version"], quickbooks["unknown"]["owner"]) == (
        "quickbooks", "2026-11-27", "us",
    )  # fmt: skip
    closed = next(fault for fault in quickbooks["faults"] if fault["code"] == "6200")
    assert closed == {
        "code": "6200", "cause": "closed-period", "title": "The books are closed for the date",
        "meaning": "The accounting period is closed", "owner": "bookkeeper", "treatment": "rejected",
        "retriable": False, "source": closed["source"],
        "mend": "The books are closed for this date: reopen the period in QuickBooks, or change the date.",
    }  # fmt: skip
    assert closed["source"].startswith("https://developer.intuit.com/")
    assert len(quickbooks["faults"]) == 113


def test_unknown_faults_are_figures_over_all_tenants(api: Api) -> None:
    counted(api, times=3)
    counted(api, times=4, tenant="beta")
    text = api.client.get("/metrics").text
    assert 'erp_unknown_faults_total{code="7777",provider="quickbooks"} 7.0' in text
    assert "acme" not in text


def test_the_queue_shows_what_stopped_an_event_and_whether_it_is_in_doubt(api: Api) -> None:
    seed(api)
    fail(api, LOST, "c2")
    rows = {row["entityId"]: row for row in api.get("/api/integrations/outbox").json()["items"]}
    assert {name: rows["c2"][name] for name in ("cause", "owner", "retriable", "inDoubt", "mend")} == {
        "cause": "in-doubt", "owner": "provider", "retriable": True, "inDoubt": True, "mend": None,
    }  # fmt: skip
    assert {rows["c1"][name] for name in ("cause", "owner", "retriable", "mend")} == {None}
    assert rows["c1"]["inDoubt"] is False


def test_an_order_s_status_tells_doubt_and_owner_to_staff(api: Api) -> None:
    seed(api)
    api.send("PUT", "/api/commerce/products/p1", {"id": "p1", "name": "Tea"})
    api.send("PUT", "/api/commerce/orders/o1", ORDER)
    fail(api, LOST, "o1")
    (shown,) = api.get("/api/orders/o1/sync-status").json()["providers"]
    assert (shown["state"], shown["inDoubt"], shown["owner"], shown["cause"]) == (
        "inDoubt", True, "provider", "in-doubt",
    )  # fmt: skip
    (public,) = api.get("/api/orders/o1/sync-status", role="Customer", customer_id="c1").json()["providers"]
    assert (public["inDoubt"], public["owner"], public["cause"]) == (True, None, None)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (AnswerLost("Lost."), {"retriable": True, "inDoubt": True, "owner": "provider", "cause": "in-doubt"}),
        (
            Rejected("No.", cause="total-differs", mend=""),
            {"retriable": False, "inDoubt": False, "owner": "bookkeeper", "cause": "total-differs"},
        ),
    ],
)
def test_an_erp_error_says_whose_it_is_and_whether_to_try_again(api: Api, error: Exception, told: Any) -> None:
    body = failing(api, error).json()
    assert {name: body[name] for name in told} == told
