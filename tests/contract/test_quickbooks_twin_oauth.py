from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from tests.contract.twin_support import REALM, REDIRECT, Books

SCOPE = "com.intuit.quickbooks.accounting"
ASK = {"client_id": "app-1", "response_type": "code", "scope": SCOPE, "redirect_uri": REDIRECT, "state": "s-1"}
APP = ("app-1", "app-secret")


@pytest.fixture
def books() -> Books:
    return Books(access_token_seconds=3600)


def consent(books, **more):
    answer = books.http.get("/connect/oauth2", params={**ASK, "twin_approve": REALM, **more})
    assert answer.status_code == 302
    location = urlsplit(answer.headers["location"])
    return {name: values[0] for name, values in parse_qs(location.query).items()}


def token(books, auth=APP, headers=None, **form):
    return books.http.post("/oauth2/v1/tokens/bearer", data=form, auth=auth, headers=headers or {})


def exchange(books, **more):
    code = consent(books, **more)["code"]
    return token(books, grant_type="authorization_code", code=code, redirect_uri=REDIRECT).json()


def refresh(books, value, **more):
    return token(books, grant_type="refresh_token", refresh_token=value, **more)


def test_discovery_names_the_twin_s_own_endpoints(books):
    for path in ("openid_configuration/", "openid_sandbox_configuration/", "openid_configuration"):
        found = books.http.get(f"/.well-known/{path}").json()
        assert found["token_endpoint"] == "https://twin.example/oauth2/v1/tokens/bearer"
        assert found["revocation_endpoint"] == "https://twin.example/v2/oauth2/tokens/revoke"


def test_people_see_a_page_with_a_button_per_company(books):
    page = books.http.get("/connect/oauth2", params={**ASK, "state": '"><script>'}, headers={"accept": "text/html"})
    assert page.status_code == 200
    assert f'name="twin_approve" value="{REALM}">Connect</button>' in page.text
    assert "<script>" not in page.text


def test_approval_returns_code_state_and_realm(books):
    back = consent(books)
    assert (back["state"], back["realmId"]) == ("s-1", REALM)
    books.twin.configure(consent="auto")
    answer = books.http.get("/connect/oauth2", params=ASK)
    assert answer.headers["location"].startswith(f"{REDIRECT}?code=")


def test_refusal_bad_scope_and_unknown_redirect(books):
    assert consent(books, twin_deny="1") == {"error": "access_denied", "state": "s-1"}
    assert consent(books, scope="everything") == {"error": "invalid_scope", "state": "s-1"}
    answer = books.http.get("/connect/oauth2", params={**ASK, "redirect_uri": REDIRECT + "/x"})
    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_code_exchange_gives_rolling_tokens(books):
    given = exchange(books)
    assert (given["token_type"], given["expires_in"], given["x_refresh_token_expires_in"]) == ("bearer", 3600, 8726400)
    assert "id_token" not in given
    books.token = given["access_token"]
    assert books.get("preferences")["Id"] == "1"


def test_code_works_once_for_ten_minutes_and_its_own_redirect(books):
    code = consent(books)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    assert token(books, **form).status_code == 200
    assert token(books, **form).json() == {"error": "invalid_grant", "error_description": "Invalid authorization code"}
    late = consent(books)["code"]
    books.clock.advance(601)
    assert token(books, **{**form, "code": late}).status_code == 400
    assert (
        token(books, **{**form, "code": consent(books)["code"], "redirect_uri": "http://other.example"}).status_code
        == 400
    )


def test_wrong_secret_and_unknown_grant_type(books):
    answer = token(books, auth=("app-1", "wrong"), grant_type="refresh_token")
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert token(books, grant_type="password").json() == {"error": "unsupported_grant_type"}


def test_daily_rotation_keeps_the_value_for_a_day_and_kills_the_old_one_after(books):
    first = exchange(books)["refresh_token"]
    assert refresh(books, first).json()["refresh_token"] == first
    books.clock.advance(86_401)
    second = refresh(books, first).json()["refresh_token"]
    assert second != first
    dead = refresh(books, first)
    assert (dead.status_code, dead.json()) == (
        400,
        {"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"},
    )
    assert refresh(books, second).status_code == 200


@pytest.mark.parametrize(("policy", "survives"), [("every_refresh", 200), ("race_kills_grant", 400)])
def test_losing_a_refresh_race(books, policy, survives):
    books.twin.configure(rotation=policy)
    first = exchange(books)["refresh_token"]
    winner = refresh(books, first).json()
    assert refresh(books, first).json()["error"] == "invalid_grant"
    assert refresh(books, winner["refresh_token"]).status_code == survives
    books.token = winner["access_token"]
    assert books.call("GET", "preferences").status_code == (200 if survives == 200 else 401)


def test_refresh_token_dies_unused_after_a_hundred_days(books):
    value = exchange(books)["refresh_token"]
    books.clock.advance(99 * 86_400)
    value = refresh(books, value).json()["refresh_token"]
    books.clock.advance(101 * 86_400)
    assert refresh(books, value).json()["error"] == "invalid_grant"


def test_hard_expiry_is_told_on_request(books):
    value = exchange(books)["refresh_token"]
    books.clock.advance(100)
    header = {"x-include-refresh-token-hard-expires-in": "true"}
    assert refresh(books, value, headers=header).json()["x_refresh_token_hard_expires_in"] == 157_680_000 - 100


def test_expired_token_is_a_401_with_the_gateway_s_lower_case_body(books):
    books.token = exchange(books)["access_token"]
    books.clock.advance(3601)
    answer = books.call("GET", "preferences")
    body = answer.json()
    assert (answer.status_code, body["fault"]["type"], body["fault"]["error"][0]["code"]) == (
        401,
        "AUTHENTICATION",
        "3200",
    )
    assert body["fault"]["error"][0]["message"] == "message=AuthenticationFailed; errorCode=003200; statusCode=401"
    assert body["fault"]["error"][0]["detail"].startswith("Token expired: ")
    assert isinstance(body["time"], int)


def test_foreign_realm_is_403_with_3100(books):
    books.twin.add_company("222")
    headers = {"authorization": f"Bearer {books.token}", "accept": "application/json"}
    answer = books.http.get("/v3/company/222/preferences", headers=headers)
    assert (answer.status_code, answer.json()["fault"]["error"][0]["code"]) == (403, "3100")


def test_authentication_is_checked_before_rate_and_form(books):
    books.twin.configure(throttle=True, throttle_scale="0")
    assert books.http.get(f"/v3/company/{REALM}/nonsense").status_code == 401
    assert books.call("GET", "nonsense").status_code == 429


def test_requests_that_do_not_ask_for_json_fail_loudly(books):
    headers = {"authorization": f"Bearer {books.token}"}
    path = f"/v3/company/{REALM}/preferences"
    assert books.http.get(path, headers=headers).status_code == 406
    assert books.http.get(path + "?format=json", headers=headers).status_code == 200
    books.twin.configure(strict_accept=False)
    assert books.http.get(path, headers=headers).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("form", ["json", "data"])
def test_revoking_either_token_ends_the_grant(books, kind, form):
    given = exchange(books)
    revoke = lambda: books.http.post("/v2/oauth2/tokens/revoke", auth=APP, **{form: {"token": given[kind]}})  # noqa: E731
    assert revoke().status_code == 200
    books.token = given["access_token"]
    assert books.call("GET", "preferences").status_code == 401
    assert refresh(books, given["refresh_token"]).status_code == 400
    assert revoke().status_code == 400


def test_user_disconnects_in_the_product(books):
    given = exchange(books)
    assert books.control("POST", f"companies/{REALM}/disconnect") == {"ended": 1}
    assert refresh(books, given["refresh_token"]).json()["error"] == "invalid_grant"


def test_reconnecting_supersedes_the_earlier_grant_unless_switched_off(books):
    first = exchange(books)
    exchange(books)
    assert refresh(books, first["refresh_token"]).status_code == 400
    books.twin.configure(reconnect_supersedes=False)
    second = exchange(books)
    exchange(books)
    assert refresh(books, second["refresh_token"]).status_code == 200


def test_openid_scope_brings_a_verifiable_id_token_and_user_info(books):
    given = exchange(books, scope=f"{SCOPE} openid email")
    key = jwt.PyJWK(books.http.get("/op/v1/jwks").json()["keys"][0])
    claims = jwt.decode(
        given["id_token"],
        key,
        algorithms=["RS256"],
        audience="app-1",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (claims["realmid"], claims["iss"]) == (REALM, "https://twin.example/op/v1")
    header = {"authorization": f"Bearer {given['access_token']}"}
    assert books.http.get("/v1/openid_connect/userinfo", headers=header).json()["emailVerified"] is True


def test_every_answer_has_its_own_intuit_tid(books):
    first, second = books.call("GET", "preferences"), token(books, grant_type="none")
    assert len({first.headers["intuit_tid"], second.headers["intuit_tid"]}) == 2
    assert books.twin.calls.since()[-1].intuit_tid == second.headers["intuit_tid"]
