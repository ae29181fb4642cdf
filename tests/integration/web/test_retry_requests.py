"""A sales manager asks for a retry, an admin decides."""

from __future__ import annotations

import pytest

from tests.integration.access.fakes import scalar
from tests.integration.web.conftest import Api
from tests.integration.web.test_errors import INACTIVE, LOST, fail, seed

PATH = "/api/integrations/sync/quickbooks/retry-requests"


def ask(api: Api, body: dict[str, str], role: str = "SalesManager"):
    return api.send("POST", PATH, body, role=role)


def pending(api: Api) -> int:
    return scalar(
        api.runtime.db, "select count(*) from erp.integration_deliveries where status = 'Pending' and cause is not null"
    )


def test_asking_changes_nothing_until_an_admin_approves(api: Api) -> None:
    seed(api)
    fail(api, INACTIVE, "c1", "c2")
    fail(api, LOST, "c3")
    answer = ask(api, {"cause": "inactive", "note": "They are active again."})
    asked = answer.json()
    assert (answer.status_code, asked["state"], asked["requestedBy"], asked["decidedBy"]) == (202, "open", "ann", None)
    assert pending(api) == 0
    assert api.send("POST", f"{PATH}/{asked['id']}/approve").json() == {"retried": 2}
    assert pending(api) == 2
    [listed] = api.get(PATH).json()["items"]
    assert (listed["state"], listed["retried"], listed["decidedBy"]) == ("approved", 2, "ann")


def test_asked_again_it_is_the_same_until_it_is_decided(api: Api) -> None:
    seed(api)
    fail(api, INACTIVE, "c1")
    for body in ({"cause": "inactive"}, {}, {"entityType": "Customer", "entityId": "c1"}):
        first = ask(api, body).json()["id"]
        assert ask(api, body | {"note": "again"}, role="Admin").json()["id"] == first
        assert api.send("POST", f"{PATH}/{first}/decline").status_code == 204
        assert ask(api, body).json()["id"] != first
    assert pending(api) == 0
    assert len(api.get(f"{PATH}?open=true").json()["items"]) == 3
    assert len(api.get(PATH).json()["items"]) == 6


def test_one_record_is_retried_alone(api: Api) -> None:
    seed(api)
    fail(api, INACTIVE, "c1", "c2")
    request = ask(api, {"entityType": "Customer", "entityId": "c2"}).json()["id"]
    assert api.send("POST", f"{PATH}/{request}/approve").json() == {"retried": 1}
    assert (
        scalar(
            api.runtime.db,
            "select entity_id from erp.integration_deliveries where status = 'Pending' and cause is not null",
        )
        == "c2"
    )


def test_a_decision_is_made_once(api: Api) -> None:
    seed(api)
    fail(api, INACTIVE, "c1")
    request = ask(api, {}).json()["id"]
    assert api.send("POST", f"{PATH}/{request}/decline").status_code == 204
    again = api.send("POST", f"{PATH}/{request}/approve")
    assert (again.status_code, "declined this request already" in again.json()["detail"]) == (409, True)
    assert pending(api) == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"entityType": "Customer"}, 422),
        ({"entityId": "c1"}, 422),
        ({"entityType": "Bill", "entityId": "1"}, 422),
        ({"cause": "x", "entityType": "Customer", "entityId": "c1"}, 422),
        ({"note": "n" * 501}, 422),
        ({"other": 1}, 422),
    ],
)
def test_half_a_request_is_refused(api: Api, body: dict[str, str], status: int) -> None:
    seed(api)
    assert ask(api, body).status_code == status
    assert api.get(PATH).json()["items"] == []


def test_requests_are_walked_in_pages(api: Api) -> None:
    seed(api)
    ids = [ask(api, {"cause": f"cause-{number}"}).json()["id"] for number in range(5)]
    first = api.get(f"{PATH}?pageSize=3").json()
    second = api.get(f"{PATH}?pageSize=3&cursor={first['nextCursor']}").json()
    assert [item["id"] for item in first["items"] + second["items"]] == ids[::-1]
    assert second["nextCursor"] is None
    assert api.get(f"{PATH}?cursor=x").status_code == 422
