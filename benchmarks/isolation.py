"""Twenty tenants with a trickle of events, alone and beside one with 100,000 that are due: how much longer do theirs take?

A lane serves all of them, as it does in Dagster, in a process of its own; each call to the ERP takes a set time there. The delay
is from the commit of an event to its settlement, by the database's own time.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from erp_pipelines.assets.lane import Lane
from erp_pipelines.bootstrap import SystemClock
from erp_pipelines.commerce import customers
from erp_pipelines.connectors.provider import InFlight
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.resources.pace import Pace
from erp_pipelines.security import logs
from erp_pipelines.server import postgres
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import Database
from tests.support.factories import make_customer
from tests.support.toy import ToyErp, connect, toy_runtime

TENANTS, BACKLOG, EACH, CALL_SECONDS, EVERY_SECONDS = 20, 100_000, 25, 0.02, 1.0
BIG = ConnectionKey("big", "toy")
SMALL = [ConnectionKey(f"small{number}", "toy") for number in range(TENANTS)]
DUE = """
select count(erp.emit_event('big', 'CustomerUpdated', 'Customer', 'c' || n, jsonb_build_object('id', 'c' || n, 'name', 'Customer ' || n)))
from generate_series(1, :count) n
"""
DELAYS = """
select extract(epoch from d.processed_at - o.created_at) from erp.integration_deliveries d
join erp.integration_outbox o on o.id = d.outbox_id where d.tenant_id <> 'big' and d.entity_id not like '%-1-0'
"""


class Silent:
    """A recorder that tells nobody."""

    def record(self, report: Any) -> None: ...
    def warn(self, text: str) -> None: ...
    def tell(self) -> None: ...
    def tell_if_due(self) -> None: ...


def run() -> dict[str, Any]:
    """The ratio first; delays in milliseconds."""
    logs.configure(level=50)
    alone, _ = _measured(0)
    beside, left = _measured(BACKLOG)
    middle, late = statistics.median(beside) / statistics.median(alone), _p95(beside) / _p95(alone)
    return {
        "delay beside the big one / alone, median": round(middle, 2),
        "the same, p95": round(late, 2),
        f"alone, n={len(alone)}: median, p95": f"{1000 * statistics.median(alone):.0f}, {1000 * _p95(alone):.0f}",
        f"beside, n={len(beside)}: median, p95": f"{1000 * statistics.median(beside):.0f}, {1000 * _p95(beside):.0f}",
        "of the big one's events still due at the end": left,
    }


def _p95(delays: list[float]) -> float:
    return sorted(delays)[int(len(delays) * 0.95) - 1]


def _measured(backlog: int) -> tuple[list[float], int]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, postgres.running(Path(folder)) as server:
        url = server.url("erp")
        database = Database.connect(url)
        migrations.upgrade(database)
        for key in (BIG, *SMALL):
            connect(database, key, f"company of {key}")
        with database.tenant(BIG.tenant_id) as conn:
            conn.execute(sa.text("set local statement_timeout = 0"))
            conn.execute(sa.text(DUE), {"count": backlog})
        try:
            return _trickled(database, url)
        finally:
            database.dispose()


def _trickled(database: Database, url: str) -> tuple[list[float], int]:
    lane = multiprocessing.get_context("spawn").Process(target=_serve, args=(url,))
    lane.start()
    try:
        _trickle(database, 1)
        _until_done(database)  # the lane is at work
        _trickle(database, EACH)
        _until_done(database)
        with database.system() as conn:
            delays = [float(delay) for (delay,) in conn.execute(sa.text(DELAYS))]
            left = "select count(*) from erp.integration_deliveries where status <> 'Completed' and tenant_id = 'big'"
            return delays, conn.execute(sa.text(left)).scalar_one()
    finally:
        lane.kill()
        lane.join()


def _until_done(database: Database) -> None:
    open_ones = "select count(*) from erp.integration_deliveries where status <> 'Completed' and tenant_id <> 'big'"
    while True:
        with database.system() as conn:
            if not conn.execute(sa.text(open_ones)).scalar_one():
                return
        time.sleep(0.1)


def _trickle(database: Database, each: int) -> None:
    chance = random.Random(each)
    for number in range(each):
        for key in SMALL:
            with database.tenant(key.tenant_id) as conn:
                customers.save(conn, key.tenant_id, make_customer(f"{key.tenant_id}-{each}-{number}"))
            time.sleep(chance.random() * 2 * EVERY_SECONDS / TENANTS)


def _serve(url: str) -> None:
    logs.configure(level=50)
    runtime = toy_runtime(
        Database.connect(url), SystemClock(), ToyErp(always=lambda _: time.sleep(CALL_SECONDS), in_flight=InFlight())
    )
    runtime = dataclasses.replace(runtime, requests_per_minute={"toy": 600_000.0})
    Lane(runtime, Pace(life_seconds=3600), Silent()).run()  # type: ignore[arg-type] - the lane's own words suffice
