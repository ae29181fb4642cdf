"""How complete our picture of an ERP is, where it differs, and what it costs: over HTTP."""

from __future__ import annotations

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage import checkpoints, drifts, inbox_intake, usage
from erp_pipelines.storage.inbox_intake import NewNotice
from tests.integration.access.fakes import connect
from tests.integration.web.conftest import Api

KEY = ConnectionKey("acme", "quickbooks")


def found(api: Api, *fields: str, entity_id: str = "c1") -> None:
    with api.runtime.db.tenant("acme") as conn:
        pairs = {field: (None, field.upper()) for field in fields}
        drifts.put(conn, KEY, "Customer", entity_id, "7", pairs, now=api.runtime.clock.now())


def test_drift_is_listed_in_pages(api: Api) -> None:
    connect(api.runtime)
    found(api, "email", "phone")
    found(api, "name", entity_id="c2")
    first = api.get("/api/integrations/drift/quickbooks?pageSize=2", role="SalesManager").json()
    assert first["items"][0] == {
        "entityType": "Customer", "entityId": "c1", "externalId": "7", "field": "email", "ours": None, "theirs": "EMAIL",
        "seenAt": "2026-03-02T09:00:00Z",
    }  # fmt: skip
    rest = api.get(f"/api/integrations/drift/quickbooks?pageSize=2&cursor={first['nextCursor']}").json()
    assert [(one["entityId"], one["field"]) for one in first["items"] + rest["items"]] == [
        ("c1", "email"),
        ("c1", "phone"),
        ("c2", "name"),
    ]
    assert rest["nextCursor"] is None
    assert api.get("/api/integrations/drift/quickbooks", tenant="beta").json()["items"] == []
    assert api.get("/api/integrations/drift/quickbooks?cursor=nonsense").status_code == 422
    assert api.get("/api/integrations/drift/quickbooks", role="SalesRep").status_code == 403


def test_how_complete_the_picture_is(api: Api) -> None:
    connect(api.runtime)
    path, now = "/api/integrations/inbound/quickbooks", api.runtime.clock.now()
    assert api.get(path).json() == {
        "provider": "quickbooks", "lastPullAt": None, "lastPullError": None, "missedNotices": 0, "driftingRecords": 0,
    }  # fmt: skip
    found(api, "email", "phone")
    with api.runtime.db.tenant("acme") as conn:
        checkpoints.save(conn, KEY, "changes", "1", now=now, done=True)
        inbox_intake.insert(
            conn, [NewNotice(KEY, "pulled:1", "company", "Invoice", "1", "Changed", now, changed_at=now)]
        )
    api.runtime.clock.advance(minutes=20)
    assert api.get(path).json() == {
        "provider": "quickbooks", "lastPullAt": "2026-03-02T09:00:00Z", "lastPullError": None, "missedNotices": 1,
        "driftingRecords": 1,
    }  # fmt: skip
    assert 'erp_missed_notices{provider="quickbooks"} 1.0' in api.client.get("/metrics").text
    assert api.get(path, tenant="beta").status_code == 404


def test_the_budget(api: Api) -> None:
    connect(api.runtime)
    assert api.send("PUT", "/api/integrations/connections/quickbooks/settings", {"readsPerMonth": 5}).status_code == 200
    with api.runtime.db.tenant("acme") as conn:
        usage.add(conn, KEY, day=api.runtime.clock.now().date(), reads=7, writes=3)
    assert api.get("/api/integrations/budget").json()["items"] == [
        {"provider": "quickbooks", "month": "2026-03-01", "reads": 7, "writes": 3, "forecastReads": 214,
         "readsPerMonth": 5, "spent": True}
    ]  # fmt: skip
    assert api.get("/api/integrations/budget", tenant="beta").json()["items"] == []
    assert 'erp_calls_this_month{kind="read",provider="quickbooks"} 7.0' in api.client.get("/metrics").text


def test_fields_that_follow_the_erp_are_known_ones(api: Api) -> None:
    connect(api.runtime)
    path = "/api/integrations/connections/quickbooks/settings"
    answer = api.send("PUT", path, {"customerFieldsFromErp": ["email", "taxExempt"]})
    assert answer.json()["settings"]["customerFieldsFromErp"] == ["email", "taxExempt"]
    assert api.send("PUT", path, {"customerFieldsFromErp": ["shoeSize"]}).status_code == 422
