"""A shop that is connected to a company of the QuickBooks twin, without sockets."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from erp_pipelines.connectors.base import ConnectionFacts, Pushed, Ref, Write
from erp_pipelines.connectors.http import MockTransport
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.registry import connectors
from erp_pipelines.domain.connections import ConnectionKey, ConnectionSettings
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.refunds import Refund
from erp_twins.transport import twin_handler
from tests.contract.connector_suite import CUSTOMER, ORDER, Desk, Tokens, write
from tests.contract.twin_support import REALM, Books
from tests.support.factories import make_customer, make_order, make_product

HOST = "https://twin.example"
PAYMENT, REFUND = Ref("Payment", "pay1"), Ref("Refund", "o1-R1")


class Shop:
    """Our side of a connection to a twin's company."""

    def __init__(self, company: dict[str, Any] | None = None, **config: Any) -> None:
        self.settings = ConnectionSettings(**config.pop("settings", {}))
        self.books = Books(**config.pop("twin", {}))
        del self.books.twin.companies[REALM]  # its lists depend on its settings
        self.books.twin.add_company(REALM, **(company or {}))
        self.desk = Desk(Tokens(self.books.token))
        self.config = QuickBooksConfig(
            "app-1",
            "app-secret",
            verifier_token="twin-verifier-token",
            api_url=HOST,
            authorize_url=f"{HOST}/connect/oauth2",
            token_url=f"{HOST}/oauth2/v1/tokens/bearer",
            revoke_url=f"{HOST}/v2/oauth2/tokens/revoke",
            **config,
        )
        self.transport = MockTransport(twin_handler(self.books.twin))
        self.connector = connectors(quickbooks=self.config, transport=self.transport, clock=self.desk.clock)[
            "quickbooks"
        ]
        self.describe()

    def describe(self) -> None:
        company = self.connector.oauth.describe(company_id=REALM, access_token=self.books.token)
        key = ConnectionKey("acme", "quickbooks")
        self.facts = ConnectionFacts("conn-1", key, company.external_id, company.facts, self.settings)
        self.session = self.connector.session(self.facts, self.desk.lent)

    def choose(self, **changed: Any) -> None:
        """Settings from now on; those of QuickBooks' own as `own`."""
        own = changed.pop("own", None)
        self.settings = ConnectionSettings(**changed, provider_settings=own)
        self.describe()

    def push(self, wanted: Write, **changes: Any) -> Pushed:
        return self.session.push(replace(wanted, **changes))

    def customer(self, **changes: Any) -> Pushed:
        return self.push(write(CUSTOMER, make_customer(**changes)))

    def order(self, **changes: Any) -> Write:
        order = make_order(**changes).completed()
        refs = {CUSTOMER: self.customer().external_id}
        for product in {line.product for line in order.lines}:
            ref = Ref("Product", product)
            refs[ref] = self.push(write(ref, make_product(product))).external_id
        return write(ORDER, order, refs)

    def paid(self, amount: str = "10.00", **changes: Any) -> tuple[Pushed, Write]:
        """An invoice, and a payment to push for it."""
        order = self.order(**{key: changes.pop(key) for key in ("currency", "exchange_rate") if key in changes})
        invoice = self.push(order)
        refs = {ORDER: invoice.external_id, CUSTOMER: order.refs[CUSTOMER]}
        day = dt.date(2026, 3, 2)
        given = {"id": "pay1", "order_id": "o1", "amount": amount, "currency": "USD", "date": day, **changes}
        return invoice, write(PAYMENT, Payment(**given), refs)

    def refund(self, **changes: Any) -> Write:
        """A refund to push of one piece of the order's only line; the order stands as an invoice."""
        order = self.order(currency=changes.get("currency", "USD"))
        refs = {**order.refs, ORDER: self.push(order).external_id}
        lines = [{"line": 1, "product": "p1", "quantity": 1, "unit_price": "12.50"}]
        day = dt.date(2026, 3, 5)
        given = {"id": "o1-R1", "order_id": "o1", "order_number": "o1", "date": day, "currency": "USD", "lines": lines}
        return write(REFUND, Refund(**{**given, **changes}).completed(), refs)

    @property
    def company(self) -> Any:
        return self.books.company

    def sent(self) -> list[Any]:
        return [call for call in self.books.twin.calls.since() if call.method == "POST"]
