"""Signing in to the console and out of it: the cookie, the form secret, and who gets in at all."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from tests.integration.access.fakes import scalar
from tests.integration.web.conftest import Api
from tests.integration.web.console_support import Visitor, signed_in
from tests.support.clock import FakeClock
from webhook_api.console import app as console


def cookies(answer) -> dict[str, str]:
    """Each cookie that the answer sets, with its attributes."""
    return {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}


def test_a_token_opens_the_console_and_the_cookie_is_out_of_reach(api: Api) -> None:
    answer = Visitor(api).sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/connections")
    line = cookies(answer)["__Host-erp_console"]
    attributes = {part.strip().lower() for part in line.split(";")[1:]}
    assert attributes == {"httponly", "path=/", "samesite=strict", "secure"}
    bearer = api.as_("Admin")["Authorization"].removeprefix("Bearer ")
    assert bearer.partition(".")[0] not in line
    assert "acme" not in line


@pytest.mark.parametrize(("role", "claims"), [("SalesRep", {}), ("Customer", {"customer_id": "c1"})])
def test_the_console_is_not_for_reps_and_customers(api: Api, role: str, claims: dict[str, str]) -> None:
    visitor = Visitor(api)
    answer = visitor.sign_in(role, **claims)
    assert answer.status_code == 403
    assert f"your role is {role}" in answer.text
    assert visitor.get("/console/connections").status_code == 303
    assert scalar(api.runtime.db, "select count(*) from erp.console_sessions") == 0


def test_a_token_that_the_api_refuses_opens_nothing(api: Api) -> None:
    visitor = Visitor(api)
    assert visitor.sign_in(exp=time.time() - 60).status_code == 401
    assert visitor.sign_in(tenant="*").status_code == 401
    assert visitor.sign_in(tenant="nowhere").status_code == 404
    assert visitor.post("/console/login", "/console/login", token="no token").status_code == 401
    assert visitor.get("/console/logs").headers["location"] == "/console/login?next=/console/logs"


def test_who_asks_for_a_page_gets_it_after_signing_in(api: Api) -> None:
    visitor = Visitor(api)
    page = visitor.get("/console/login?next=/console/logs").text
    assert 'name="next" value="/console/logs"' in page
    for outside in ("https://evil.example", "//evil.example", "/console/../x?y", "/console\\x", "/consolex"):
        assert 'name="next" value="/console/connections"' in visitor.client.get(
            "/console/login", params={"next": outside}
        ).text, outside  # fmt: skip


def test_signing_out_ends_the_session_for_whoever_holds_the_cookie(api: Api) -> None:
    visitor = signed_in(api)
    stolen = dict(visitor.client.cookies)
    assert visitor.post("/console/logout").headers["location"] == "/console/login"
    thief = Visitor(api)
    thief.client.cookies.update(stolen)
    assert thief.get("/console/connections").status_code == 303
    assert scalar(api.runtime.db, "select count(*) from erp.console_sessions") == 0


def test_a_session_ends_with_its_token_and_after_twelve_hours(api: Api, clock: FakeClock) -> None:
    ends = clock.now() + dt.timedelta(days=3000)
    visitor = Visitor(api)
    assert visitor.sign_in(exp=ends.timestamp()).status_code == 303
    clock.advance(hours=11, minutes=59)
    assert visitor.get("/console/connections").status_code == 200
    clock.advance(minutes=2)
    assert visitor.get("/console/connections").status_code == 303


def test_a_cookie_of_somebody_elses_making_is_no_session(api: Api) -> None:
    visitor = Visitor(api)
    for cookie in ("", "x", "acme:secret", api.runtime.cipher.encrypt("acme:guess", table="a", row="b", field="c")):
        visitor.client.cookies.set("__Host-erp_console", cookie)
        assert visitor.get("/console/connections").status_code == 303


def test_the_database_holds_nothing_that_opens_a_session(api: Api) -> None:
    visitor = signed_in(api)
    stored = scalar(api.runtime.db, "select s::text from erp.console_sessions s")
    [cookie] = [value for name, value in visitor.client.cookies.items() if name.endswith("erp_console")]
    opened = api.runtime.cipher.decrypt(cookie, table="console_sessions", row="cookie", field="secret")
    assert opened.startswith("acme:")
    assert opened.removeprefix("acme:") not in stored


FORMS = (
    "/console/logout", "/console/syncs", "/console/requests", "/console/errors/quickbooks/inactive/retry",
    "/console/connections/quickbooks/settings", "/console/connections/quickbooks/disconnect",
    "/console/connections/quickbooks/connect", "/console/connections/quickbooks/check", "/console/outbox/x/retry", "/console/requests/quickbooks/x/approve",
    "/console/requests/quickbooks/x/decline",
    "/console/matching/quickbooks", "/console/matching/quickbooks/run",
    "/console/syncs/quickbooks/00000000-0000-0000-0000-000000000000/cancel",
    "/console/setup/quickbooks/match", "/console/setup/quickbooks/map", "/console/setup/quickbooks/start",
    "/console/setup/quickbooks/preview", "/console/setup/quickbooks/on",
)  # fmt: skip


def test_every_form_needs_the_secret_of_its_page(api: Api) -> None:
    visitor, other = signed_in(api), signed_in(api)
    posts = [
        route.path for router in console.routers() for route in router.routes
        if "POST" in route.methods and route.path != "/console/login"
    ]  # fmt: skip
    assert len(posts) == len(FORMS)
    foreign = other.csrf()
    assert foreign != visitor.csrf()
    for path in FORMS:
        for form in ({}, {"csrf": ""}, {"csrf": foreign}):
            answer = visitor.client.post(path, data=form)
            assert (answer.status_code, "not sent from a page" in answer.text) == (403, True), (path, form)


def test_a_browser_that_names_another_site_is_believed(api: Api) -> None:
    visitor = signed_in(api)
    form = {"csrf": visitor.csrf(), "provider": "quickbooks"}
    for site in ("cross-site", "same-site"):
        assert visitor.client.post("/console/requests", data=form, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert (
        visitor.client.post("/console/requests", data=form, headers={"Sec-Fetch-Site": "same-origin"}).status_code
        == 404
    )


def test_nobody_is_signed_in_by_another_site(api: Api) -> None:
    token = api.as_("Admin")["Authorization"].removeprefix("Bearer ")
    for form in ({"token": token}, {"token": token, "csrf": "0" * 64}):
        assert Visitor(api).client.post("/console/login", data=form).status_code == 403


def test_guessing_tokens_is_slowed_down(api: Api) -> None:
    pace = api.client.app.state.public_pace
    visitor = Visitor(api)
    csrf = visitor.csrf("/console/login")
    while not pace.wait("testclient"):
        pass
    answer = visitor.client.post("/console/login", data={"csrf": csrf, "token": "x"})
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)


def test_a_poll_without_a_session_moves_the_whole_page(api: Api) -> None:
    path = "/console/syncs/quickbooks/00000000-0000-0000-0000-000000000000/progress"
    answer = Visitor(api).client.get(path, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/console/login")


def test_a_link_from_elsewhere_is_followed_once_more_from_here(api: Api) -> None:
    """Browsers keep the strict cookie back then. It is no way around signing in, and no way to another site."""
    stranger, path = Visitor(api), "/console/errors/quickbooks/closed-period"
    from_elsewhere = {"Sec-Fetch-Site": "cross-site"}
    answer = stranger.client.get(f"{path}?cursor=7", headers=from_elsewhere)
    assert (answer.status_code, answer.headers["refresh"]) == (200, f"0; url={path}?cursor=7")
    assert f'<a href="{path}?cursor=7">Go on to the page</a>' in answer.text
    assert stranger.client.get(path).headers["location"] == f"/console/login?next={path}"
    odd = stranger.client.get("/console/logs/%0d%0aSet-Cookie:x", headers=from_elsewhere)
    assert odd.headers["refresh"] == "0; url=/console/logs/Set-Cookie%3Ax"
    assert "set-cookie" not in odd.headers
    assert stranger.client.post(f"{path}/retry", headers=from_elsewhere).status_code in {303, 403}
    assert signed_in(api).client.get(path, headers=from_elsewhere).status_code == 200
