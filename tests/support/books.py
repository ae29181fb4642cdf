"""A shop on a real database, connected to an ERP's twin without sockets; QuickBooks' unless another is named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from erp_pipelines.access import connections
from erp_pipelines.commerce import customers, orders, payments, products, refunds
from erp_pipelines.commerce.refunds import Wanted
from erp_pipelines.connectors.http import HttpRequest, HttpResponse, MockTransport
from erp_pipelines.delivery import worker
from erp_pipelines.delivery.reports import Report
from erp_pipelines.storage.engine import Database
from erp_twins.clock import TwinClock
from erp_twins.quickbooks import operations
from erp_twins.quickbooks.entities import SCHEMAS
from erp_twins.transport import twin_handler
from tests.support.clock import FakeClock
from tests.support.erps import ERPS
from tests.support.factories import make_customer, make_order, make_product
from tests.support.inside import inside

KEY = ERPS["quickbooks"].key()
Answering = Callable[[HttpRequest], HttpResponse | None]


class Shop:
    """One tenant; `answering`, where set, answers a call instead of the twin."""

    def __init__(self, database: Database, clock: FakeClock, provider: str = "quickbooks", **company: Any) -> None:
        self.database, self.clock = database, clock
        self.answering: Answering | None = None
        with database.system() as conn:
            clock.moment = conn.execute(sa.text("select now() + interval '1 minute'")).scalar_one().astimezone(dt.UTC)
        self.there = ERPS[provider](clock=TwinClock(clock.moment))
        self.twin, self.key = self.there.twin, self.there.key()
        if company:
            self.twin.add_company(self.there.company, **company)
        answer = twin_handler(self.twin)

        def handle(request: HttpRequest) -> HttpResponse:
            return (self.answering(request) if self.answering else None) or answer(request)

        self.runtime = inside(self.there, database, MockTransport(handle), clock)
        self.there.connect(self.runtime)

    def settings(self, **changes: Any) -> None:
        connections.change_settings(self.runtime, self.key, changes, "admin")

    @property
    def company(self) -> Any:
        return self.twin.company()

    def customer(self, customer_id: str = "c1", **changes: Any) -> None:
        with self.database.tenant(self.key.tenant_id) as conn:
            customers.save(conn, self.key.tenant_id, make_customer(customer_id, **changes))

    def product(self, product_id: str = "p1", **changes: Any) -> None:
        with self.database.tenant(self.key.tenant_id) as conn:
            products.save(conn, self.key.tenant_id, make_product(product_id, **changes))

    def order(self, order_id: str = "o1", *, paid: bool = True, **changes: Any) -> None:
        with self.database.tenant(self.key.tenant_id) as conn:
            orders.save(conn, self.key.tenant_id, make_order(order_id, **changes))
        if paid:
            self.pay(order_id)

    def pay(self, order_id: str = "o1", amount: Decimal | None = None) -> None:
        with self.database.tenant(self.key.tenant_id) as conn:
            payments.pay(conn, self.key.tenant_id, order_id, date=dt.date(2026, 3, 2), amount=amount)

    def refund(self, order_id: str = "o1", **wanted: Any) -> str:
        """The new refund's id."""
        with self.database.tenant(self.key.tenant_id) as conn:
            asked = Wanted(dt.date(2026, 3, 5), **wanted)
            return refunds.refund(conn, self.key.tenant_id, order_id, asked).refund_id

    def twin_item(self, name: str) -> str:
        """An item that a bookkeeper has made; its id."""
        account = {"value": self.company.account("Services")}
        item = {"Name": name, "Type": "Service", "IncomeAccountRef": account}
        with self.twin.lock:
            return str(operations.create(self.company, SCHEMAS["Item"], item)["Id"])

    def sale(self, order_id: str = "o1", **changes: Any) -> None:
        """A paid order, with the customer and the product that it needs."""
        self.customer()
        self.product()
        self.order(order_id, **changes)

    def serve(self) -> Report:
        return worker.serve(self.runtime, self.key)

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.database.tenant(self.key.tenant_id) as conn:
            return [tuple(row) for row in conn.execute(sa.text(statement), values)]

    def writes(self) -> int:
        """Documents and names that the twin has made or changed, from its own ledger."""
        return sum(self.twin.ledger().counts.values())
