from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient

from erp_pipelines.access import connections
from erp_pipelines.domain.errors import SettingsInvalid, Throttled, Unavailable
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import Database
from tests.integration.access.fakes import connect
from tests.integration.web.conftest import SECRET, Api
from webhook_api import middleware
from webhook_api.auth import AuthConfig
from webhook_api.main import create_app

PLANTED = "s3cr3t-planted-value"
MEMBERS = {"type", "title", "status", "detail", "code", "instance", "requestId"}


def test_alive_and_ready(api: Api) -> None:
    assert api.client.get("/health/live").json() == {"status": "alive"}
    assert api.client.get("/health/ready").json() == {"status": "ready", "schema": migrations.head()}


def test_not_ready_on_an_old_schema(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "head", lambda: "9999")
    answer = api.client.get("/health/ready")
    assert answer.status_code == 503
    assert "erp migrate" in answer.json()["detail"]


def test_ready_on_the_schema_of_a_newer_release(api: Api) -> None:
    """In the midst of an upgrade, and after going back: nobody may take the old release out of service for it."""
    with api.runtime.db.system() as conn:
        conn.execute(sa.text("update erp.alembic_version set version_num = '9999'"))
    try:
        answer = api.client.get("/health/ready")
    finally:
        with api.runtime.db.system() as conn:
            conn.execute(sa.text("update erp.alembic_version set version_num = :head"), {"head": migrations.head()})
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "schema": "9999"})


def test_without_a_database_it_is_alive_but_not_ready(api: Api) -> None:
    nowhere = Database.connect("postgresql://erp:made-up@127.0.0.1:9/erp")
    app = create_app(dataclasses.replace(api.runtime, db=nowhere), AuthConfig(secret=SECRET))
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/health/live").status_code == 200
        ready = client.get("/health/ready")
        listed = client.get("/api/integrations/connections", headers=api.as_("Admin"))
    for answer in (ready, listed):
        assert (answer.status_code, answer.json()["code"]) == (503, "database-down")
        assert "made-up" not in answer.text
        assert answer.headers["retry-after"]


def test_figures_name_routes_not_paths(api: Api) -> None:
    api.get("/api/integrations/connections/quickbooks")
    api.client.get("/made/up/path")
    api.client.request("MADEUP", "/health/live")
    text = api.client.get("/metrics").text
    assert 'route="/api/integrations/connections/{provider}",status="200"' in text
    assert 'route="unmatched",status="404"' in text
    assert "/made/up/path" not in text
    assert "MADEUP" not in text


def test_a_problem_has_all_its_members(api: Api) -> None:
    answer = api.client.get("/api/integrations/connections", headers={"X-Request-ID": "abc-123"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    body = answer.json()
    assert set(body) == MEMBERS
    assert (body["status"], body["code"], body["requestId"]) == (401, "unauthenticated", "abc-123")
    assert body["instance"] == "/api/integrations/connections"


def test_request_ids_are_taken_when_plain_and_made_otherwise(api: Api) -> None:
    for given in ("", "x" * 65, "two words", "a\tb"):
        made = api.client.get("/health/live", headers={"X-Request-ID": given}).headers["x-request-id"]
        assert len(made) == 32
    assert api.client.get("/health/live", headers={"X-Request-ID": "a.b_c-1"}).headers["x-request-id"] == "a.b_c-1"


def test_what_a_request_logs_carries_its_id(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(api.runtime)
    # A logger keeps the processors of its first use, whichever test that was in.
    monkeypatch.setattr(connections, "log", structlog.get_logger("erp.access"))
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        api.client.put(
            "/api/integrations/connections/quickbooks/settings",
            json={"incomeAccountId": "79"},
            headers=api.as_("Admin") | {"X-Request-ID": "the-one"},
        )
    assert [(line["event"], line["request_id"]) for line in lines] == [("settings changed", "the-one")]


def test_answers_carry_safe_headers(api: Api) -> None:
    for path in ("/health/live", "/api/integrations/connections", "/made/up", "/openapi.json"):
        headers = api.client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cross-origin-resource-policy"] == headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["strict-transport-security"]
        assert "default-src 'none'" in headers["content-security-policy"]
    assert api.client.get("/docs").status_code == 404


def test_what_was_sent_is_not_echoed(api: Api) -> None:
    for body in ({"id": "c1", "name": "C", "email": [PLANTED]}, {"id": "c1", "name": {"x": PLANTED}}, [PLANTED]):
        answer = api.send("PUT", "/api/commerce/customers/c1", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "request-invalid")
        assert answer.json()["errors"]
        assert PLANTED not in answer.text
    broken = api.client.put(
        "/api/commerce/customers/c1",
        content=f'{{"secret": "{PLANTED}',
        headers={"Content-Type": "application/json"} | api.as_("Admin"),
    )
    assert broken.status_code == 422
    assert PLANTED not in broken.text


def test_a_body_without_end_is_cut_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "LARGEST_BODY", 100)
    parts = iter([b"x" * 60] * 1000)
    answer = api.client.put("/api/commerce/customers/c1", content=parts, headers=api.as_("Admin"))
    assert (answer.status_code, answer.json()["code"]) == (413, "request-entity-too-large")
    visitor = api.client.post("/console/login", data={"token": "x" * 200}, headers={"Cookie": "erp_sign_in=x"})
    assert visitor.status_code == 413


def test_who_needs_no_token_is_slowed_down_by_address(api: Api) -> None:
    while not api.client.app.state.public_pace.wait("testclient"):
        pass
    for path in ("/health/live", "/metrics", "/api/integrations/quickbooks/callback"):
        answer = api.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
        assert int(answer.headers["retry-after"]) > 0
    assert api.get("/api/integrations/connections").status_code == 200


def failing(api: Api, error: Exception) -> Any:
    app: FastAPI = api.client.app

    @app.get("/fails")
    def fails() -> None:
        raise error

    return api.client.get("/fails")


def test_an_unforeseen_error_shows_nothing(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    answer = failing(api, RuntimeError(PLANTED))
    assert answer.status_code == 500
    assert set(answer.json()) == MEMBERS
    assert answer.json()["requestId"] == answer.headers["x-request-id"]
    assert PLANTED not in answer.text + json.dumps(dict(answer.headers))
    logged = "".join(capsys.readouterr())
    assert "RuntimeError" in logged
    assert PLANTED not in logged


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (sa.exc.OperationalError(PLANTED, {"p": PLANTED}, Exception(PLANTED)), 503),
        (sa.exc.DataError(PLANTED, {"p": PLANTED}, Exception(PLANTED)), 422),
        (sa.exc.IntegrityError(PLANTED, {"p": PLANTED}, Exception(PLANTED)), 500),
        (Unavailable("The ERP does not answer."), 502),
        (Throttled("Too fast.", retry_after=3), 503),
        (SettingsInvalid("ERP_X is wrong."), 500),
    ],
)
def test_errors_become_problems(api: Api, error: Exception, status: int) -> None:
    answer = failing(api, error)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert PLANTED not in answer.text


def test_unknown_paths_and_methods_are_problems_too(api: Api) -> None:
    assert api.client.get("/made/up").json()["code"] == "not-found"
    wrong = api.client.delete("/health/live")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method-not-allowed")
    assert "GET" in wrong.headers["allow"]
