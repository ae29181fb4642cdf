"""A tenant under test: short words for what the tests say often."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from erp_pipelines.commerce import orders
from erp_pipelines.commerce.orders import Paid, Saved
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.records import parse
from erp_pipelines.storage.engine import Database

TODAY = dt.date(2026, 3, 2)


@dataclass
class Shop:
    db: Database
    tenant: str
    seen: int = field(default=0)

    def save(self, given: Order) -> Saved:
        with self.db.tenant(self.tenant) as conn:
            return orders.save(conn, self.tenant, given)

    def pay(self, order_id: str, **options: Any) -> Paid:
        with self.db.tenant(self.tenant) as conn:
            return orders.pay(conn, self.tenant, order_id, **{"date": TODAY, **options})

    def order(self, order_id: str = "O1") -> Order:
        with self.db.tenant(self.tenant) as conn:
            return orders.get(conn, self.tenant, order_id)

    def events(self) -> list[tuple[str, str]]:
        """Type and entity of every event since `forget_events`, in order."""
        return [(row["event_type"], row["entity_id"]) for row in self.outbox()]

    def outbox(self) -> list[dict[str, Any]]:
        with self.db.tenant(self.tenant) as conn:
            query = sa.text("select * from erp.integration_outbox where seq > :seen order by seq")
            return [dict(row) for row in conn.execute(query, {"seen": self.seen}).mappings()]

    def forget_events(self) -> None:
        with self.db.tenant(self.tenant) as conn:
            self.seen = conn.execute(sa.text("select coalesce(max(seq), 0) from erp.integration_outbox")).scalar_one()


def order(**changes: Any) -> Order:
    """Order O1 of customer C1: two teas and a milk, 22.50 in all."""
    data = {
        "id": "O1",
        "number": "1001",
        "customerId": "C1",
        "orderDate": "2026-03-01",
        "lines": [
            {"product": "P1", "quantity": "2", "unitPrice": "10.00"},
            {"product": "P2", "quantity": "1", "unitPrice": "2.50"},
        ],
    }
    return parse(Order, {**data, **changes})
