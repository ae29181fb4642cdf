"""Connecting to the NetSuite twin: every wrong credential and every missing permission, as the admin reads it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from erp_pipelines.connectors.base import ConnectionFacts
from erp_pipelines.connectors.http import MockTransport
from erp_pipelines.connectors.netsuite.config import NetSuiteConfig
from erp_pipelines.connectors.provider import Connector
from erp_pipelines.connectors.registry import connectors
from erp_pipelines.domain import errors
from erp_pipelines.domain.connections import ConnectionKey, ConnectionSettings
from erp_twins.clock import TwinClock
from erp_twins.netsuite import NetSuiteTwin
from erp_twins.netsuite.roles import DOORS, INTEGRATOR
from erp_twins.transport import twin_handler
from tests.contract.connector_suite import Tokens
from tests.contract.netsuite_twin_support import ACCOUNT, BASE, NOON, certificate, key_of, private_pem
from tests.support.clock import FakeClock

SECRETS = ("shop-secret", "token-secret", "PRIVATE KEY")


@pytest.fixture(scope="module")
def keys() -> dict[str, Any]:
    return {"ec": key_of("ec"), "other": key_of("ec"), "rsa": key_of("rsa")}


class Office:
    """An administrator of both sides."""

    def __init__(self, keys: dict[str, Any], account: str = ACCOUNT, **settings: Any) -> None:
        self.keys, self.account, self.clock = keys, account, FakeClock(NOON)
        self.twin = NetSuiteTwin(clock=TwinClock(NOON), account="", sleep=lambda _: None)
        self.twin.add_account(account, **settings)
        self.twin.add_integration("shop", "shop-secret", account)
        self.twin.add_certificate("shop", certificate(keys["ec"], days=365), kid="kid-1")
        self.twin.add_token("shop", ident="token-1", secret="token-secret")
        transport = MockTransport(twin_handler(self.twin))
        self.connector: Connector = connectors(
            netsuite=NetSuiteConfig(url=BASE), transport=transport, clock=self.clock
        )["netsuite"]

    def machine(self, **changes: str) -> dict[str, str]:
        whole = {"accountId": self.account, "authMethod": "oauth2_m2m", "clientId": "shop", "certificateId": "kid-1"}
        return {**whole, "privateKeyPem": private_pem(self.keys["ec"]), **changes}

    def token(self, **changes: str) -> dict[str, str]:
        keys = {"consumerKey": "shop", "consumerSecret": "shop-secret"}
        token = {"tokenId": "token-1", "tokenSecret": "token-secret"}
        return {"accountId": self.account, "authMethod": "tba", **keys, **token, **changes}

    def role(self, *closed: str, **levels: str) -> None:
        doors = tuple(door for door in DOORS[:-1] if door not in closed)
        self.twin.add_role("Integration", self.account, ident=INTEGRATOR, levels={"*": "full", **levels}, doors=doors)

    def connect(self, form: dict[str, str]) -> Any:
        return self.connector.credentials.connect(form)

    def refused(self, form: dict[str, str]) -> str:
        with pytest.raises(errors.ConsentRefused) as refused:
            self.connect(form)
        told = str(refused.value)
        assert not [secret for secret in SECRETS if secret in told]
        return told


@pytest.fixture
def office(keys) -> Office:
    return Office(keys)


# --- let in ---


def test_both_kinds_of_credentials_let_us_in(office):
    for form in (office.machine(), office.token()):
        grant, company = office.connect(form)
        assert (company.external_id, company.name, company.environment) == (
            ACCOUNT,
            "Harbor Foods Inc (twin)",
            "production",
        )
        assert not [secret for secret in SECRETS if secret in repr(grant) + repr(company)]


def test_facts_of_a_one_world_account(office):
    with office.twin.person() as person:
        person.create("customer", {"companyName": "A", "subsidiary": {"id": "1"}})
    _, company = office.connect(office.machine())
    assert dict(company.facts) == {
        "subsidiaries": {"1": "Harbor Foods Inc (twin)", "2": "Northern Branch"},
        "suiteTax": True,
        "currencies": {"USD": "1", "EUR": "2", "GBP": "3"},
        "homeCurrency": "USD",
        "terms": {"Due on receipt": "1", "Net 15": "2", "Net 30": "3", "Net 60": "4"},
        "tables": ["location", "department", "classification"],
        "zone": "America/Los_Angeles",
        "zoneProven": False,
    }


def test_facts_of_a_small_account(keys):
    small = Office(keys, one_world=False, suite_tax=False, features=("receivables",), currency="EUR")
    _, company = small.connect(small.machine())
    assert (company.name, company.facts["subsidiaries"], company.facts["suiteTax"]) == (
        f"NetSuite {ACCOUNT}",
        {},
        False,
    )
    assert (company.facts["currencies"], company.facts["homeCurrency"], company.facts["tables"]) == ({}, "EUR", [])


def test_zone_is_proven_by_records_of_both_halves_of_the_year(keys):
    office = Office(keys, zone="Europe/Berlin")
    for month in (7, 12):
        office.twin.clock.set(dt.datetime(2025, month, 5, 12, tzinfo=dt.UTC))
        with office.twin.person() as person:
            person.create("customer", {"companyName": f"C{month}", "subsidiary": {"id": "1"}})
    office.twin.clock.set(NOON)
    _, company = office.connect(office.machine())
    assert (company.facts["zone"], company.facts["zoneProven"]) == ("Europe/Berlin", True)


def test_limits_are_read_where_the_role_may(keys):
    office = Office(keys, concurrency_limit=15)
    office.twin.configure(governance_for="everyone")
    assert office.connect(office.machine())[1].facts["concurrencyLimit"] == 15


def test_sandbox_is_known_by_either_form_of_its_id(keys):
    office = Office(keys, "1234567_SB1")
    grant, company = office.connect(office.machine(accountId="1234567-sb1"))
    assert (company.external_id, company.environment) == ("1234567_SB1", "sandbox")
    assert '"accountId":"1234567_SB1"' in grant.refresh_token


def test_connecting_changes_nothing(office):
    before = list(office.twin.account().history)
    office.connect(office.machine())
    assert office.twin.account().history == before


def test_access_is_renewed_with_the_same_secret(office):
    grant, _ = office.connect(office.machine())
    office.clock.advance(seconds=4000)
    office.twin.clock.advance(4000)
    again = office.connector.credentials.refresh(grant.refresh_token)
    assert again.refresh_token == grant.refresh_token
    assert again.access_token != grant.access_token


# --- what is wrong with the credentials ---


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"clientId": "shop-secret-key"}, "the client id is the integration's consumer key"),
        ({"certificateId": "kid-2"}, "certificate id stands in the list of mappings"),
        ({"accountId": "7654321"}, "in this very account"),
    ],
)
def test_parts_that_do_not_belong_together(office, changes, told):
    text = office.refused(office.machine(**changes))
    assert "(invalid_client)" in text
    assert told in text


def test_key_of_another_certificate(office):
    assert "the one whose certificate was uploaded" in office.refused(
        office.machine(privateKeyPem=private_pem(office.keys["other"]))
    )


def test_integration_that_does_not_allow_it(office):
    office.twin.add_integration("shop", "shop-secret", m2m=False)
    assert "tick Client Credentials (Machine to Machine) Grant" in office.refused(office.machine())
    office.twin.add_integration("shop", "shop-secret", scopes=("restlets",))
    assert "the scope REST Web Services" in office.refused(office.machine())


def test_mapping_that_a_sandbox_refresh_has_wiped(keys):
    office = Office(keys, "1234567_SB1")
    grant, _ = office.connect(office.machine())
    office.twin.refresh_sandbox("1234567_SB1")
    assert "a refresh of a sandbox clears its mappings" in office.refused(office.machine())
    with pytest.raises(errors.ConnectionLost, match="as after every refresh of a sandbox") as lost:
        office.connector.credentials.refresh(grant.refresh_token)
    assert lost.value.erp_code == "invalid_client"


def test_certificate_that_has_ended(office):
    grant, _ = office.connect(office.machine())
    office.clock.advance(days=366)
    office.twin.clock.advance(366 * 86400)
    with pytest.raises(errors.ConnectionLost, match="certificate has ended"):
        office.connector.credentials.refresh(grant.refresh_token)


@pytest.mark.parametrize(
    "changes",
    [{"consumerKey": "x"}, {"consumerSecret": "x"}, {"tokenId": "x"}, {"tokenSecret": "x"}, {"accountId": "7654321"}],
)
def test_wrong_part_of_a_token(office, changes):
    text = office.refused(office.token(**changes))
    assert "refuses the login" in text
    assert "Login Audit Trail" in text


# --- what the role lacks ---


@pytest.mark.parametrize(
    ("record_type", "level", "lacks"),
    [
        ("customer", "view", "Lists, Customers (Edit)"),
        ("customer", "none", "Lists, Customers (Edit)"),
        ("inventoryItem", "view", "Lists, Items (Edit)"),
        ("nonInventorySaleItem", "none", "Lists, Items (Edit)"),
        ("serviceSaleItem", "create", "Lists, Items (Edit)"),
        ("salesOrder", "view", "Transactions, Sales Order (Edit)"),
        ("invoice", "none", "Transactions, Invoice (View)"),
        ("customerPayment", "none", "Transactions, Customer Payment (View)"),
        ("creditMemo", "none", "Transactions, Credit Memo (View)"),
    ],
)
def test_missing_permission_for_a_record_type(office, record_type, level, lacks):
    office.role(**{record_type: level})
    text = office.refused(office.machine())
    assert f"It lacks: {lacks}" in text
    assert "Setup, Users/Roles, Manage Roles" in text


@pytest.mark.parametrize(
    ("door", "lacks"),
    [
        ("workbook", "It lacks: Reports, SuiteAnalytics Workbook (Edit)."),
        ("deleted_records", "It lacks: Lists, Deleted Records (View)."),
    ],
)
def test_missing_permission_to_search(office, door, lacks):
    office.role(door)
    assert lacks in office.refused(office.machine())


def test_role_without_rest_web_services(office):
    office.role("rest_web_services")
    assert "REST Web Services (Full)" in office.refused(office.machine())
    assert "REST Web Services (Full)" in office.refused(office.token())


def test_role_that_may_not_log_in(office):
    office.role("oauth_login", "token_login")
    assert "Log in using OAuth 2.0 Access Tokens" in office.refused(office.machine())
    assert "Log in using Access Tokens" in office.refused(office.token())


def test_everything_that_is_missing_is_named_at_once(office):
    office.role("workbook", salesOrder="view", invoice="none")
    text = office.refused(office.machine())
    assert (
        "It lacks: Transactions, Sales Order (Edit); Transactions, Invoice (View); Reports, SuiteAnalytics Workbook (Edit)."
        in text
    )


def test_subsidiaries_that_the_role_may_not_see(office):
    office.role(subsidiary="none")
    assert "It lacks: Lists, Subsidiaries (View)." in office.refused(office.machine())


@pytest.mark.parametrize("language", ["de", "it"])
def test_permissions_are_told_apart_in_any_language(keys, language):
    office = Office(keys, language=language)
    office.role("workbook")
    assert "It lacks: Reports, SuiteAnalytics Workbook (Edit)." in office.refused(office.machine())


# --- settings ---


def checked(office: Office, **own: Any) -> None:
    facts = ConnectionFacts("1", ConnectionKey("acme", "netsuite"), ACCOUNT, {}, ConnectionSettings())
    after = ConnectionSettings(provider_settings=own)
    office.connector.check_settings(facts, after, Tokens(office.twin.connect()))


def test_settings_name_what_stands_in_the_account(office):
    checked(office, subsidiaryId="2", locationId="1", incomeAccountId="5", cogsAccountId="9")
    with pytest.raises(errors.RecordInvalid, match="does not stand there") as invalid:
        checked(office, locationId="99")
    assert invalid.value.field == "providerSettings.locationId"


def offered(office: Office) -> dict[str, dict[str, str]]:
    facts = ConnectionFacts("1", ConnectionKey("acme", "netsuite"), ACCOUNT, {}, ConnectionSettings())
    found = office.connector.choices(facts, Tokens(office.twin.connect()))
    return {path: {one.id: one.name for one in choices} for path, choices in found.items()}


def test_forms_offer_the_accounts_own_lists(office):
    found = offered(office)
    assert "Northern Branch" in found["providerSettings.subsidiaryId"].values()
    assert set(found["providerSettings.departmentId"].values()) == {"Sales", "Service"}
    assert found["providerSettings.incomeAccountId"] == found["incomeAccountId"]
    assert "5" in found["incomeAccountId"]
    assert "providerSettings.taxScheduleId" not in found


def test_a_list_that_the_role_may_not_see_is_not_offered(office):
    office.role(department="none")
    found = offered(office)
    assert "providerSettings.departmentId" not in found
    assert "providerSettings.locationId" in found
