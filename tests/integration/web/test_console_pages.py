"""Every page for every role: who sees it, what stands on it, and that nothing on it can run."""

from __future__ import annotations

import hashlib
from html.parser import HTMLParser

import pytest

from tests.integration.web.conftest import Api
from tests.integration.web.console_support import ADMIN_PAGES, PAGES, Visitor, furnish, signed_in
from tests.integration.web.test_sync_status import run
from webhook_api.console.assets import assets

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside.append(tag)

    def handle_data(self, data: str) -> None:
        if self.inside and self.inside[-1] in {"script", "style"} and data.strip():
            self.tags.append(("inline", {"text": data}))

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def everything(api: Api, visitor: Visitor) -> list[str]:
    log_id = api.get("/api/integrations/logs").json()["items"][0]["id"]
    sync = api.send("POST", "/api/integrations/sync/quickbooks", {"entityType": "Customer"}).json()["syncId"]
    return [*PAGES, *ADMIN_PAGES, f"/console/logs/{log_id}", f"/console/syncs/quickbooks/{sync}"]


def test_every_page_shows_to_an_admin_under_a_strict_policy_with_nothing_inline_and_nothing_from_elsewhere(
    api: Api,
) -> None:
    furnish(api)
    visitor = signed_in(api)
    for path in everything(api, visitor):
        answer = visitor.get(path)
        assert answer.status_code == 200, path
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        page = Page(answer.text)
        assert page.of("inline") == [], path
        assert [one["src"] for one in page.of("script")] == [assets()["htmx.js"].url]
        for tag, attributes in page.tags:
            assert not [name for name in attributes if name.startswith("on") or name == "style"], (path, tag)
        for name, attribute in (("script", "src"), ("link", "href"), ("img", "src"), ("form", "action")):
            assert all(one[attribute].startswith("/console") for one in page.of(name)), path


def test_who_sees_which_page(api: Api) -> None:
    furnish(api)
    manager, nobody = signed_in(api, "SalesManager"), Visitor(api)
    for path in PAGES:
        assert manager.get(path).status_code == 200, path
        assert nobody.get(path).status_code == 303, path
    for path in ADMIN_PAGES:
        assert manager.get(path).status_code == 403, path
        assert nobody.get(path).status_code == 303, path


ADMIN_WORDS = (
    "Disconnect",
    "Settings",
    "Reconnect",
    "Retry all of this cause",
    "Retry the picked",
    "Approve",
    "Outbox",
)


def test_a_manager_is_offered_nothing_that_only_an_admin_may(api: Api) -> None:
    furnish(api)
    manager, admin = signed_in(api, "SalesManager"), signed_in(api)
    shown = "".join(manager.get(path).text for path in PAGES)
    assert [word for word in ADMIN_WORDS if f">{word}<" in shown] == []
    offered = "".join(admin.get(path).text for path in PAGES)
    assert [word for word in ADMIN_WORDS if f">{word}<" not in offered] == []
    assert ">Ask for a retry<" in shown


def test_another_tenants_console_shows_nothing_of_this_one(api: Api) -> None:
    furnish(api)
    other = signed_in(api, tenant="beta")
    own = everything(api, other)
    for path in own:
        text = other.get(path).text
        assert "Corner Books" not in text, path
        for planted in (
            "req-c1",
            "N-77",
            "Customer 77",
            "It is inactive.",
            "Invoice 130",
            "planted@corner",
            "The Corner Three",
        ):
            assert planted not in text, (path, planted)
    details = [path for path in own if path.startswith(("/console/logs/", "/console/syncs/"))]
    assert len(details) == 2
    assert [other.get(path).status_code for path in details] == [404, 404]


def test_hostile_names_stay_text_on_every_page(api: Api) -> None:
    furnish(api)
    run(api, "update erp.integration_deliveries set last_error = cast(:x as text), mend = cast(:x as text), cause = 'inactive', erp_code = cast(:x as text),"
             " entity_id = left(cast(:x as text), 80)", x=HOSTILE)  # fmt: skip
    run(api, "update erp.integration_sync_logs set error_message = cast(:x as text), mend = cast(:x as text), cause = cast(:x as text), owner = cast(:x as text), actor = cast(:x as text),"
             " erp_request_id = cast(:x as text), entity_id = left(cast(:x as text), 80), external_id = left(cast(:x as text), 80)", x=HOSTILE)  # fmt: skip
    run(api, "update erp.integration_outbox set last_error = cast(:x as text), event_type = left(cast(:x as text), 80), entity_id = left(cast(:x as text), 80),"
             " payload = payload || jsonb_build_object('name', cast(:x as text))", x=HOSTILE)  # fmt: skip
    run(
        api,
        "update erp.integration_inbox set external_type = cast(:x as text), operation = cast(:x as text)",
        x=HOSTILE,
    )
    run(
        api,
        "update erp.integration_entity_mappings set prometheus_id = left(cast(:x as text), 80), external_number = cast(:x as text)",
        x=HOSTILE,
    )
    run(api, "update erp.integration_connections set company_name = cast(:x as text), last_sync_error = cast(:x as text), state_reason = cast(:x as text),"
             " connected_by = cast(:x as text)", x=HOSTILE)  # fmt: skip
    run(
        api,
        "update erp.integration_retry_requests set note = cast(:x as text), requested_by = cast(:x as text), cause = cast(:x as text)",
        x=HOSTILE,
    )
    run(api, "update erp.integration_syncs set requested_by = cast(:x as text)", x=HOSTILE)
    run(
        api,
        "update erp.integration_unknown_faults set message = cast(:x as text), code = left(cast(:x as text), 80)",
        x=HOSTILE,
    )
    run(api, "update erp.tenants set name = cast(:x as text)", x=HOSTILE)
    visitor = Visitor(api)
    visitor.sign_in(sub=HOSTILE)
    for path in everything(api, visitor):
        answer = visitor.get(path)
        assert answer.status_code == 200, path
        page = Page(answer.text)
        assert page.of("inline") == []
        assert page.of("img") == []
        assert len(page.of("script")) == 1, path
        assert "alert(1)" in answer.text


def test_what_the_address_says_stays_text(api: Api) -> None:
    furnish(api)
    visitor = signed_in(api)
    for path in (
        "/console/logs", "/console/mappings", "/console/login", "/console/nowhere", "/console/errors/x/y",
        "/console/outbox", "/console/requests",
    ):  # fmt: skip
        params = dict.fromkeys(("provider", "entityId", "search", "next", "done", "n", "status", "cursor"), HOSTILE)
        for given in (params, {"search": HOSTILE, "entityId": HOSTILE, "done": HOSTILE, "n": HOSTILE}):
            answer = visitor.client.get(path, params=given)
            assert answer.status_code in {200, 404, 422}, path
            page = Page(answer.text)
            assert (page.of("inline"), page.of("img"), len(page.of("script"))) == ([], [], 1), path
    odd = visitor.client.get(f"/console/{HOSTILE}")
    assert (odd.status_code, len(Page(odd.text).of("script"))) == (404, 1)


def test_the_announcement_after_a_form_is_one_of_ours(api: Api) -> None:
    visitor = signed_in(api)
    assert "3 deliveries are due again." in visitor.get("/console/connections?done=retried&n=3").text
    assert "Some deliveries are due again." in visitor.get("/console/connections?done=retried&n=<b>").text
    assert 'class="notice"' not in visitor.get("/console/connections?done=Your+password").text


def test_links_into_an_erp_are_never_scripts(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    furnish(api)
    visitor = signed_in(api)
    assert 'href="https://books.example.com/9130/Customer/77"' in visitor.get("/console/mappings").text
    connector = api.runtime.connectors["quickbooks"]
    monkeypatch.setattr(type(connector), "document_url", lambda *_: "javascript:alert(1)")
    assert "javascript:" not in visitor.get("/console/mappings").text


def test_links_to_dagster_stand_where_people_can_see_it(api: Api) -> None:
    furnish(api)
    run(api, "update erp.integration_sync_logs set run_id = '0f8fad5b-d9cb' where entity_id = 'c1'")
    log_id = api.get("/api/integrations/logs?entityId=c1").json()["items"][0]["id"]
    visitor, entry = signed_in(api), f"/console/logs/{log_id}"
    assert "In Dagster" not in visitor.get("/console/connections").text
    assert api.get(f"/api{entry.replace('console', 'integrations')}").json()["runUrl"] is None
    object.__setattr__(api.runtime, "dagster_url", "https://dagster.example.com")
    run(
        api, "update erp.integration_sync_logs set started_at = started_at + interval '1 hour' where run_id is not null"
    )
    card = visitor.get("/console/connections").text
    for url in (
        "runs/0f8fad5b-d9cb", "locations/__repository__@erp_pipelines/sensors/outbox_sensor",
        "assets/orders_in_erp?partition=acme%3Aquickbooks",
    ):  # fmt: skip
        assert f'href="https://dagster.example.com/{url}"' in card
    assert '<a href="https://dagster.example.com/runs/0f8fad5b-d9cb" rel="noreferrer">Dagster run 0f8fad5b</a>' in (
        visitor.get(entry).text
    )


def test_records_that_stand_in_the_erp_are_linked_wherever_they_are_listed(api: Api) -> None:
    furnish(api)
    visitor = signed_in(api, "SalesManager")
    for path in ("/console/logs", "/console/errors/quickbooks/inactive", "/console/differences"):
        links = [one["href"] for one in Page(visitor.get(path).text).of("a") if "books.example" in (one["href"] or "")]
        assert set(links) == {"https://books.example.com/9130/Customer/77"}, path


def test_the_files_of_the_wheels_are_the_ones_that_were_read(api: Api) -> None:
    """A newer wheel must be looked at before its digest is written down here."""
    for asset in assets().values():
        assert hashlib.sha256(asset.path.read_bytes()).hexdigest() == asset.sha256, asset.name
        answer = api.client.get(asset.url)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, asset.media_type)
        assert hashlib.sha256(answer.content).hexdigest() == asset.sha256
        assert "immutable" in answer.headers["cache-control"]
    assert api.client.get("/console/static/x/../../secrets").status_code == 404
    assert api.client.get("/console/static/x/console.js").status_code == 404


def test_pages_refer_to_their_files_by_digest(api: Api) -> None:
    page = Page(Visitor(api).get("/console/login").text)
    linked = {one["href"]: one["integrity"] for one in page.of("link")}
    assert linked == {assets()[name].url: assets()[name].integrity for name in ("tabler.css", "console.css")}


def test_a_page_that_is_not_there_says_so_in_words(api: Api) -> None:
    answer = Visitor(api).get("/console/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no page" in answer.text
