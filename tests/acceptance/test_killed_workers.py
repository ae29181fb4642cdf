"""A worker that is killed at any moment leaves nothing doubled and nothing lost."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pytest
import sqlalchemy as sa

from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.delivery import worker
from tests.support.factories import make_customer, make_order, make_product
from tests.support.stage import KEY, ROOT

ORDERS = 60
KILLS = 20


@pytest.fixture
def full_shop(stage):
    """Sixty paid orders of six customers, nothing delivered yet."""
    runtime = stage.runtime()
    with runtime.db.tenant("acme") as conn:
        for number in range(6):
            customers.save(conn, "acme", make_customer(f"c{number}"))
        products.save(conn, "acme", make_product())
    for number in range(ORDERS):
        with runtime.db.tenant("acme") as conn:
            order = make_order(f"o{number}", customer_id=f"c{number % 6}")
            orders.save(conn, "acme", order)
            payments.pay(conn, "acme", order.id, date=order.order_date)
    yield runtime
    runtime.db.dispose()


def start_worker(stage) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.support.worker_process", str(KEY)]
    return subprocess.Popen(command, env=stage.environment(), cwd=ROOT, stderr=subprocess.DEVNULL)


def kill_after(stage, process: subprocess.Popen[bytes], calls: int, delay: float) -> bool:
    """SIGKILL when that many more calls have arrived, a moment later; False when the worker had ended before."""
    wanted = stage.twin.calls.summary()["total"] + calls
    while stage.twin.calls.summary()["total"] < wanted:
        if process.poll() is not None:
            return False
        time.sleep(0.002)
    time.sleep(delay)
    process.kill()
    process.wait()
    return True


@pytest.mark.slow
def test_twenty_kills_during_a_push_double_and_lose_nothing(stage, full_shop):
    chance = random.Random(20260302)
    kills = 0
    while kills < KILLS:
        kills += kill_after(stage, start_worker(stage), chance.randint(1, 6), chance.random() * 0.03)
    worker.serve(full_shop, KEY, worker.Budget(events=100_000))

    ledger = stage.twin.ledger()
    assert {kind: ledger.counts[kind] for kind in ("Customer", "Item", "Invoice", "Payment")} == {
        "Customer": 6, "Item": 1, "Invoice": ORDERS, "Payment": ORDERS,
    }  # fmt: skip
    assert [ledger.doubles(kind) for kind in ("Customer", "Item", "Invoice")] == [[], [], []]
    assert {invoice["Balance"] for invoice in stage.twin.company().invoices} == {0}
    with full_shop.db.tenant("acme") as conn:
        states = conn.execute(sa.text("select distinct status, in_doubt from erp.integration_deliveries")).all()
        mapped = conn.execute(sa.text("select count(*) from erp.integration_entity_mappings")).scalar_one()
        taken_over = conn.execute(
            sa.text("select count(*) from erp.integration_sync_logs where outcome = 'TakenOver'")
        ).scalar_one()
    assert [tuple(state) for state in states] == [("Completed", False)]
    assert mapped == 6 + 1 + ORDERS * 2
    assert taken_over > 0
