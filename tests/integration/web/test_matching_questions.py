"""Questions about records that look like some of the ERP's, over HTTP."""

from __future__ import annotations

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage import questions
from tests.integration.access.fakes import connect
from tests.integration.web.conftest import Api

KEY, PATH = ConnectionKey("acme", "quickbooks"), "/api/integrations/matching/quickbooks"
CANDIDATE = {"id": "7", "name": "Acme Limited", "reason": "similar", "likeness": 0.8}


def ask(api: Api, *ids: str) -> None:
    connect(api.runtime)
    with api.runtime.db.tenant("acme") as conn:
        for entity_id in ids:
            questions.ask(conn, KEY, "Customer", entity_id, "Acme Ltd", [CANDIDATE], now=api.runtime.clock.now())


def test_open_questions_in_pages(api: Api) -> None:
    ask(api, "c1", "c2", "c3")
    first = api.get(f"{PATH}?pageSize=2", role="SalesManager").json()
    assert first["items"][0] == {
        "entityType": "Customer", "entityId": "c1", "name": "Acme Ltd", "candidates": [CANDIDATE],
        "askedAt": "2026-03-02T09:00:00Z", "decidedAt": None, "decidedBy": None, "externalId": None,
    }  # fmt: skip
    rest = api.get(f"{PATH}?pageSize=2&cursor={first['nextCursor']}").json()
    assert [one["entityId"] for one in rest["items"]] == ["c3"]
    assert api.get(PATH, tenant="beta").json()["items"] == []
    assert api.get(PATH, role="SalesRep").status_code == 403


def test_an_admin_decides_once(api: Api) -> None:
    ask(api, "c1")
    body = {"entityType": "Customer", "entityId": "c1", "externalId": None}
    assert api.send("POST", PATH, body, role="SalesManager").status_code == 403
    assert api.send("POST", PATH, body, tenant="beta").status_code == 404
    assert api.send("POST", PATH, {**body, "externalId": "8"}).status_code == 422
    answer = api.send("POST", PATH, body)
    assert (answer.status_code, answer.json()["decidedBy"], answer.json()["externalId"]) == (200, "ann", None)
    assert api.send("POST", PATH, body).status_code == 409
    assert api.get(PATH).json()["items"] == []
    assert [one["entityId"] for one in api.get(f"{PATH}?decided=true").json()["items"]] == ["c1"]


def test_a_provider_whose_lists_cannot_be_read_is_a_conflict(api: Api) -> None:
    connect(api.runtime)
    answer = api.send("POST", f"{PATH}/run")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
