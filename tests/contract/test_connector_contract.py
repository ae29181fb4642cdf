"""The connectors' contract, run over HTTP against each provider's twin."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from erp_pipelines.connectors.base import ConnectionFacts, ErpSession
from erp_pipelines.connectors.netsuite.config import NetSuiteConfig
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.registry import connectors
from erp_pipelines.domain.connections import ConnectionKey, ConnectionSettings
from erp_twins.clock import TwinClock
from erp_twins.netsuite import NetSuiteTwin
from erp_twins.quickbooks import QuickBooksTwin, operations
from erp_twins.quickbooks.entities import SCHEMAS
from erp_twins.serve import TwinServer
from tests.contract.connector_suite import ConnectorContract, Desk, Tokens
from tests.contract.netsuite_twin_support import ACCOUNT, certificate, key_of, private_pem
from tests.contract.twin_support import REALM, REDIRECT
from tests.support.clock import START, FakeClock

CLIENT, SECRET = "app-1", "app-secret"
RECORD_TYPES = {
    "Customer": "customer",
    "Product": "nonInventorySaleItem",
    "Order": "salesOrder",
    "Payment": "customerPayment",
}
ENTITIES = {"Customer": "Customer", "Product": "Item", "Order": "Invoice", "Payment": "Payment"}


class QuickBooksWorld:
    def __init__(self, url: str, twin: QuickBooksTwin) -> None:
        self.twin = twin
        twin.reset()
        twin.configure(throttle=False)
        twin.add_app(CLIENT, SECRET, (REDIRECT,))
        grant = twin.connect(CLIENT)
        self.desk = Desk(Tokens(grant["access_token"]), FakeClock(twin.clock.now()))
        self.secrets = (grant["access_token"], grant["refresh_token"], SECRET)
        config = QuickBooksConfig(
            CLIENT,
            SECRET,
            api_url=url,
            token_url=f"{url}/oauth2/v1/tokens/bearer",
            revoke_url=f"{url}/v2/oauth2/tokens/revoke",
        )
        self.connector = connectors(quickbooks=config, clock=self.desk.clock)["quickbooks"]
        company = self.connector.oauth.describe(company_id=REALM, access_token=grant["access_token"])
        key = ConnectionKey("acme", "quickbooks")
        self.facts = ConnectionFacts("conn-1", key, company.external_id, company.facts, ConnectionSettings())

    def session(self) -> ErpSession:
        return self.connector.session(self.facts, self.desk.lent)

    def count(self, entity_type: str) -> int:
        return len(self.twin.company(REALM).rows(ENTITIES[entity_type]))

    def lose_answers(self, times: int) -> None:
        self.twin.add_fault("drop_after_commit", method="POST", times=times)

    def drop_requests(self, times: int) -> None:
        self.twin.add_fault("drop_before_commit", method="POST", times=times)

    def throttle(self) -> None:
        self.twin.add_fault("xml_throttle", times=1)

    def refuse_token(self) -> str:
        self.twin.configure(access_token_seconds=1)
        dead = self.twin.connect(CLIENT)["access_token"]
        self.desk.tokens.tokens = [dead]
        self.twin.clock.advance(5)
        self.twin.configure(access_token_seconds=3600)
        return self.twin.connect(CLIENT)["access_token"]

    def close_books(self) -> None:
        tomorrow = dt.date.today() + dt.timedelta(days=1)  # noqa: DTZ011 - any day after the orders' will do
        self.twin.add_company(REALM, book_close_date=tomorrow.isoformat())

    def customer_by_hand(self, name: str) -> str:
        with self.twin.lock:
            return str(operations.create(self.twin.company(REALM), SCHEMAS["Customer"], {"DisplayName": name})["Id"])

    def deactivate_customer_by_hand(self, external_id: str) -> None:
        with self.twin.person(REALM) as person:
            person.deactivate("Customer", external_id)

    def edit_order_by_hand(self, external_id: str) -> None:
        with self.twin.person(REALM) as person:
            person.edit("Invoice", external_id, {"CustomerMemo": {"value": "Thank you"}})

    def pass_time(self, seconds: float) -> None:
        self.twin.clock.advance(seconds)
        self.desk.clock.advance(seconds)

    def delete_order_by_hand(self, external_id: str) -> None:
        with self.twin.person(REALM) as person:
            person.delete("Invoice", external_id)


@pytest.fixture(scope="module")
def quickbooks() -> Iterator[TwinServer]:
    with TwinServer(deliver=False) as server:
        yield server


class TestQuickBooks(ConnectorContract):
    @pytest.fixture
    def world(self, quickbooks: TwinServer) -> QuickBooksWorld:
        return QuickBooksWorld(quickbooks.url, quickbooks.twin)


class NetSuiteWorld:
    def __init__(self, url: str, twin: NetSuiteTwin, key: Any) -> None:
        self.twin = twin
        twin.clear_faults()
        twin.clock.set(START)
        twin.reset()
        twin.add_account(ACCOUNT, mandatory={})
        twin.add_integration(CLIENT)
        kid = twin.add_certificate(CLIENT, certificate(key)).kid
        self.desk = Desk(Tokens())
        self.connector = connectors(netsuite=NetSuiteConfig(url=url, late_commit_seconds=300), clock=self.desk.clock)[
            "netsuite"
        ]
        pem = private_pem(key)
        form = {"accountId": ACCOUNT, "clientId": CLIENT, "certificateId": kid, "privateKeyPem": pem}
        grant, company = self.connector.credentials.connect(form)
        self.desk.tokens.tokens = [grant.access_token]
        self.secrets = (grant.access_token, pem[100:140])
        own = {"subsidiaryId": "1", "taxScheduleId": "1", "taxCodes": {"8": "1"}, "timeZone": "America/Los_Angeles"}
        settings = ConnectionSettings(income_account_id="5", provider_settings=own)
        self.facts = ConnectionFacts(
            "conn-1", ConnectionKey("acme", "netsuite"), company.external_id, company.facts, settings
        )

    def session(self) -> ErpSession:
        return self.connector.session(self.facts, self.desk.lent)

    def count(self, entity_type: str) -> int:
        return len(self.twin.account().rows(RECORD_TYPES[entity_type]))

    def lose_answers(self, times: int) -> None:
        self.twin.add_fault("drop_after_commit", method="PUT", times=times)

    def drop_requests(self, times: int) -> None:
        self.twin.add_fault("drop_before_commit", method="PUT", times=times)

    def throttle(self) -> None:
        self.twin.add_fault("status", status=429, retry_after=30, times=1)

    def refuse_token(self) -> str:
        self.twin.access.expire_bearers(ACCOUNT)
        return self.twin.connect(ACCOUNT)

    def close_books(self) -> None:
        """The form wants a value that nobody sends: a sales order itself is in no posting period."""
        self.twin.add_account(ACCOUNT, mandatory={"salesOrder": ["entity", "department"]})

    def customer_by_hand(self, name: str) -> str:
        with self.twin.person(ACCOUNT) as person:
            return str(person.create("customer", {"companyName": name, "subsidiary": {"id": "1"}})["id"])

    def deactivate_customer_by_hand(self, external_id: str) -> None:
        with self.twin.person(ACCOUNT) as person:
            person.deactivate("customer", external_id)

    def edit_order_by_hand(self, external_id: str) -> None:
        with self.twin.person(ACCOUNT) as person:
            person.edit("salesOrder", external_id, {"message": "Thank you"})

    def pass_time(self, seconds: float) -> None:
        self.twin.clock.advance(seconds)
        self.desk.clock.advance(seconds)

    def delete_order_by_hand(self, external_id: str) -> None:
        with self.twin.person(ACCOUNT) as person:
            person.delete("salesOrder", external_id)


@pytest.fixture(scope="module")
def netsuite() -> Iterator[TwinServer]:
    with TwinServer(NetSuiteTwin(clock=TwinClock(START)), deliver=False) as server:
        yield server


@pytest.fixture(scope="module")
def machine_key() -> Any:
    return key_of("ec")


class TestNetSuite(ConnectorContract):
    @pytest.fixture
    def world(self, netsuite: TwinServer, machine_key: Any) -> NetSuiteWorld:
        return NetSuiteWorld(netsuite.url, netsuite.twin, machine_key)
