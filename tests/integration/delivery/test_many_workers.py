"""Fifty workers on one outbox: one at a time on each connection, everything once, in its order, whatever a neighbour does."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.delivery import worker
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import Rejected
from tests.support.factories import make_customer, make_order, make_product
from tests.support.toy import ToyErp, connect, toy_runtime

WORKERS, ORDERS = 50, 6
KEYS = [ConnectionKey(f"tenant{number}", "toy") for number in range(5)]
POISON = "0-o3"  # an order of the first tenant that the ERP refuses


class Watched(ToyErp):
    """Knows by the ids whose record is pushed, and whether another push of that tenant was under way."""

    def __init__(self) -> None:
        super().__init__(always=self.look)
        self.under_way: Counter[str] = Counter()
        self.met: list[str] = []
        self.guard = threading.Lock()

    def look(self, write) -> None:
        tenant = write.ref.entity_id.partition("-")[0]
        with self.guard:
            self.under_way[tenant] += 1
            if self.under_way[tenant] > 1:
                self.met.append(tenant)
        threading.Event().wait(0.001)
        with self.guard:
            self.under_way[tenant] -= 1
        if write.ref.entity_id == POISON:
            raise Rejected("No.", cause="business-rule", mend="Mend it.")


@pytest.fixture
def erp(database):
    """Five tenants, each with six paid orders that wait."""
    for number, key in enumerate(KEYS):
        connect(database, key, f"company-{number}")
        with database.tenant(key.tenant_id) as conn:
            customers.save(conn, key.tenant_id, make_customer(f"{number}-c"))
            products.save(conn, key.tenant_id, make_product("p1", id=f"{number}-p"))
            for count in range(ORDERS):
                line = make_order().lines[0].model_copy(update={"product": f"{number}-p"})
                order = make_order(f"{number}-o{count}", customer_id=f"{number}-c", lines=[line])
                orders.save(conn, key.tenant_id, order)
                payments.pay(conn, key.tenant_id, order.id, date=dt.date(2026, 3, 2))
    return Watched()


def test_fifty_workers_at_once_are_one_at_a_time_on_each_connection(database, clock, erp):
    start = threading.Barrier(WORKERS)

    def work(number: int) -> int:
        runtime = toy_runtime(database, clock, erp)
        start.wait(30)
        return sum(worker.serve(runtime, KEYS[(number + turn) % len(KEYS)]).handled for turn in range(len(KEYS)))

    with ThreadPoolExecutor(WORKERS) as pool:
        handled = list(pool.map(work, range(WORKERS)))

    assert erp.met == []
    assert erp.doubles() == []
    states = database_rows(database, "select status, count(*) from erp.integration_deliveries group by 1 order by 1")
    assert states == [("Abandoned", 2), ("Completed", sum(handled) - 2)], (
        "the poison order and the payment that needs it"
    )
    assert Counter(kind for kind, _ in erp.documents) == {
        "Customer": 5, "Product": 5, "Order": 5 * ORDERS - 1, "Payment": 5 * ORDERS - 1,
    }  # fmt: skip
    places = {(kind, ident): place for place, (_, kind, ident) in enumerate(erp.arrived)}
    early = [ident for kind, ident in places if kind == "Payment" and places["Order", ident[:-2]] > places[kind, ident]]
    assert early == [], "no payment before its order"


def database_rows(database, statement):
    with database.system() as conn:
        return [tuple(row) for row in conn.execute(sa.text(statement))]
