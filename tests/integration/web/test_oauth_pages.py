from __future__ import annotations

from tests.integration.access.fakes import connect, scalar, state_in
from tests.integration.web.conftest import Api
from tests.integration.web.console_support import Visitor, signed_in

CALLBACK = "/api/integrations/quickbooks/callback"


def begin(api: Api) -> str:
    answer = api.get("/api/integrations/quickbooks/authorize")
    assert answer.status_code == 200
    return state_in(answer.json()["url"])


def test_an_admin_connects_and_sees_the_company(api: Api) -> None:
    state = begin(api)
    page = api.client.get(CALLBACK, params={"code": "code-1", "realmId": "9130", "state": state})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "Connected to Corner Books" in page.text
    seen = api.get("/api/integrations/connections/quickbooks", "SalesManager").json()
    assert (seen["isConnected"], seen["state"], seen["companyName"]) == (True, "Connected", "Corner Books")
    assert seen["lastSyncAt"] is None


def test_the_provider_is_given_our_callback(api: Api) -> None:
    url = api.get("/api/integrations/quickbooks/authorize").json()["url"]
    assert "redirect_uri=https://erp.example.com/api/integrations/quickbooks/callback" in url


def test_a_second_callback_with_the_same_state_is_refused(api: Api) -> None:
    state = begin(api)
    for expected, code in ((200, "code-1"), (400, "code-2")):
        answer = api.client.get(CALLBACK, params={"code": code, "realmId": "9130", "state": state})
        assert answer.status_code == expected
    assert "used already" in answer.text
    assert "Start the connection again" in answer.text


def test_programs_get_json(api: Api) -> None:
    accept = {"Accept": "application/json"}
    done = api.client.get(CALLBACK, params={"code": "code-1", "realmId": "9130", "state": begin(api)}, headers=accept)
    assert done.json()["companyName"] == "Corner Books"
    refused = api.client.get(CALLBACK, params={"code": "c", "realmId": "9130", "state": "made-up"}, headers=accept)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "consent-refused"


def test_a_refusal_at_the_provider_is_explained(api: Api) -> None:
    state = begin(api)
    page = api.client.get(CALLBACK, params={"error": "access_denied", "state": state})
    assert page.status_code == 400
    assert "not authorised" in page.text
    assert scalar(api.runtime.db, "select count(*) from erp.oauth_states") == 0


def test_nothing_given_is_trusted_or_echoed_unescaped(api: Api) -> None:
    for params in ({}, {"code": "c"}, {"error": "<script>alert(1)</script>"}, {"state": "<script>", "code": "x"}):
        page = api.client.get(CALLBACK, params=params)
        assert page.status_code == 400
        assert "<script" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "no-referrer"


def test_a_company_name_is_escaped(api: Api) -> None:
    api.oauth.companies["9130"] = '<img src=x onerror="alert(1)"> & Sons'
    page = api.client.get(CALLBACK, params={"code": "code-1", "realmId": "9130", "state": begin(api)})
    assert page.status_code == 200
    assert "<img" not in page.text
    assert "&amp; Sons" in page.text


def test_a_company_of_another_tenant(api: Api) -> None:
    connect(api.runtime, "beta")
    page = api.client.get(CALLBACK, params={"code": "code-2", "realmId": "9130", "state": begin(api)})
    assert page.status_code == 409
    assert "another tenant" in page.text
    assert "beta" not in page.text


def test_a_provider_that_is_not_set_up(api: Api) -> None:
    object.__setattr__(api.runtime, "connectors", {})
    answer = api.get("/api/integrations/quickbooks/authorize")
    assert answer.status_code == 404
    assert "Set up here: none" in answer.json()["detail"]
    assert api.client.get(CALLBACK, params={"error": "access_denied"}).status_code == 404


def begin_in(visitor: Visitor) -> dict[str, str]:
    """A consent begun in the console: what the provider sends the browser back with."""
    page = visitor.post("/console/connections/quickbooks/connect")
    return {"code": "code-1", "realmId": "9130", "state": state_in(page.text)}


def test_a_consent_begun_in_the_console_ends_in_the_same_browser(api: Api) -> None:
    visitor = signed_in(api)
    back = begin_in(visitor)
    assert visitor.client.get(CALLBACK, params=back).status_code == 200
    assert scalar(api.runtime.db, "select state from erp.integration_connections") == "Connected"


def test_a_callback_in_another_browser_is_refused_and_connects_nothing(api: Api) -> None:
    back, other = begin_in(signed_in(api)), signed_in(api)
    begin_in(other)  # which has a cookie of its own
    answer = other.client.get(CALLBACK, params=back)
    assert answer.status_code == 400
    assert "This sign-in was begun in another browser." in answer.text
    assert "If somebody sent you the link, do not follow it." in answer.text
    assert (api.oauth.exchanged, scalar(api.runtime.db, "select count(*) from erp.integration_connections")) == ([], 0)
    assert Visitor(api).client.get(CALLBACK, params=begin_in(signed_in(api))).status_code == 400


def test_the_browsers_secret_is_kept_from_scripts_and_from_the_database(api: Api) -> None:
    visitor = signed_in(api)
    answer = visitor.post("/console/connections/quickbooks/connect")
    [cookie] = [one for one in answer.headers.get_list("set-cookie") if one.startswith("__Host-erp_consent=")]
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=600"} <= set(cookie.split("; "))
    secret = visitor.client.cookies["__Host-erp_consent"]
    assert secret not in str(scalar(api.runtime.db, "select json_agg(s) from erp.oauth_states s"))
    assert secret not in answer.text
