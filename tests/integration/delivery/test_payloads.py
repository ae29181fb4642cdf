"""What was said to the ERP and by it, in the sync log: of failures, or of everything; masked, cut, and under which settings."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from erp_pipelines.connectors.http import HttpResponse
from erp_pipelines.delivery import payloads
from erp_pipelines.security.personal import HIDDEN
from erp_twins.quickbooks import operations
from erp_twins.quickbooks.entities import SCHEMAS
from tests.support.books import Shop
from tests.support.factories import make_customer

EMAIL = "made.up@example.com"


@pytest.fixture
def shop(database, clock):
    return Shop(database, clock)


def logged(shop):
    return shop.rows(
        "select status, request_payload, response_payload, settings_version from erp.integration_sync_logs order by started_at"
    )


def refuse(shop, code="6000", **changes):
    fault = {
        "Fault": {
            "Error": [{"Message": f"No, {EMAIL}", "Detail": "Not today", "code": code}],
            "type": "ValidationFault",
        }
    }

    def answer(request):
        if request.method != "POST" or "/customer" not in request.url.path:
            return None
        return HttpResponse(400, json=fault, headers={"intuit_tid": "1-abc"})

    shop.answering = answer


def test_a_failure_shows_what_was_said(shop):
    shop.customer(email=EMAIL)
    refuse(shop)
    shop.serve()
    [(status, request, response, version)] = logged(shop)
    assert (status, version) == ("Failed", 1)
    call = request["calls"][-1]
    assert (call["kind"], call["method"]) == ("customer.create", "POST")
    assert call["url"].endswith("/customer")
    assert call["query"]["requestid"]
    assert call["body"]["PrimaryEmailAddr"] == {"Address": HIDDEN}
    assert call["body"]["DisplayName"] == make_customer().name
    assert response["calls"][-1] == {
        "kind": "customer.create", "status": 400, "requestId": "1-abc",
        "body": {"Fault": {"Error": [{"Message": f"No, {HIDDEN}", "Detail": "Not today", "code": "6000"}], "type": "ValidationFault"}},
    }  # fmt: skip
    assert EMAIL not in json.dumps([request, response])


def test_what_went_well_is_not_kept(shop):
    shop.customer()
    shop.serve()
    assert [(status, request, response) for status, request, response, _ in logged(shop)] == [("Completed", None, None)]


def test_diagnostic_mode_keeps_everything_and_is_a_version_of_the_settings(shop):
    shop.settings(diagnosticMode=True)
    shop.customer(email=EMAIL)
    shop.serve()
    [(status, request, response, version)] = logged(shop)
    assert (status, version) == ("Completed", 2)
    assert request["calls"][-1]["kind"] == "customer.create"
    assert response["calls"][-1]["body"]["Customer"]["PrimaryEmailAddr"] == {"Address": HIDDEN}
    assert EMAIL not in json.dumps([request, response])


def test_a_lost_answer_is_told_as_such(shop):
    shop.customer()
    shop.twin.add_fault("drop_after_commit", operation="create", times=None)
    shop.serve()
    [(_, request, response, _)] = logged(shop)
    failures = [call["failure"] for call in response["calls"] if "failure" in call]
    assert failures
    assert all("no answer" in failure for failure in failures)
    assert len(request["calls"]) == len(response["calls"]) <= 5


def test_of_a_batch_each_record_keeps_its_own(shop):
    shop.settings(documentsWhen="confirmed")
    for number in range(8):
        shop.customer(f"c{number}", email=f"c{number}@example.com")
    shop.product()
    shop.serve()
    for number in range(8):
        shop.order(f"o{number}", paid=False, customer_id=f"c{number}")
    with shop.twin.lock:
        item = shop.company.items[-1]
        operations.update(shop.company, SCHEMAS["Item"], {**item, "Active": False, "sparse": True})
    shop.serve()
    kept = shop.rows(
        "select entity_id, request_payload, response_payload from erp.integration_sync_logs where status = 'Failed' order by entity_id"
    )
    assert [entity_id for entity_id, _, _ in kept] == [f"o{number}" for number in range(8)]
    for entity_id, request, response in kept:
        [call] = request["calls"]
        [answered] = response["calls"]
        [item] = call["body"]["BatchItemRequest"]
        assert item["Invoice"]["DocNumber"] == entity_id
        assert [one["bId"] for one in answered["body"]["BatchItemResponse"]] == [item["bId"]]


def test_calls_for_tokens_are_never_kept(shop):
    shop.settings(diagnosticMode=True)
    shop.clock.advance(7200)
    shop.customer()
    shop.serve()
    kinds = {call["kind"] for _, request, _, _ in logged(shop) for call in request["calls"]}
    assert kinds
    assert not any("token" in kind for kind in kinds)


def test_a_long_body_is_cut(monkeypatch, shop):
    monkeypatch.setattr(payloads, "LARGEST_BODY", 40)
    shop.settings(diagnosticMode=True)
    shop.customer()
    shop.serve()
    call = logged(shop)[0][1]["calls"][-1]
    assert "body" not in call
    assert len(call["bodyBeginning"]) == 40
    assert call["bodyLength"] > 40


def test_amounts_are_kept_as_the_numbers_they_are(shop):
    shop.settings(diagnosticMode=True, documentsWhen="confirmed")
    shop.customer()
    shop.product()
    shop.order(paid=False)
    shop.serve()
    text = "select request_payload #>> '{calls,-1,body,Line,0,Amount}' from erp.integration_sync_logs where entity_type = 'Order'"
    [(amount,)] = shop.rows(text)
    assert Decimal(amount) == Decimal("25.00")
