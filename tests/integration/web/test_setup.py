"""The first run as one way: each step, left and gone on with, and nothing brought over before the last one."""

from __future__ import annotations

from typing import Any

import pytest

from erp_pipelines.connectors.base import ExternalRef, Finding, NameState, Ref
from erp_pipelines.connectors.provider import Company, Grant
from erp_pipelines.domain.errors import RecordInvalid, Rejected
from tests.integration.access.fakes import scalar, state_in
from tests.integration.web.conftest import Api
from tests.integration.web.console_support import Visitor, signed_in
from tests.support.toy import TOY_KINDS, ToyErp, ToySession

SETUP = "/console/setup/quickbooks"
CALLBACK = "/api/integrations/quickbooks/callback"
THERE = {
    "Customer": [("70", "Corner Shop"), ("71", "Harbor Caffe")],
    "Item": [],
}


class ReadableSession(ToySession):
    """A toy whose customers can be listed."""

    def names(self, refs: Any) -> tuple[NameState, ...]:
        del refs
        return ()

    def listing(self, external_type: str, start: int) -> tuple[NameState, ...]:
        fields = [(ident, {"name": name, "email": None, "active": True}) for ident, name in THERE[external_type]]
        states = [NameState(ExternalRef(external_type, ident), gone=False, fields=told) for ident, told in fields]
        return tuple(states[start - 1 :])

    def as_there(self, record: Any) -> dict[str, Any]:
        return {"name": record.name}


@pytest.fixture
def erp() -> ToyErp:
    return ToyErp()


@pytest.fixture
def shop(api: Api, erp: ToyErp) -> Api:
    """Two customers that stand in the ERP too, one of them under a name that is not sure."""
    connector = api.runtime.connectors["quickbooks"]
    connector.kinds, connector.session = TOY_KINDS, lambda _connection, lent: ReadableSession(erp, lent)
    for name, words in (("c1", "Corner Shop"), ("c2", "Harbor Cafe")):
        api.send("PUT", f"/api/commerce/customers/{name}", {"id": name, "name": words})
    return api


def connect(visitor: Visitor) -> str:
    """Through the consent, as the first step leads to it; the page it ends on."""
    leaving = visitor.post("/console/connections/quickbooks/connect", setup="1")
    back = {"code": "code-1", "realmId": "9130", "state": state_in(leaving.text)}
    return visitor.client.get(CALLBACK, params=back).text


def at(visitor: Visitor) -> str:
    return visitor.get(SETUP).headers["location"].removeprefix(f"{SETUP}/")


def deliveries(api: Api) -> int:
    return scalar(api.runtime.db, "select count(*) from erp.integration_deliveries")


def test_the_whole_way(shop: Api, erp: ToyErp) -> None:
    visitor = signed_in(shop)
    assert f'href="{SETUP}">Set up</a>' in visitor.get("/console/connections").text
    assert at(visitor) == "connect"
    page = visitor.get(f"{SETUP}/connect").text
    assert 'href="/console/connections/quickbooks/connect?setup=1"' in page
    ended = connect(visitor)
    assert "Nothing is brought there before it is turned on." in ended
    assert f'href="{SETUP}"' in ended

    assert at(visitor) == "match"
    matched = visitor.post(f"{SETUP}/match", run="1").text
    assert "Customers: 1 joined, 1 to decide about, 0 new." in matched
    assert at(visitor) == "match"
    form = {"entityType": "Customer", "entityId": "c2", "externalId": "is:71", "setup": "1"}
    decided = visitor.post("/console/matching/quickbooks", **form)
    assert decided.headers["location"] == f"{SETUP}/match?done=decided"
    assert "To decide" not in visitor.get(f"{SETUP}/match").text
    assert visitor.post(f"{SETUP}/match").headers["location"] == SETUP

    assert at(visitor) == "map"
    assert visitor.post(f"{SETUP}/map", incomeAccountId="79").headers["location"] == SETUP
    assert at(visitor) == "start"
    assert visitor.post(f"{SETUP}/start", documentsWhen="confirmed", startDate="2026-02-01").status_code == 303

    assert at(visitor) == "preview"
    erp.findings = (
        Finding(Rejected("The name is taken.", cause="name-taken", mend="Rename it."), Ref("Customer", "c3")),
    )
    shop.send("PUT", "/api/commerce/customers/c3", {"id": "c3", "name": "Quay Books"})
    found = visitor.post(f"{SETUP}/preview", kind=["Customer"]).text
    for figure in ("<dt>Records</dt><dd>3</dd>", "<dt>To send</dt><dd>1</dd>", "<dt>Would fail</dt><dd>1</dd>"):
        assert figure in found
    assert "Rename it." in found
    assert 'name="kind" value="Customer"' in found
    assert (deliveries(shop), erp.arrived) == (0, [])

    assert at(visitor) == "on"
    begun = visitor.post(f"{SETUP}/on", kind=["Customer"])
    assert begun.headers["location"].startswith("/console/syncs/quickbooks/")
    assert "It is on." in visitor.get(begun.headers["location"]).text
    settings = shop.get("/api/integrations/connections/quickbooks").json()["settings"]
    assert {name: settings[name] for name in ("autoSyncEnabled", "documentsWhen", "startDate", "incomeAccountId")} == {
        "autoSyncEnabled": True, "documentsWhen": "confirmed", "startDate": "2026-02-01", "incomeAccountId": "79",
    }  # fmt: skip
    assert deliveries(shop) == 3
    assert "On since 2026-03-02" in visitor.get(f"{SETUP}/on").text
    assert visitor.get(f"{SETUP}/on").text.count('class="step-done"') == 5


def test_what_the_shop_saves_before_the_last_step_waits_for_the_first_sync(shop: Api) -> None:
    visitor = signed_in(shop)
    connect(visitor)
    shop.send("PUT", "/api/commerce/customers/c3", {"id": "c3", "name": "Quay Books"})
    assert deliveries(shop) == 0
    visitor.post(f"{SETUP}/on", kind=["Customer"])
    shop.send("PUT", "/api/commerce/customers/c4", {"id": "c4", "name": "Late Comer"})
    assert deliveries(shop) == 4


def test_undecided_records_may_wait_while_the_way_goes_on(shop: Api) -> None:
    visitor = signed_in(shop)
    connect(visitor)
    shown = visitor.post(f"{SETUP}/match", run="1").text
    assert "Go on; the undecided wait" in shown
    assert "To decide: 1" in shown
    visitor.post(f"{SETUP}/match")
    assert at(visitor) == "map"
    assert scalar(shop.runtime.db, "select count(*) from erp.integration_match_questions where decided_at is null") == 1


def test_a_wrong_account_is_named_and_the_step_is_not_taken(shop: Api) -> None:
    def check(*_: object) -> dict[str, object]:
        raise RecordInvalid("incomeAccountId: 99 is no active account.", field="incomeAccountId")

    visitor = signed_in(shop)
    connect(visitor)
    visitor.post(f"{SETUP}/match")
    shop.runtime.connectors["quickbooks"].check_settings = check
    answer = visitor.post(f"{SETUP}/map", incomeAccountId="99")
    assert answer.status_code == 422
    assert 'id="wrong-incomeAccountId">incomeAccountId: 99 is no active account.' in answer.text
    assert 'name="incomeAccountId" value="99"' in answer.text
    assert at(visitor) == "map"


def test_a_broken_connection_is_the_first_step_again_and_the_others_stay_done(shop: Api) -> None:
    visitor = signed_in(shop)
    connect(visitor)
    visitor.post(f"{SETUP}/match")
    with shop.runtime.db.system() as conn:
        conn.exec_driver_sql("update erp.integration_connections set state = 'Reconnect needed'")
    assert at(visitor) == "connect"
    assert "<h2>Connect</h2>" in visitor.get(f"{SETUP}/preview").text
    with shop.runtime.db.system() as conn:
        conn.exec_driver_sql("update erp.integration_connections set state = 'Connected'")
    assert at(visitor) == "map"


def test_the_steps_of_one_company_say_nothing_of_another(shop: Api) -> None:
    visitor = signed_in(shop)
    connect(visitor)
    visitor.post(f"{SETUP}/match")
    with shop.runtime.db.system() as conn:
        conn.exec_driver_sql("update erp.integration_connections set external_company_id = '9131'")
    assert at(visitor) == "match"


def test_a_connection_that_stands_already_keeps_its_settings(shop: Api) -> None:
    visitor = signed_in(shop)
    leaving = visitor.post("/console/connections/quickbooks/connect")
    visitor.client.get(CALLBACK, params={"code": "code-1", "realmId": "9130", "state": state_in(leaving.text)})
    visitor.post("/console/connections/quickbooks/connect", setup="1")
    settings = shop.get("/api/integrations/connections/quickbooks").json()["settings"]
    assert settings["autoSyncEnabled"] is True


def test_a_provider_with_credentials_and_without_lists(api: Api) -> None:
    visitor = signed_in(api)
    way = "/console/setup/netsuite"
    form = visitor.get("/console/connections/netsuite/connect?setup=1").text
    assert form.count('name="setup" value="1"') == 2
    connector = api.runtime.connectors["netsuite"]
    connector.credentials.connect = _let_in
    given = {"authMethod": "tba", "accountId": "1234567", "consumerKey": "k", "setup": "1"}
    answer = visitor.post("/console/connections/netsuite/connect", **given)
    assert answer.headers["location"] == f"{way}/match?done=connected"
    settings = api.get("/api/integrations/connections/netsuite").json()["settings"]
    assert (settings["autoSyncEnabled"], settings["documentsWhen"]) == (False, "confirmed")
    shown = visitor.get(f"{way}/match").text
    assert "NetSuite's lists are not matched beforehand" in shown
    assert 'name="run"' not in shown
    assert visitor.post(f"{way}/match").headers["location"] == way
    assert visitor.get(way).headers["location"] == f"{way}/map"


def _let_in(form: Any) -> Any:
    return Grant("access-c", "secret", 3600), Company(form["accountId"], "Northern Stores", "production", {})


def test_who_may_walk_it(shop: Api) -> None:
    connect(signed_in(shop))
    manager, other, nobody = signed_in(shop, "SalesManager"), signed_in(shop, tenant="beta"), Visitor(shop)
    for path in (SETUP, f"{SETUP}/match"):
        assert (manager.get(path).status_code, nobody.get(path).status_code) == (403, 303)
    assert "<h2>Connect</h2>" in other.get(f"{SETUP}/preview").text
    for step in ("match", "map", "start", "preview", "on"):
        assert manager.post(f"{SETUP}/{step}", kind="Customer").status_code == 403
        assert other.post(f"{SETUP}/{step}", kind="Customer").status_code in {404, 409}, step
    assert scalar(shop.runtime.db, "select count(*) from erp.integration_setup_steps") == 0


def test_what_is_no_step(shop: Api) -> None:
    visitor = signed_in(shop)
    connect(visitor)
    assert visitor.get(f"{SETUP}/fly").status_code == 404
    assert visitor.get("/console/setup/sap").status_code == 404
    assert visitor.post(f"{SETUP}/on", kind="Bill").status_code == 422
    assert visitor.post(f"{SETUP}/preview").status_code == 422
    assert shop.get("/api/integrations/connections/quickbooks").json()["settings"]["autoSyncEnabled"] is False
