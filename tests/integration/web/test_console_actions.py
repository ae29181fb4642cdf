"""What the console's forms do, and for whom they do nothing."""

from __future__ import annotations

import csv
import io
import re

from erp_pipelines.connectors.base import Finding, Ref
from erp_pipelines.delivery import bulk
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import ConnectionLost, ConsentRefused, Rejected, Unavailable
from tests.integration.access.fakes import connect, scalar
from tests.integration.web.conftest import Api
from tests.integration.web.console_support import furnish, signed_in
from tests.integration.web.test_sync_status import run
from tests.support.toy import ToyErp, ToySession

KEY = ConnectionKey("acme", "quickbooks")
GROUP = "/console/errors/quickbooks/inactive"


def pending(api: Api) -> int:
    return scalar(
        api.runtime.db, "select count(*) from erp.integration_deliveries where status = 'Pending' and sync_id is null"
    )


def delivery(api: Api, entity_id: str) -> str:
    return str(scalar(
        api.runtime.db, "select id from erp.integration_deliveries where entity_id = :id and sync_id is null", id=entity_id
    ))  # fmt: skip


def test_one_the_picked_or_all_of_a_cause_are_retried(api: Api) -> None:
    furnish(api)
    visitor = signed_in(api)
    shown = visitor.get(GROUP).text
    assert delivery(api, "c1") in shown
    assert delivery(api, "c3") not in shown
    answer = visitor.post(f"{GROUP}/retry", GROUP, delivery=[delivery(api, "c1"), "no id"])
    assert answer.headers["location"] == f"{GROUP}?done=retried&n=1"
    assert "1 deliveries are due again." in visitor.get(answer.headers["location"]).text
    assert pending(api) == 1
    assert visitor.post(f"{GROUP}/retry", GROUP, all="1").headers["location"].endswith("n=1")
    assert pending(api) == 2
    assert visitor.post(f"{GROUP}/retry", GROUP).status_code == 422


def test_a_retry_reaches_no_other_tenant_and_no_manager_may(api: Api) -> None:
    furnish(api)
    other, manager = signed_in(api, tenant="beta"), signed_in(api, "SalesManager")
    assert other.post(f"{GROUP}/retry", delivery=delivery(api, "c1")).headers["location"].endswith("n=0")
    assert other.post(f"{GROUP}/retry", all="1").headers["location"].endswith("n=0")
    event = scalar(api.runtime.db, "select id from erp.integration_outbox where entity_id = 'c1' limit 1")
    assert other.post(f"/console/outbox/{event}/retry").status_code == 404
    assert manager.post(f"{GROUP}/retry", all="1").status_code == 403
    assert manager.post(f"/console/outbox/{event}/retry").status_code == 403
    assert pending(api) == 0


def test_a_manager_asks_and_an_admin_approves(api: Api) -> None:
    furnish(api)
    manager, admin = signed_in(api, "SalesManager"), signed_in(api)
    form = {"provider": "quickbooks", "entityType": "Customer", "entityId": "c2", "note": "Urgent <b>"}
    assert manager.post("/console/requests", **form).headers["location"] == "/console/requests?done=asked"
    assert pending(api) == 0
    newest = api.get("/api/integrations/sync/quickbooks/retry-requests").json()["items"][0]
    assert (newest["entityId"], newest["note"], newest["state"], newest["requestedBy"]) == (
        "c2",
        "Urgent <b>",
        "open",
        "ann",
    )
    path = f"/console/requests/quickbooks/{newest['id']}"
    assert manager.post(f"{path}/approve").status_code == 403
    assert admin.post(f"{path}/approve").headers["location"] == "/console/requests?done=retried&n=1"
    assert admin.post(f"{path}/decline").status_code == 409
    assert pending(api) == 1
    assert "by ann, 1 retried" in manager.get("/console/requests").text


def test_a_request_that_cannot_be_is_refused(api: Api) -> None:
    furnish(api)
    visitor = signed_in(api)
    assert visitor.post("/console/requests", provider="quickbooks", entityType="Bill", entityId="1").status_code == 422
    assert visitor.post("/console/requests", provider="quickbooks", entityId="1").status_code == 422
    assert visitor.post("/console/requests", provider="netsuite").status_code == 404
    assert visitor.post("/console/requests/quickbooks/no-id/approve").status_code == 404


def test_settings_are_saved_and_a_wrong_one_is_named(api: Api) -> None:
    connect(api.runtime)
    visitor = signed_in(api)
    page = "/console/connections/quickbooks/settings"
    form = {"on": ["syncCustomers", "syncInvoices"], "documentsWhen": "confirmed", "incomeAccountId": " 79 ",
            "customerFieldsFromErp": ["email"], "readsPerMonth": "4000"}  # fmt: skip
    assert visitor.post(page, page, **form).headers["location"] == "/console/connections?done=saved"
    settings = api.get("/api/integrations/connections/quickbooks").json()["settings"]
    assert {name: settings[name] for name in ("syncCustomers", "syncInvoices", "syncPayments", "autoSyncEnabled")} == {
        "syncCustomers": True, "syncInvoices": True, "syncPayments": False, "autoSyncEnabled": False,
    }  # fmt: skip
    assert (settings["documentsWhen"], settings["incomeAccountId"], settings["taxCodeId"]) == ("confirmed", "79", None)
    assert (settings["customerFieldsFromErp"], settings["readsPerMonth"]) == (["email"], 4000)
    wrong = visitor.post(page, page, documentsWhen="never")
    assert (wrong.status_code, "documentsWhen" in wrong.text) == (422, True)
    assert api.get("/api/integrations/connections/quickbooks").json()["settings"] == settings
    assert visitor.post(page, page, documentsWhen="paid", providerSettings="{").status_code == 422


def test_connecting_goes_through_the_providers_sign_in(api: Api) -> None:
    visitor = signed_in(api)
    answer = visitor.post("/console/connections/quickbooks/connect", "/console/connections/quickbooks/connect")
    assert answer.status_code == 200
    assert 'href="https://login.example.com/?state=' in answer.text
    assert scalar(api.runtime.db, "select tenant_id || user_id from erp.oauth_states") == "acmeann"
    assert visitor.get("/console/connections/sap/connect").status_code == 404


class Credentials:
    """A provider that takes one secret."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []

    def connect(self, form):
        self.forms.append(dict(form))
        raise ConsentRefused("NetSuite refused the login.", mend="Look at the login audit trail.")


def test_entered_credentials_are_tried_and_their_secrets_never_shown_again(api: Api) -> None:
    taker = Credentials()
    api.runtime.connectors["netsuite"].credentials = taker
    visitor = signed_in(api)
    page = "/console/connections/netsuite/connect"
    assert "Private key (PEM)" in visitor.get(page).text
    form = {"authMethod": "tba", "accountId": "123", "consumerKey": "ck", "tokenId": "ti",
            "consumerSecret": "planted-1", "tokenSecret": "planted-2", "clientId": "not of this method"}  # fmt: skip
    answer = visitor.post(page, page, **form)
    assert (answer.status_code, "NetSuite refused the login." in answer.text) == (400, True)
    assert taker.forms == [{name: value for name, value in form.items() if name != "clientId"}]
    assert "planted" not in answer.text
    assert 'value="123"' in answer.text
    assert visitor.post(page, page, authMethod="guess").status_code == 404
    assert signed_in(api, "SalesManager").post(page, **form).status_code == 403
    assert len(taker.forms) == 1


def test_disconnecting_asks_first(api: Api) -> None:
    connect(api.runtime)
    visitor = signed_in(api)
    page = "/console/connections/quickbooks/disconnect"
    assert "Corner Books" in visitor.get(page).text
    assert api.oauth.revoked == []
    assert visitor.post(page, page).headers["location"] == "/console/connections?done=disconnected"
    assert api.oauth.revoked == ["refresh-0"]
    assert api.get("/api/integrations/connections/quickbooks").json()["state"] == "Not Connected"


def test_a_provider_that_was_not_told_of_the_end_is_named(api: Api) -> None:
    connect(api.runtime)
    api.oauth.fail = Unavailable("The token host does not answer.")
    visitor = signed_in(api)
    page = "/console/connections/quickbooks/disconnect"
    assert "does not answer" in visitor.post(page, page).text


def test_a_bulk_sync_is_started_watched_and_cancelled(api: Api) -> None:
    furnish(api)
    run(api, "update erp.integration_deliveries set status = 'Completed', outcome = 'Created', processed_at = now()")
    visitor = signed_in(api)
    answer = visitor.post("/console/syncs", provider="quickbooks", kind=["Product", "Customer"])
    path = answer.headers["location"]
    sync_id = path.rpartition("/")[2]
    shown = visitor.get(path).text
    assert "<strong>0.0 %</strong>" in shown
    assert f'hx-get="{path}/progress" hx-trigger="every 1s"' in shown
    run(api, "update erp.integration_deliveries set status = 'Completed', outcome = 'Created', processed_at = now()"
             " where sync_id = cast(:id as uuid) and entity_id = 'c1'", id=sync_id)  # fmt: skip
    part = visitor.get(f"{path}/progress").text
    assert "<strong>33.3 %</strong>" in part
    stages = re.findall(r"<th scope=\"row\">(\w+)</th>((?:<td>\d+</td>)+)\s*<td>([\w ]+)</td>", part)
    told = [(kind, re.findall(r"\d+", cells), state) for kind, cells, state in stages]
    assert told == [
        ("Products", ["0", "0", "0", "0"], "nothing to do"), ("Customers", ["3", "1", "0", "2"], "under way"),
    ]  # fmt: skip
    assert signed_in(api, "SalesManager").post(f"{path}/cancel").status_code == 403
    assert signed_in(api, tenant="beta").post(f"{path}/cancel").status_code == 404
    assert visitor.post(f"{path}/cancel").headers["location"] == f"{path}?done=cancelled&n=2"
    ended = visitor.get(f"{path}/progress").text
    assert "ended: cancelled" in ended
    assert "hx-trigger" not in ended
    at = bulk.progress(api.runtime, KEY, sync_id)
    assert (at.successful, at.skipped, at.finished, at.cancelled) == (1, 2, True, True)


def test_a_bulk_sync_is_looked_at_before_it_is_started(api: Api) -> None:
    furnish(api)
    taken = Rejected("The name is taken.", cause="name-taken", mend="Rename it.")
    erp = ToyErp(findings=(Finding(error=taken, ref=Ref("Customer", "c2")),))
    api.runtime.connectors["quickbooks"].session = lambda _connection, lent: ToySession(erp, lent)
    visitor = signed_in(api)
    before = scalar(api.runtime.db, "select count(*) from erp.integration_syncs")
    shown = visitor.post("/console/syncs", provider="quickbooks", kind="Customer", check="1").text
    for words in ("The name is taken.", "Rename it.", "Customer c2", "<dt>Would fail</dt><dd>1</dd>", ">Start it<"):
        assert words in shown, words
    assert scalar(api.runtime.db, "select count(*) from erp.integration_syncs") == before
    assert erp.arrived == []


def test_a_connection_is_checked_on_demand(api: Api) -> None:
    furnish(api)
    visitor = signed_in(api)
    path = "/console/connections/quickbooks/check"
    assert visitor.post(path).headers["location"] == "/console/connections?done=answers"
    api.oauth.fail = ConnectionLost("The provider refused the refresh token.", mend="Connect it again.")
    shown = visitor.post(path)
    assert (shown.status_code, "refused the refresh token" in shown.text) == (200, True)
    assert "Reconnect needed" in visitor.get("/console/connections").text
    assert signed_in(api, "SalesManager").post(path).status_code == 403


def test_a_person_decides_which_record_is_which(api: Api) -> None:
    furnish(api)
    admin, manager = signed_in(api), signed_in(api, "SalesManager")
    assert "The Corner Three" in manager.get("/console/matching").text
    form = {"entityType": "Customer", "entityId": "c3"}
    path = "/console/matching/quickbooks"
    assert manager.post(path, **form, externalId="new").status_code == 403
    assert signed_in(api, tenant="beta").post(path, **form, externalId="new").status_code == 404
    assert admin.post(path, **form).status_code == 422
    assert admin.post(path, **form, externalId="is:81").status_code == 422
    assert (
        admin.post(path, **form, externalId="new").headers["location"]
        == "/console/matching?provider=quickbooks&done=decided"
    )
    assert "Nothing is asked." in admin.get("/console/matching").text
    [decided] = api.get("/api/integrations/matching/quickbooks?decided=true").json()["items"]
    assert (decided["entityId"], decided["externalId"], decided["decidedBy"]) == ("c3", None, "ann")


def test_what_differs_in_the_erp_is_listed_with_both_values(api: Api) -> None:
    furnish(api)
    shown = signed_in(api, "SalesManager").get("/console/differences").text
    assert "a@corner.example" in shown
    assert "planted@corner.example" in shown
    assert (
        "planted@corner.example"
        not in signed_in(api, tenant="beta").get("/console/differences?provider=quickbooks").text
    )


def test_a_bulk_sync_of_nothing_or_of_strangers_is_refused(api: Api) -> None:
    furnish(api)
    visitor = signed_in(api)
    for form, status in (
        ({"kind": []}, 422), ({"kind": ["Bill"]}, 422), ({"kind": ["Customer", "Order"], "entityIds": "c1"}, 422),
        ({"kind": ["Customer"], "entityIds": "c1 nobody"}, 404), ({"kind": ["Customer"], "provider": "netsuite"}, 404),
    ):  # fmt: skip
        assert visitor.post("/console/syncs", **{"provider": "quickbooks", **form}).status_code == status, form
    named = visitor.post("/console/syncs", provider="quickbooks", kind="Customer", entityIds="c1 c2")
    assert "<dt>Records</dt><dd>2</dd>" in visitor.get(named.headers["location"]).text


def test_the_log_is_filtered_and_exported_as_it_is_shown(api: Api) -> None:
    furnish(api)
    visitor = signed_in(api, "SalesManager")
    shown = visitor.get("/console/logs?status=Failed&entityId=c1&provider=&direction=").text
    assert "Customer c1" in shown
    assert "Customer c2" not in shown
    assert "Nothing stands here for these filters" in visitor.get("/console/logs?status=Completed").text
    rows = list(csv.DictReader(io.StringIO(visitor.get("/console/logs/export.csv?entityId=c1").text)))
    assert [row["entityId"] for row in rows] == ["c1"]
    for wrong in ("status=Odd", "fromDate=soon", "cursor=x", "direction=Sideways"):
        assert visitor.get(f"/console/logs?{wrong}").status_code == 422, wrong


def test_an_entry_tells_the_whole_story_and_the_event_to_admins_only(api: Api) -> None:
    furnish(api)
    run(api, 'update erp.integration_outbox set payload = payload || \'{"accessToken": "planted-secret"}\'')
    run(api, 'update erp.integration_sync_logs set response_payload = \'{"Authorization": "Bearer planted-secret-2"}\'')
    [entry] = api.get("/api/integrations/logs?entityId=c1").json()["items"]
    admin, manager = signed_in(api), signed_in(api, "SalesManager")
    shown = admin.get(f"/console/logs/{entry['id']}").text
    for words in (
        "It is inactive.",
        "Activate it.",
        "bookkeeper",
        "req-c1",
        "CustomerCreated",
        "Customer c1",
        ">Retry<",
    ):
        assert words in shown, words
    assert 'href="https://books.example.com/9130/Customer/77"' in shown
    assert "planted-secret" not in shown
    assert "[redacted]" in shown
    seen = manager.get(f"/console/logs/{entry['id']}").text
    assert "CustomerCreated" in seen
    assert "&#34;Customer c1&#34;" in shown
    assert "&#34;Customer c1&#34;" not in seen
    assert ">Ask for a retry<" in seen
    told = api.get(f"/api/integrations/logs/{entry['id']}", role="SalesManager").json()
    assert (told["payload"], told["responsePayload"]) == (None, {"Authorization": "[redacted]"})


def test_mappings_are_found_by_any_of_their_ids(api: Api) -> None:
    furnish(api)
    visitor = signed_in(api, "SalesManager")
    for search in ("c1", "C1", "77", "n-7"):
        assert "Customer 77" in visitor.get(f"/console/mappings?search={search}").text, search
    for search in ("c2", "%25", "_"):
        assert "Customer 77" not in visitor.get(f"/console/mappings?search={search}").text, search


def test_pages_are_walked_by_cursor_with_the_filters_kept(api: Api) -> None:
    run(api, "insert into erp.integration_sync_logs (tenant_id, provider, entity_type, entity_id, direction, status)"
             " select 'acme', 'quickbooks', 'Order', 'o' || n, 'ToExternal', 'Failed' from generate_series(1, 60) n")  # fmt: skip
    visitor = signed_in(api, "SalesManager")
    first = visitor.get("/console/logs?entityType=Order&status=Failed").text
    link = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "entityType=Order" in link
    second = visitor.get(link).text
    assert (first.count("<tr>"), second.count("<tr>")) == (51, 11)


def test_figures_are_drawn_and_written(api: Api) -> None:
    furnish(api)
    run(api, "insert into erp.integration_sync_logs (tenant_id, provider, entity_type, direction, status, started_at,"
             " completed_at, delivery_id) select 'acme', 'quickbooks', 'Order', 'ToExternal', 'Completed', created_at,"
             " timestamptz '2026-03-02 08:00+00', id from erp.integration_deliveries")  # fmt: skip
    run(api, "update erp.integration_sync_logs set started_at = '2026-03-01 12:00+00' where status = 'Completed'")
    run(api, "update erp.integration_deliveries set created_at = timestamptz '2026-03-02 07:59:56+00'")
    shown = signed_in(api, "SalesManager").get("/console/health").text
    assert "<title>01 Mar: documents 6</title>" in shown
    assert "<title>02 Mar: failures 3</title>" in shown
    assert "<title>01 Mar: median 4 s</title>" in shown
    assert '<th scope="row">01 Mar</th><td>6</td>' in shown
    assert "<title>&lt; 2 h: events 4</title>" in shown
