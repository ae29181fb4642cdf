"""The API's description: whole, with examples that are what they are examples of, and names that stay."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient

from erp_pipelines.storage.engine import Database
from tests.integration.access.fakes import make_runtime
from tests.integration.web.conftest import SECRET
from tests.support.clock import FakeClock
from webhook_api.auth import AuthConfig
from webhook_api.examples import EXAMPLES
from webhook_api.main import create_app
from webhook_api.openapi import operations

OPEN = {
    "health_live", "health_ready", "health_metrics", "quickbooks_callback", "quickbooks_receive",
}  # fmt: skip


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """It needs no database."""
    nowhere = Database.connect("postgresql://erp:made-up@127.0.0.1:9/erp")
    with TestClient(create_app(make_runtime(nowhere, FakeClock()), AuthConfig(secret=SECRET))) as client:
        return client.get("/openapi.json").json()


def bodies(operation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The schemas of an operation's JSON bodies, sent and answered, by media type."""
    places = [operation.get("requestBody", {}), *operation["responses"].values()]
    return [
        (media, body["schema"])
        for place in places
        for media, body in place.get("content", {}).items()
        if "schema" in body
    ]


def test_every_named_body_has_an_example_that_fits_it(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    used = {
        schema["$ref"].rpartition("/")[2]
        for _, _, operation in operations(described)
        for _, schema in bodies(operation)
        if "$ref" in schema
    }
    without = sorted(name for name in used if not schemas[name].get("examples"))
    assert without == [], "give them an entry in webhook_api/examples.py"
    for name in used:
        whole = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        validator = jsonschema_rs.Draft202012Validator(whole)
        for example in schemas[name]["examples"]:
            assert [error.message for error in validator.iter_errors(example)] == [], name


def test_no_example_is_of_nothing(described: dict[str, Any]) -> None:
    assert sorted(set(EXAMPLES) - set(described["components"]["schemas"])) == []


def test_the_description_is_of_version_3_1_with_stable_names(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    names = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(set(names)) == len(names)
    assert {"connections_get_all", "sync_start", "logs_export", "commerce_save_order", "status_order_badges"} <= set(
        names
    )
    assert not [path for path in described["paths"] if path.startswith("/console")]


def test_every_operation_says_who_may_call_and_how_it_fails(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        is_open = operation["operationId"] in OPEN
        assert bool(operation.get("security")) is not is_open, path
        answers = operation["responses"]
        assert {"500", "503"} | ({"429"} if is_open else {"401", "403"}) <= set(answers), (method, path)
        for status, answer in answers.items():
            assert answer["headers"]["X-Request-ID"]
            if int(status) >= 400:
                assert "application/problem+json" in answer["content"], (path, status)


def test_the_description_asks_for_nothing_that_fastapi_made_up(described: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in str(described)
