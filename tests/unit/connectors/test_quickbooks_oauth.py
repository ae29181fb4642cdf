"""Consent, refresh, revocation and description against a scripted Intuit."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from erp_pipelines.connectors.http import MockTransport
from erp_pipelines.connectors.provider import Connector
from erp_pipelines.connectors.quickbooks.connector import QuickBooksConnector
from erp_pipelines.domain import errors
from tests.support.clock import FakeClock
from tests.unit.connectors.connector_support import CONFIG, Scripted, Step, answer

TOKENS = {
    "token_type": "bearer",
    "access_token": "access",
    "expires_in": 3600,
    "refresh_token": "refresh-2",
    "x_refresh_token_expires_in": 8726400,
}


def oauth(*steps: Step):
    provider = Scripted(*steps)
    connector: Connector = QuickBooksConnector(CONFIG, transport=MockTransport(provider), clock=FakeClock())
    return connector.oauth, provider


def form(request: httpx.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


def test_authorize_url():
    url = urlsplit(oauth(answer(200))[0].authorize_url(state="s 1", redirect_uri="https://shop.example.test/cb?a=b"))
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://appcenter.intuit.com/connect/oauth2"
    assert parse_qs(url.query) == {
        "client_id": ["client"],
        "response_type": ["code"],
        "scope": ["com.intuit.quickbooks.accounting"],
        "redirect_uri": ["https://shop.example.test/cb?a=b"],
        "state": ["s 1"],
    }


def test_exchange():
    flow, intuit = oauth(answer(200, TOKENS))
    grant = flow.exchange(code="c", redirect_uri="https://shop.example.test/cb")
    assert (grant.access_token, grant.refresh_token) == ("access", "refresh-2")
    assert (grant.access_expires_in, grant.refresh_expires_in) == (3600, 8726400)
    request = intuit.requests[0]
    assert form(request) == {
        "grant_type": "authorization_code",
        "code": "c",
        "redirect_uri": "https://shop.example.test/cb",
    }
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"client:client-secret").decode()
    assert str(request.url) == CONFIG.token_url
    assert not {"'access'", "refresh-2"} & set(repr(grant).replace("=", " ").split())


@pytest.mark.parametrize(
    ("status", "body", "mend"),
    [
        (401, {"error": "invalid_client"}, "ERP_QUICKBOOKS_CLIENT_SECRET"),
        (
            400,
            {"error": "invalid_grant", "error_description": "Invalid authorization code"},
            "start again with Connect",
        ),
        (400, {"error": "invalid_request"}, "redirect address is registered"),
        (400, {"error": "sent secret-code back"}, "Try again"),
        (400, "<html>", "Try again"),
    ],
)
def test_refused_exchange_tells_what_to_do(status, body, mend):
    with pytest.raises(errors.ConsentRefused, match=mend) as refused:
        oauth(answer(status, body))[0].exchange(code="c", redirect_uri="u")
    assert "secret-code" not in str(refused.value)


@pytest.mark.parametrize(
    "step", [httpx.ReadTimeout("x"), answer(503, {}), answer(200, "<html>"), answer(200, {"a": 1})]
)
def test_exchange_that_is_not_heard_is_unavailable(step):
    with pytest.raises(errors.Unavailable):
        oauth(step)[0].exchange(code="c", redirect_uri="u")


def test_refresh_gives_the_rotated_token():
    flow, intuit = oauth(answer(200, TOKENS))
    assert flow.refresh("refresh-1").refresh_token == "refresh-2"
    assert form(intuit.requests[0]) == {"grant_type": "refresh_token", "refresh_token": "refresh-1"}


def test_refresh_is_tried_once_more_with_the_same_token():
    flow, intuit = oauth(httpx.ReadTimeout("x"), answer(200, TOKENS))
    flow.refresh("refresh-1")
    assert [form(request)["refresh_token"] for request in intuit.requests] == ["refresh-1", "refresh-1"]
    with pytest.raises(errors.Unavailable):
        oauth(answer(503, {}))[0].refresh("refresh-1")


@pytest.mark.parametrize(
    ("status", "reason", "mend"),
    [(400, "invalid_grant", "Reconnect QuickBooks"), (400, "invalid_request", "refused to renew")],
)
def test_dead_grant_is_a_lost_connection(status, reason, mend):
    flow, intuit = oauth(answer(status, {"error": reason}))
    with pytest.raises(errors.ConnectionLost, match=mend) as lost:
        flow.refresh("refresh-1")
    assert (lost.value.erp_code, lost.value.request_id) == (reason, "1-abc")
    assert len(intuit.requests) == 1


def test_throttled_refresh_asks_for_a_pause():
    with pytest.raises(errors.Throttled):
        oauth(answer(429, {}))[0].refresh("refresh-1")


@pytest.mark.parametrize("status", [200, 400])
def test_revoke_takes_a_dead_token_for_done(status):
    flow, intuit = oauth(answer(status, ""))
    flow.revoke("refresh-1")
    assert json.loads(intuit.requests[0].content) == {"token": "refresh-1"}
    assert str(intuit.requests[0].url) == CONFIG.revoke_url


def test_wrong_keys_of_ours_cost_no_tenant_its_grant():
    flow, _ = oauth(answer(401, {"error": "invalid_client"}))
    with pytest.raises(errors.Misconfigured, match="ERP_QUICKBOOKS_CLIENT_SECRET") as refused:
        flow.refresh("refresh-1")
    assert not isinstance(refused.value, errors.ConnectionLost)
    assert refused.value.retry_after == 120


def test_revoke_that_fails_says_so():
    with pytest.raises(errors.SettingsInvalid):
        oauth(answer(401, {"error": "invalid_client"}))[0].revoke("t")
    with pytest.raises(errors.Unavailable):
        oauth(answer(500, ""))[0].revoke("t")


# --- the company ---


def company(preferences: dict, accounts: list, codes: list | None = None, country: str = "US"):
    info = {"CompanyInfo": {"CompanyName": "Harbor Foods", "Country": country, "DefaultTimeZone": "America/Toronto"}}
    rows = [answer(200, {"QueryResponse": {"Account": accounts} if accounts else {}})]
    if codes is not None:
        rates = [{"Id": "70", "RateValue": 13}, {"Id": "71", "RateValue": 9.975}]
        rows += [answer(200, {"QueryResponse": {"TaxRate": rates}}), answer(200, {"QueryResponse": {"TaxCode": codes}})]
    flow, intuit = oauth(answer(200, info), answer(200, {"Preferences": preferences}), *rows)
    found = flow.describe(company_id="42", access_token="access")
    assert {request.headers["authorization"] for request in intuit.requests} == {"Bearer access"}
    return found, intuit


def test_description_of_a_company():
    preferences = {
        "SalesFormsPrefs": {"CustomTxnNumbers": True, "AllowShipping": False, "AllowDiscount": True},
        "TaxPrefs": {"UsingSalesTax": True, "PartnerTaxEnabled": True},
        "CurrencyPrefs": {"MultiCurrencyEnabled": True, "HomeCurrency": {"value": "USD"}},
        "AccountingInfoPrefs": {"BookCloseDate": "2025-12-31"},
    }
    accounts = [
        {"Id": "1", "AccountSubType": "ServiceFeeIncome"},
        {"Id": "30", "AccountSubType": "SalesOfProductIncome"},
        {"Id": "5", "AccountSubType": "SalesOfProductIncome"},
        {"Id": "2", "AccountSubType": "SalesOfProductIncome", "Active": False},
    ]
    found, intuit = company(preferences, accounts)
    assert (found.external_id, found.name, found.environment) == ("42", "Harbor Foods", "sandbox")
    assert found.facts == {
        "country": "US",
        "timeZone": "America/Toronto",
        "homeCurrency": "USD",
        "multiCurrency": True,
        "customTxnNumbers": True,
        "allowShipping": False,
        "allowDiscount": True,
        "usingSalesTax": True,
        "partnerTax": True,
        "bookCloseDate": "2025-12-31",
        "incomeAccountId": "5",
        "taxCodes": {},
    }
    assert json.loads(json.dumps(found.facts)) == found.facts
    assert [request.url.path for request in intuit.requests] == [
        "/v3/company/42/companyinfo/42",
        "/v3/company/42/preferences",
        "/v3/company/42/query",
    ]
    assert all(request.url.params["minorversion"] == "75" for request in intuit.requests)


def test_description_of_a_bare_company_abroad():
    one, other = {"TaxRateRef": {"value": "70"}}, {"TaxRateRef": {"value": "71"}}
    codes = [
        {"Id": "7", "SalesTaxRateList": {"TaxRateDetail": [one]}},
        {"Id": "9", "SalesTaxRateList": {"TaxRateDetail": [one, other]}},
        {"Id": "10", "Active": False},
    ]
    found, _ = company({}, [], codes, country="CA")
    assert found.facts["taxCodes"] == {
        "7": {"active": True, "rates": {"70": "13"}},
        "9": {"active": True, "rates": {"70": "13", "71": "9.975"}},
        "10": {"active": False, "rates": {}},
    }
    assert found.facts["incomeAccountId"] is None
    assert not found.facts["usingSalesTax"]


def test_refused_token_at_the_first_look_ends_the_consent():
    with pytest.raises(errors.ConnectionLost):
        oauth(answer(401, {}))[0].describe(company_id="42", access_token="access")
