"""A connection to an account of the NetSuite twin, without sockets, and short ways to push and look."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from erp_pipelines.connectors.base import ConnectionFacts, ExternalRef, Pushed, Ref, Write
from erp_pipelines.connectors.http import MockTransport
from erp_pipelines.connectors.netsuite.config import NetSuiteConfig
from erp_pipelines.connectors.registry import connectors
from erp_pipelines.domain.connections import ConnectionKey, ConnectionSettings
from erp_pipelines.domain.payments import Payment
from erp_twins.clock import TwinClock
from erp_twins.netsuite import NetSuiteTwin
from erp_twins.transport import twin_handler
from tests.contract.connector_suite import CUSTOMER, ORDER, Desk, Tokens, write
from tests.contract.netsuite_twin_support import ACCOUNT, BASE
from tests.support.clock import START, FakeClock
from tests.support.factories import make_customer, make_order, make_product

PAYMENT = Ref("Payment", "pay1")
OWN = {
    "subsidiaryId": "1",
    "taxScheduleId": "1",
    "taxCodes": {"8": "1", "5": "2", "default": "1"},
    "exemptTaxCodeId": "3",
    "shipMethodId": "1",
    "timeZone": "America/Los_Angeles",
}


class Connection:
    """`account` are the twin's settings, `own` the connection's `providerSettings`."""

    def __init__(
        self,
        account: dict[str, Any] | None = None,
        own: dict[str, Any] | None = None,
        config: dict[str, Any] | None = None,
        at: dt.datetime = START,
    ) -> None:
        self.desk = Desk(Tokens(), FakeClock(at))
        self.twin = NetSuiteTwin(clock=TwinClock(at), account="", sleep=lambda _: None)
        self.twin.configure(access_token_seconds=10_000_000)
        self.twin.add_account(ACCOUNT, **(account or {}))
        self.desk.tokens.tokens = [self.twin.connect()]
        self.transport = MockTransport(twin_handler(self.twin))
        self.connector = connectors(
            netsuite=NetSuiteConfig(url=BASE, **(config or {})), transport=self.transport, clock=self.desk.clock
        )["netsuite"]
        one_world = (account or {}).get("one_world", True)
        facts = {
            "subsidiaries": {"1": "Harbor Foods", "2": "Northern Branch"} if one_world else {},
            "suiteTax": (account or {}).get("suite_tax", True),
            "currencies": {"USD": "1", "EUR": "2", "GBP": "3"},
            "homeCurrency": "USD",
        }
        self.key, self.company = ConnectionKey("acme", "netsuite"), facts
        self.choose(**(own or {}))

    def choose(self, **own: Any) -> None:
        """Other `providerSettings`."""
        settings = ConnectionSettings(income_account_id="5", provider_settings={**OWN, **own})
        self.facts = ConnectionFacts("conn-1", self.key, ACCOUNT, self.company, settings)
        self.session = self.connector.session(self.facts, self.desk.lent)

    def discount_item(self) -> str:
        """A discount item, made by hand."""
        accounts = {"incomeAccount": {"id": "5"}, "taxSchedule": {"id": "1"}}
        body = {"itemId": "Discount", "subsidiary": {"items": [{"id": "1"}]}, **accounts}
        with self.twin.person() as person:
            return str(person.create("discountItem", body)["id"])

    def push(self, wanted: Write, **changes: Any) -> Pushed:
        return self.session.push(replace(wanted, **changes))

    def customer(self, **changes: Any) -> Pushed:
        return self.push(write(CUSTOMER, make_customer(**changes)))

    def product(self, product_id: str = "p1", **changes: Any) -> Pushed:
        return self.push(write(Ref("Product", product_id), make_product(product_id, **changes)))

    def order(self, **changes: Any) -> Write:
        """An order to push, with everything it needs in NetSuite."""
        order = make_order(**changes).completed()
        refs = {CUSTOMER: self.customer().external_id}
        for product in {line.product for line in order.lines}:
            refs[Ref("Product", product)] = self.product(product).external_id
        return write(ORDER, order, refs)

    def payment(self, invoice: str, order: Write, amount: str = "10.00", payment_id: str = "pay1") -> Write:
        refs = {ORDER: invoice, CUSTOMER: order.refs[CUSTOMER]}
        day = dt.date(2026, 3, 2)
        record = Payment(id=payment_id, order_id="o1", amount=amount, currency="USD", date=day, method="Card")
        return write(Ref("Payment", payment_id), record, refs)

    def rows(self, record_type: str) -> list[dict[str, Any]]:
        return list(self.twin.account().rows(record_type))

    def only(self, record_type: str) -> dict[str, Any]:
        (row,) = self.rows(record_type)
        return row

    def writes(self) -> list[Any]:
        return [one for one in self.twin.calls.since() if one.method in {"PUT", "PATCH", "POST"} and "suiteql" not in one.path]  # fmt: skip

    def state(self, done: Pushed) -> Any:
        """The document as the truth has it."""
        (state,) = self.session.truth([ExternalRef(done.external_type, done.external_id)]).documents
        return state

    def pass_time(self, **parts: float) -> None:
        self.desk.clock.advance(**parts)
        self.twin.clock.advance(dt.timedelta(**parts).total_seconds())
