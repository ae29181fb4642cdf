"""PostgreSQL in trouble while events are delivered: nothing is lost or doubled, and everything goes on by itself."""

from __future__ import annotations

import datetime as dt
import subprocess
import time
from contextlib import closing

import pytest

from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.domain.events import EntityType
from tests.killpoints.checks import Scene, explained
from tests.support.factories import make_customer, make_order, make_product
from tests.support.outages import FAULTS, OwnServer, SmallDisk, own_server
from tests.support.stage import KEY, Stage, staged

ORDERS = 40
LONGEST_SECONDS = 150


@pytest.fixture
def own(tmp_path):
    with own_server(tmp_path / "postgres") as made:
        yield made


def with_orders(own: OwnServer, stage: Stage, count: int = ORDERS) -> None:
    """A connected tenant with paid orders, none of them delivered."""
    runtime = stage.runtime()
    try:
        stage.connect(runtime)
        with runtime.db.tenant(KEY.tenant_id) as conn:
            customers.save(conn, KEY.tenant_id, make_customer())
            products.save(conn, KEY.tenant_id, make_product())
            for number in range(count):
                orders.save(conn, KEY.tenant_id, make_order(f"o{number}", memo="x" * 500))
                payments.pay(conn, KEY.tenant_id, f"o{number}", date=dt.date(2026, 3, 2))
    finally:
        runtime.db.dispose()


def delivering(stage: Stage) -> subprocess.Popen[str]:
    return subprocess.Popen(
        stage.command("deliver", "--until-empty"),
        env=stage.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until_invoices(stage: Stage, count: int, process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + LONGEST_SECONDS
    while stage.twin.ledger().counts.get("Invoice", 0) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < ends, f"{stage.twin.ledger().counts}"
        time.sleep(0.02)


def everything_stands_once(stage: Stage, count: int = ORDERS) -> None:
    books = stage.there.books()
    assert {str(entity): len(documents) for entity, documents in books.items()} == {
        "Customer": 1, "Product": 1, "Order": count, "Payment": count, "Refund": 0,
    }  # fmt: skip
    assert stage.there.doubles() == {}
    assert {order.balance for order in books[EntityType.ORDER]} == {0}
    with closing(Scene(stage)) as scene:
        assert scene.rows("select distinct status, in_doubt, claimed_by is null from erp.integration_deliveries") == [
            ("Completed", False, True)
        ]
        assert scene.rows("select 1 from erp.integration_doubts") == []
        # Of an event whose settlement PostgreSQL ended, the next try finds that all of it stands there.
        explained(scene)
        sent = "outcome in ('Created', 'Adopted', 'Unchanged') and delivery_id is not null"
        assert scene.rows(f"select count(*) from erp.integration_sync_logs where {sent}") == [(2 + 2 * count,)]


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_trouble_in_the_midst_of_a_delivery_costs_nothing(own, name):
    with staged(own.url) as stage:
        with_orders(own, stage)
        process = delivering(stage)
        until_invoices(stage, ORDERS // 4, process)
        FAULTS[name](own)
        out, err = process.communicate(timeout=LONGEST_SECONDS)
        assert process.returncode == 0, (out, err)
        assert "Traceback" not in err
        everything_stands_once(stage)


@pytest.fixture
def disk(tmp_path):
    try:
        made = SmallDisk(tmp_path / "disk", megabytes=180)
    except (OSError, subprocess.CalledProcessError) as refused:
        pytest.skip(f"no file system can be mounted here: {refused}")
    yield made
    made.close()


@pytest.mark.slow
def test_a_full_disk_stops_the_delivery_with_a_reason_and_room_lets_it_go_on(disk):
    with own_server(disk.place / "postgres") as own, staged(own.url) as stage:
        with_orders(own, stage)
        process = delivering(stage)
        until_invoices(stage, ORDERS // 4, process)
        disk.fill()
        written = settled(stage)
        time.sleep(1)
        disk.free()
        if not own.is_up():
            own.start()
        out, err = process.communicate(timeout=LONGEST_SECONDS)
        assert process.returncode == 0, (out, err)
        assert "It is tried again" in err
        assert "Traceback" not in err
        assert written < ORDERS
        everything_stands_once(stage)


def settled(stage: Stage) -> int:
    """How many invoices stand when no more are made for a while."""
    ends, before = time.monotonic() + LONGEST_SECONDS, -1
    while (count := stage.twin.ledger().counts.get("Invoice", 0)) != before:
        assert time.monotonic() < ends
        before = count
        time.sleep(1.5)
    return count
