"""A provider that bears several calls at once: one worker, several threads, the same promises."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from erp_pipelines.connectors.provider import InFlight
from erp_pipelines.delivery import worker
from erp_pipelines.domain.errors import LockLost, Throttled
from tests.support.toy import KEY

ORDERS = [f"o{number}" for number in range(24)]


@pytest.fixture
def backlog(shop, erp):
    erp.in_flight = InFlight(start=4, most=4)
    shop.customer()
    shop.product()
    for order_id in ORDERS:
        shop.order(order_id)
        shop.pay(order_id)


class Crowd:
    """How many pushes are under way; each waits a moment for the others."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.lock = threading.Lock()
        self.met = threading.Event()

    def __call__(self, _) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            if self.most > 1:
                self.met.set()
        self.met.wait(0.2)
        with self.lock:
            self.now -= 1


def test_records_are_brought_at_once_each_of_them_once(runtime, shop, erp, backlog):
    crowd = erp.always = Crowd()
    report = worker.serve(runtime, KEY)
    assert 1 < crowd.most <= 4
    assert erp.doubles() == []
    assert Counter(kind for kind, _ in erp.documents) == {"Customer": 1, "Product": 1, "Order": 24, "Payment": 24}
    assert report.failures == ()
    assert shop.rows("select distinct status from erp.integration_deliveries") == [("Completed",)]


def test_a_customer_that_many_orders_need_is_made_once(runtime, shop, erp, backlog):
    shop.rows("update erp.integration_deliveries set status = 'Completed', outcome = 'NotWanted', processed_at = now()"
              " where entity_type in ('Customer', 'Product') returning 1")  # fmt: skip
    erp.always = Crowd()
    worker.serve(runtime, KEY)
    assert [kind for _, kind, _ in erp.arrived].count("Customer") == 1


def test_a_throttle_gives_the_rest_back_and_is_remembered(runtime, shop, erp, backlog):
    def refuse(_):
        raise Throttled("Too many at once.", retry_after=60)

    worker.serve(runtime, KEY, worker.Budget(events=2))
    erp.always = refuse
    report = worker.serve(runtime, KEY)
    assert report.parked
    assert shop.rows("select count(*) from erp.integration_deliveries where status = 'Processing'") == [(0,)]
    assert shop.rows("select max(retry_count) from erp.integration_deliveries") == [(0,)]


def test_a_lost_lock_ends_all_threads_and_is_told(runtime, shop, erp, backlog):
    def lose(_):
        raise LockLost("The session is gone.")

    erp.always = lose
    with pytest.raises(LockLost):
        worker.serve(runtime, KEY)
    erp.always = None
    worker.serve(runtime, KEY)
    assert erp.doubles() == []
    assert Counter(kind for kind, _ in erp.documents)["Order"] == 24


def test_the_limit_that_was_learned_is_where_the_next_worker_begins(runtime, database, shop, erp, backlog):
    worker.serve(runtime, KEY)
    shop.rows("update erp.integration_pacing set in_flight = 1 returning 1")
    crowd = erp.always = Crowd()
    for order_id in ORDERS[:6]:
        shop.order(order_id, memo="Ring twice.")
    worker.serve(runtime, KEY)
    assert crowd.most >= 1
    assert erp.doubles() == []
