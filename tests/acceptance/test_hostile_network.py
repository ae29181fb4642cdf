"""A network that lies, over real sockets: what it did to an answer never costs a cent, a document or an explanation."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections import Counter
from contextlib import closing
from decimal import Decimal

import httpx
import pytest

from erp_pipelines.access import connections
from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.connectors.http import HttpRequest, HttpResponse, Transport
from erp_pipelines.delivery import replay, worker
from erp_pipelines.domain.connections import ConnectionState
from erp_pipelines.domain.events import EntityType
from tests.killpoints.checks import Scene
from tests.support.clock import FakeClock
from tests.support.erps import ERPS, Fault
from tests.support.factories import make_customer, make_order, make_product
from tests.support.stage import staged

# Two thousand are nightly work: ERP_TEST_NETWORK_FAULTS=2000.
FAULTS_WANTED = int(os.environ.get("ERP_TEST_NETWORK_FAULTS", "60"))
ORDERS_AT_ONCE, MOST_ROUNDS = 5, 400
READ_SECONDS = 0.25
SLOW_SECONDS = 2 * READ_SECONDS
START = dt.datetime(2040, 1, 2, 9, 0, tzinfo=dt.UTC)
TENANT = "acme"

HOSTILITIES: tuple[Fault, ...] = (
    {"fault": "drop_before_commit"},
    {"fault": "drop_after_commit"},
    {"fault": "refuse_connection"},
    {"fault": "status", "status": 503},
    {"fault": "status", "status": 500, "after_commit": True},
    {"fault": "status", "status": 502, "after_commit": True, "html": True},
    {"fault": "status", "status": 504, "html": True},
    {"fault": "status", "status": 429},
    {"fault": "status", "status": 429, "retry_after": 1},
    {"fault": "status", "status": 429, "retry_after": 60},
    {"fault": "slow", "seconds": SLOW_SECONDS},
    {"fault": "slow", "seconds": SLOW_SECONDS, "after_commit": True},
    {"fault": "truncated_json"},
    {"fault": "truncated_body"},
    {"fault": "wrong_content_type"},
    {"fault": "redirect", "location": "/elsewhere"},
)


class Impatient(Transport):
    """A real socket whose answers are waited for a moment only, so that slow ones are given up by the client."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: HttpRequest) -> HttpResponse:
        request.extensions["timeout"]["read"] = READ_SECONDS
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


class ClockOfBoth(FakeClock):
    """The engine's waits take no time, and the provider's clock goes along."""

    def __init__(self, twin) -> None:
        super().__init__(START)
        self._twin = twin
        twin.clock.set(START)

    def advance(self, seconds: float = 0, **parts: float) -> None:
        super().advance(seconds, **parts)
        self._twin.clock.set(self.moment)


ACCOUNTS = [(provider, habit) for provider, erp in ERPS.items() for habit in ("", *erp.habits)]


@pytest.fixture(params=ACCOUNTS, ids=lambda account: " ".join(account).strip())
def stage(database_url, request):
    provider, habit = request.param
    with staged(database_url, provider=provider, habit=habit) as made:
        yield made


@pytest.fixture
def scene(stage):
    with closing(Scene(stage)) as made:
        yield made


@pytest.fixture
def runtime(stage):
    made = stage.runtime(clock=ClockOfBoth(stage.twin), transport=Impatient())
    stage.connect(made)
    connections.change_settings(made, stage.key, {"documentsWhen": "confirmed"}, "admin")
    yield made
    made.db.dispose()


def shop_goes_on(runtime, number):
    """A new customer and product, some orders that need them, and an edit of earlier ones."""
    with runtime.db.tenant(TENANT) as conn:
        customers.save(conn, TENANT, make_customer(f"c{number}", name=f"Customer {number}"))
        products.save(conn, TENANT, make_product(f"p{number}", name=f"Product {number}", sku=f"S{number}"))
        for position in range(ORDERS_AT_ONCE):
            orders.save(conn, TENANT, an_order(number, position))
            payments.pay(conn, TENANT, f"o{number}-{position}", date=START.date(), amount=Decimal("1.01"))
        if number:
            customers.save(conn, TENANT, make_customer(f"c{number - 1}", name=f"Customer {number - 1} renamed"))
            orders.save(conn, TENANT, an_order(number - 1, 0, memo="Ring twice."))


def an_order(number, position, **changes):
    line = {"product": f"p{number}", "quantity": 1 + position, "unit_price": "3.33"}
    lines = [type(make_order().lines[0])(**line)]
    return make_order(
        f"o{number}-{position}", customer_id=f"c{number}", order_date=START.date(), lines=lines, **changes
    )


def deliver(runtime, stage):
    """Until nothing is due, however often the connection must be mended; then a while passes."""
    while worker.serve(runtime, stage.key).handled:
        pass
    time.sleep(SLOW_SECONDS)  # what the provider is still at work on has come to its end, as the engine's wait supposes
    runtime.clock.advance(700)


def faults_so_far(stage):
    return sum(stage.twin.calls.summary()["faults"].values())


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hostile_network_doubles_nothing_loses_nothing_and_leaves_nothing_unexplained(
    stage, runtime, scene, record_property
):
    for seed, hostility in enumerate((*HOSTILITIES, *stage.there.hostilities)):
        stage.twin.add_fault(
            **{"path": stage.there.api, "probability": 0.025, "seed": seed, "times": None, **hostility}
        )
    rounds = 0
    while faults_so_far(stage) < FAULTS_WANTED / 2 and rounds < MOST_ROUNDS:
        shop_goes_on(runtime, rounds)
        deliver(runtime, stage)
        rounds += 1
    faults, kinds = faults_so_far(stage), stage.twin.calls.summary()["faults"]
    stage.twin.clear_faults()
    for _ in range(MOST_ROUNDS):
        deliver(runtime, stage)
        if not scene.waiting():
            break
    for_a_person = Counter(
        cause for (cause,) in scene.rows("select cause from erp.integration_deliveries where status = 'Abandoned'")
    )
    assert not scene.rows("select 1 from erp.integration_deliveries where status = 'Abandoned' and mend is null")
    replay.retry_failed(runtime, stage.key)
    deliver(runtime, stage)
    record_property("faults", f"{faults}: {kinds}")
    record_property("for a person", f"{dict(for_a_person)} of {rounds * (ORDERS_AT_ONCE * 2 + 4)} events")
    assert faults >= FAULTS_WANTED / 2
    assert len(kinds) >= 6
    assert connections.status(runtime, stage.key).state is ConnectionState.CONNECTED
    nothing_doubled_or_lost(scene, rounds)


def nothing_doubled_or_lost(scene, rounds):
    states = scene.rows("select distinct status, in_doubt from erp.integration_deliveries")
    assert (states, scene.rows("select 1 from erp.integration_doubts")) == ([("Completed", False)], [])
    books = scene.there.books()
    placed = [(number, position) for number in range(rounds) for position in range(ORDERS_AT_ONCE)]
    wanted = {f"o{number}-{position}": (1 + position) * Decimal("3.33") for number, position in placed}
    assert sorted(order.mark for order in books[EntityType.ORDER]) == sorted(wanted)
    assert {order.mark: (order.total, order.balance) for order in books[EntityType.ORDER]} == {
        key: (total, total - Decimal("1.01")) for key, total in wanted.items()
    }
    assert len(books[EntityType.PAYMENT]) == len(wanted)
    names = {f"Customer {number}" + (" renamed" if number < rounds - 1 else "") for number in range(rounds)}
    assert sorted(customer.name for customer in books[EntityType.CUSTOMER]) == sorted(names)
    assert len(books[EntityType.PRODUCT]) == rounds
    assert sum("Ring twice." in order.text for order in books[EntityType.ORDER]) == rounds - 1
    assert not [call for call in scene.twin.calls.since() if "elsewhere" in call.path], "no redirect was followed"
