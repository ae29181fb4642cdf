from __future__ import annotations

import json
from typing import Any

import pytest

from erp_pipelines.storage.notify import listening
from tests.integration.access.fakes import connect, scalar, sign
from tests.integration.web.conftest import Api
from webhook_api.limits import Pace

URL = "/api/integrations/quickbooks/webhook"
OLDER = {"eventNotifications": [{"realmId": "9130", "dataChangeEvent": {"entities": [
    {"name": "Invoice", "id": "130", "operation": "Update", "lastUpdated": "2026-01-08T20:52:31.657Z"},
    {"name": "Payment", "id": "7", "operation": "Create", "lastUpdated": "2026-01-08T20:52:31.657Z"},
]}}]}  # fmt: skip


def event(number: int, company: str = "9130") -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": f"e-{number}", "source": "intuit.made-up=", "type": "qbo.invoice.updated.v1",
        "time": "2026-01-08T20:52:31Z", "intuitentityid": str(number), "intuitaccountid": company, "data": {},
    }  # fmt: skip


def post(api: Api, value: Any, *, content_type: str = "application/json", signature: str | None = None) -> Any:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    headers = {"Content-Type": content_type, "X-Signature": sign(body) if signature is None else signature}
    return api.client.post(URL, content=body, headers=headers)


def stored(api: Api) -> int:
    return int(scalar(api.runtime.db, "select count(*) from erp.integration_inbox"))


@pytest.mark.parametrize("content_type", ["application/json", "application/cloudevents+json", "text/plain"])
def test_both_shapes_are_stored_and_acknowledged(api: Api, content_type: str) -> None:
    connect(api.runtime)
    assert post(api, OLDER, content_type=content_type).json() == {"new": 2, "duplicates": 0, "unknown": 0}
    assert post(api, [event(1), event(2)], content_type=content_type).json()["new"] == 2
    assert scalar(api.runtime.db, "select string_agg(distinct tenant_id, ',') from erp.integration_inbox") == "acme"
    assert scalar(api.runtime.db, "select count(*) from erp.integration_inbox where status = 'Pending'") == 4


def test_a_redelivery_changes_nothing(api: Api) -> None:
    connect(api.runtime)
    for expected in ({"new": 2, "duplicates": 0}, {"new": 0, "duplicates": 2}):
        answer = post(api, [event(1), event(2)])
        assert answer.status_code == 200
        assert expected.items() <= answer.json().items()
    assert post(api, [event(2), event(3), event(3)]).json() == {"new": 1, "duplicates": 2, "unknown": 0}
    assert stored(api) == 3


@pytest.mark.parametrize("signature", ["", "forged", "é"])
def test_a_forged_delivery_is_refused_and_nothing_of_it_stored(api: Api, signature: str) -> None:
    connect(api.runtime)
    body = json.dumps([event(1)]).encode()
    answer = api.client.post(URL, content=body, headers={"X-Signature": signature.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.json()["code"] == "signature-invalid"
    assert stored(api) == 0


def test_the_signature_is_over_the_raw_bytes(api: Api) -> None:
    connect(api.runtime)
    body = json.dumps([event(1)]).encode()
    assert api.client.post(URL, content=body + b"\n", headers={"X-Signature": sign(body)}).status_code == 401
    assert api.client.post(URL, content=body).status_code == 401
    assert post(api, b"[ \n" + json.dumps(event(1)).encode() + b"]").json()["new"] == 1


def test_notices_of_unknown_companies_are_acknowledged_and_dropped(api: Api) -> None:
    connect(api.runtime)
    assert post(api, [event(1), event(2, "4711")]).json() == {"new": 1, "duplicates": 0, "unknown": 1}
    assert stored(api) == 1


def test_each_notice_goes_to_the_tenant_of_its_company(api: Api) -> None:
    api.oauth.companies["9140"] = "Other Books"
    connect(api.runtime, "acme")
    connect(api.runtime, "beta", company_id="9140", code="code-2")
    post(api, [event(1), event(2, "9140"), event(3)])
    by_tenant = scalar(
        api.runtime.db,
        "select string_agg(tenant_id || ' ' || external_id, ',' order by external_id) from erp.integration_inbox",
    )
    assert by_tenant == "acme 1,beta 2,acme 3"


def test_waiting_workers_are_told(api: Api) -> None:
    connect(api.runtime)
    with listening(api.runtime.db) as listener:
        post(api, [event(1), event(2)])
        assert listener.wait(5) == "acme:quickbooks"
        post(api, [event(1), event(2)])
        assert listener.wait(0.2) is None


def test_a_signed_body_that_is_no_delivery_does_not_hold_up_the_stream(api: Api) -> None:
    connect(api.runtime)
    assert post(api, b"not json at all").status_code == 200
    assert stored(api) == 0
    assert 'result="unreadable"} 1.0' in api.client.get("/metrics").text


def test_a_huge_body_is_not_read(api: Api) -> None:
    connect(api.runtime)
    answer = post(api, b" " * 1_000_001)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too-large"


def test_thousands_of_notices_in_one_delivery(api: Api) -> None:
    connect(api.runtime)
    entities = [
        {"name": "Item", "id": str(n), "operation": "Update", "lastUpdated": "2026-01-08T20:52:31Z"}
        for n in range(9000)
    ]
    answer = post(api, {"eventNotifications": [{"realmId": "9130", "dataChangeEvent": {"entities": entities}}]})
    assert answer.json()["new"] == 9000


def test_an_id_longer_than_the_column_is_still_one_notice(api: Api) -> None:
    connect(api.runtime)
    long = {**event(1), "id": "x" * 300}
    assert [post(api, [long]).json()["new"] for _ in range(2)] == [1, 0]


def test_too_many_deliveries_a_minute_are_put_off(api: Api) -> None:
    api.client.app.state.webhook_pace = Pace(per_minute=1, burst=2)
    answers = [post(api, b"{}", signature="forged") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
