"""A backlog of confirmed orders against QuickBooks' own limits, and what an order costs in writes and metered reads.

One clock for the product and the twin: it runs as the machine's does, and jumps over whatever the product would wait for
(its pace, pauses) and over the time that a call takes on the way. So the minutes are those that the backlog would have
taken, the product's own work included, and the twin refuses what comes faster than QuickBooks allows.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from erp_pipelines.access import connections
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.connectors.http import HttpRequest, HttpResponse, MockTransport
from erp_pipelines.delivery import pull, worker
from erp_pipelines.security import logs
from erp_pipelines.settings import Settings
from erp_pipelines.storage.engine import Database
from erp_twins.clock import TwinClock
from erp_twins.transport import twin_handler
from tests.support.doorbell import ring
from tests.support.erps.quickbooks import BATCHES, StagedQuickBooks
from tests.support.factories import make_customer, make_order, make_product
from tests.support.inside import inside
from tests.support.postgres import a_database, newest_schema, suite_server

ORDERS, CUSTOMERS, PRODUCTS, PAID = 10_000, 200, 50, 600
BATCHES_A_MINUTE, BATCH = 40, 30  # what QuickBooks takes
ALONE_SECONDS, ITEM_SECONDS = 0.15, 0.02  # a call on its way, and each record of a batch besides
EVERYTHING = worker.Budget(events=10_000_000, seconds=1e9)
PAGE = 500
TENANT = "acme"


def run() -> dict[str, Any]:
    """The figures; minutes are the clock's, CPU seconds the machine's."""
    logs.configure(level=40)
    with bench() as at:
        names = at.names()
        backlog = at.backlog()
        paid = at.paid()
    ceiling = ORDERS / (BATCHES_A_MINUTE * BATCH)
    return {
        "backlog: share of the ceiling": round(ceiling / backlog["minutes"], 3),
        f"backlog: minutes for {ORDERS} invoices": round(backlog["minutes"], 2),
        "the ceiling: 40 batches of 30 a minute, in minutes": round(ceiling, 2),
        "requests over a limit": names["refused"] + backlog["refused"] + paid["refused"],
        "backlog: calls": backlog["calls"],
        "backlog: writes (calls) per order": round(backlog["writes"] / ORDERS, 4),
        "backlog: metered reads per order": round(backlog["reads"] / ORDERS, 4),
        f"{PAID} paid orders, their webhooks and a pull: writes (calls) per order": round(paid["writes"] / PAID, 3),
        f"{PAID} paid orders, their webhooks and a pull: metered reads per order": round(paid["reads"] / PAID, 3),
        "invoices, payments and doubles in the books": f"{at.count('Invoice')}, {at.count('Payment')}, {at.doubles()}",
        f"{CUSTOMERS} customers and {PRODUCTS} products: minutes": round(names["minutes"], 2),
        "CPU seconds per 1,000 orders, product, database client and twin": round(1000 * backlog["cpu"] / ORDERS, 1),
        "a call on its way, seconds": f"{ALONE_SECONDS}, in a batch {ITEM_SECONDS} a record besides",
    }


class BenchClock(TwinClock):
    """The machine's time, and whatever was waited for besides: at once."""

    def sleep(self, seconds: float) -> None:
        self.advance(max(seconds, 0))


class Bench:
    def __init__(self, there: StagedQuickBooks, runtime: Runtime, clock: BenchClock) -> None:
        self.there, self.runtime, self.clock = there, runtime, clock

    def names(self) -> dict[str, float]:
        with self._writing() as conn:
            for number in range(CUSTOMERS):
                customers.save(conn, TENANT, make_customer(f"c{number}"))
            for number in range(PRODUCTS):
                products.save(conn, TENANT, make_product(f"p{number}"))
        return self._measured(self._serve)

    def backlog(self) -> dict[str, float]:
        for start in range(0, ORDERS, PAGE):
            with self._writing() as conn:
                for number in range(start, min(start + PAGE, ORDERS)):
                    orders.save(conn, TENANT, self._order(number))
        return self._measured(self._serve)

    def paid(self) -> dict[str, float]:
        """Orders of a day, with everything that QuickBooks tells of them afterwards."""
        self.there.tidings()
        self.clock.advance(900)
        pull.pull(self.runtime, self.there.key())  # from here on, not from the backlog on
        for number in range(ORDERS, ORDERS + PAID):
            with self._writing() as conn:
                order = self._order(number)
                orders.save(conn, TENANT, order)
                payments.pay(conn, TENANT, order.id, date=dt.date(2026, 3, 2))
        return self._measured(self._a_day)

    def _a_day(self) -> None:
        self._serve()
        for headers, body in self.there.tidings():
            ring(self.runtime, self.there.provider, headers, body)
        self._serve()
        self.clock.advance(900)
        pull.pull(self.runtime, self.there.key())

    def _order(self, number: int) -> Any:
        lines = [replace_product(line, f"p{(number + at) % PRODUCTS}") for at, line in enumerate(make_order().lines)]
        return make_order(f"o{number}", customer_id=f"c{number % CUSTOMERS}", lines=lines)

    def _serve(self) -> None:
        report = worker.serve(self.runtime, self.there.key(), EVERYTHING)
        while report.parked:  # a throttle: waited for, and counted as refused
            self.clock.sleep(60)
            report = worker.serve(self.runtime, self.there.key(), EVERYTHING)
        assert not report.failures, report.failures[:3]

    def _measured(self, work: Any) -> dict[str, float]:
        self.there.twin.calls.clear()
        began, cpu = self.clock.now(), time.process_time()
        work()
        minutes = (self.clock.now() - began).total_seconds() / 60
        calls = [call for call in self.there.twin.calls.since() if call.kind != "auth"]
        kinds = Counter(call.kind for call in calls if call.status == 200)
        return {
            "minutes": minutes, "calls": len(calls), "writes": kinds["write"], "reads": kinds["read"],
            "refused": sum(call.status == 429 for call in calls), "cpu": time.process_time() - cpu,
        }  # fmt: skip

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        with self.runtime.db.tenant(TENANT) as conn:
            yield conn

    def count(self, entity: str) -> int:
        return len(self.there.twin.company().rows(entity))

    def doubles(self) -> int:
        return sum(self.there.doubles().values())


def replace_product(line: Any, product: str) -> Any:
    return line.model_copy(update={"product": product})


@contextmanager
def bench() -> Iterator[Bench]:
    """A tenant connected to a twin that keeps QuickBooks' limits, at the pace that is set by default."""
    clock = BenchClock()
    there = StagedQuickBooks(BATCHES, clock=clock, throttle=True)
    answer = twin_handler(there.twin)

    def handle(request: HttpRequest) -> HttpResponse:
        clock.advance(ALONE_SECONDS + ITEM_SECONDS * _items(request))
        return answer(request)

    with suite_server() as server, a_database(server, newest_schema(server)) as url:
        database = Database.connect(url)
        runtime = inside(there, database, MockTransport(handle), clock)
        standard = Settings(_env_file=None)
        runtime = replace(
            runtime,
            requests_per_minute={there.provider: standard.quickbooks_requests_per_minute},
            batches_per_minute={there.provider: standard.quickbooks_batches_per_minute},
        )
        there.connect(runtime)
        connections.change_settings(runtime, there.key(), {"documentsWhen": "confirmed"}, "admin")
        with database.system() as conn:  # rows that are due now are due by any clock here
            clock.set(max(clock.now(), conn.execute(sa.text("select now()")).scalar_one()))
        yield Bench(there, runtime, clock)
        database.dispose()


def _items(request: HttpRequest) -> int:
    if not request.url.path.endswith("/batch"):
        return 0
    return len(json.loads(request.content)["BatchItemRequest"])
