"""A shop on a real database, connected to the QuickBooks twin without sockets."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from erp_pipelines.access import connections, consent
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.commerce import customers, orders, payments, products, refunds, tenants
from erp_pipelines.commerce.refunds import Wanted
from erp_pipelines.connectors.http import HttpRequest, HttpResponse, MockTransport
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.connector import QuickBooksConnector
from erp_pipelines.delivery import worker
from erp_pipelines.delivery.reports import Report
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.security.cipher import Cipher
from erp_pipelines.storage.engine import Database
from erp_twins.clock import TwinClock
from erp_twins.http import Request
from erp_twins.quickbooks import QuickBooksTwin, TwinConfig, operations
from erp_twins.quickbooks.entities import SCHEMAS
from erp_twins.transport import twin_handler
from tests.support.clock import FakeClock
from tests.support.factories import make_customer, make_order, make_product

KEY = ConnectionKey("acme", "quickbooks")
REALM = "9130350000000001"
API, PUBLIC = "https://erp.test", "https://shop.test"
CLIENT = ("app", "secret")
Answering = Callable[[HttpRequest], HttpResponse | None]


class Shop:
    """One tenant; `answering`, where set, answers a call instead of the twin."""

    def __init__(self, database: Database, clock: FakeClock, **company: Any) -> None:
        self.database, self.clock, self.answering = database, clock, None
        with database.system() as conn:
            clock.moment = conn.execute(sa.text("select now() + interval '1 minute'")).scalar_one().astimezone(dt.UTC)
        self.twin = QuickBooksTwin(TwinConfig(throttle=False), clock=TwinClock(clock.moment))
        self.twin.add_app(*CLIENT, (f"{PUBLIC}/api/integrations/quickbooks/callback",))
        self.twin.add_company(REALM, **company)
        self.runtime = self._runtime()
        with database.tenant(KEY.tenant_id) as conn:
            tenants.add(conn, KEY.tenant_id, "Acme")
        self.connect()

    def _runtime(self) -> Runtime:
        config = QuickBooksConfig(
            *CLIENT, verifier_token="v", api_url=API, token_url=f"{API}/oauth2/v1/tokens/bearer",
            authorize_url=f"{API}/connect/oauth2", revoke_url=f"{API}/v2/oauth2/tokens/revoke",
        )  # fmt: skip
        twin = twin_handler(self.twin)

        def handle(request: HttpRequest) -> HttpResponse:
            return (self.answering(request) if self.answering else None) or twin(request)

        connector = QuickBooksConnector(config, transport=MockTransport(handle), clock=self.clock)
        return Runtime(
            db=self.database, cipher=Cipher.from_keys("k1:" + base64.b64encode(bytes(32)).decode()),
            connectors={"quickbooks": connector}, clock=self.clock, public_url=PUBLIC,
            requests_per_minute={"quickbooks": 600_000.0}, jitter=lambda: 0.0,
        )  # fmt: skip

    def connect(self) -> None:
        url = consent.begin(self.runtime, KEY.tenant_id, "admin", "quickbooks")
        answer = self.twin.handle(Request.make("GET", f"{url}&twin_approve={REALM}", {}, b""))
        query = dict(pair.split("=", 1) for pair in answer.header("location").split("?", 1)[1].split("&"))
        consent.finish(
            self.runtime, "quickbooks", code=query["code"], company_id=query["realmId"], state=query["state"],
            user_id="admin",
        )  # fmt: skip

    def settings(self, **changes: Any) -> None:
        connections.change_settings(self.runtime, KEY, changes, "admin")

    @property
    def company(self) -> Any:
        return self.twin.company(REALM)

    def customer(self, customer_id: str = "c1", **changes: Any) -> None:
        with self.database.tenant(KEY.tenant_id) as conn:
            customers.save(conn, KEY.tenant_id, make_customer(customer_id, **changes))

    def product(self, product_id: str = "p1", **changes: Any) -> None:
        with self.database.tenant(KEY.tenant_id) as conn:
            products.save(conn, KEY.tenant_id, make_product(product_id, **changes))

    def order(self, order_id: str = "o1", *, paid: bool = True, **changes: Any) -> None:
        with self.database.tenant(KEY.tenant_id) as conn:
            orders.save(conn, KEY.tenant_id, make_order(order_id, **changes))
        if paid:
            self.pay(order_id)

    def pay(self, order_id: str = "o1", amount: Decimal | None = None) -> None:
        with self.database.tenant(KEY.tenant_id) as conn:
            payments.pay(conn, KEY.tenant_id, order_id, date=dt.date(2026, 3, 2), amount=amount)

    def twin_item(self, name: str) -> str:
        """An item that a bookkeeper has made; its id."""
        account = {"value": self.company.account("Services")}
        item = {"Name": name, "Type": "Service", "IncomeAccountRef": account}
        with self.twin.lock:
            return str(operations.create(self.company, SCHEMAS["Item"], item)["Id"])

    def refund(self, order_id: str = "o1", **wanted: Any) -> str:
        """The new refund's id."""
        with self.database.tenant(KEY.tenant_id) as conn:
            asked = Wanted(dt.date(2026, 3, 5), **wanted)
            return refunds.refund(conn, KEY.tenant_id, order_id, asked).refund_id

    def sale(self, order_id: str = "o1", **changes: Any) -> None:
        """A paid order, with the customer and the product that it needs."""
        self.customer()
        self.product()
        self.order(order_id, **changes)

    def serve(self) -> Report:
        return worker.serve(self.runtime, KEY)

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.database.tenant(KEY.tenant_id) as conn:
            return [tuple(row) for row in conn.execute(sa.text(statement), values)]

    def writes(self) -> int:
        """Documents and names that the twin has made or changed, from its own ledger."""
        return sum(self.twin.ledger().counts.values())
