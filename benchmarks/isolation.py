"""Twenty tenants with a trickle of events, alone and beside one with 100,000 that are due: how much longer do theirs take?

A lane serves all of them, as it does in Dagster, in a process of its own; each call to the ERP takes a set time there. The delay
is from the commit of an event to its settlement, by the database's own time. The big one is paused and served by turns, so that
both sides of the ratio meet the same machine.
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

TENANTS, BACKLOG, TURNS, EACH, CALL_SECONDS, EVERY_SECONDS = 20, 100_000, 7, 5, 0.02, 1.0
SETTLED_SECONDS = 3.0  # by then the lane has noticed that the big one may be served, or may not
BIG = ConnectionKey("big", "toy")
SMALL = [ConnectionKey(f"small{number}", "toy") for number in range(TENANTS)]
DUE = """
select count(erp.emit_event('big', 'CustomerUpdated', 'Customer', 'c' || n, jsonb_build_object('id', 'c' || n, 'name', 'Customer ' || n)))
from generate_series(cast(:first as integer), cast(:last as integer)) n
"""
AT_ONCE = 1000  # every event keeps a lock until its transaction ends
DELAYS = """
select split_part(d.entity_id, '-', 2) as side, extract(epoch from d.processed_at - o.created_at)
from erp.integration_deliveries d join erp.integration_outbox o on o.id = d.outbox_id where d.tenant_id <> 'big'
"""
PAUSE = "update erp.integration_connections set paused_until = cast(:until as timestamptz) where tenant_id = 'big'"
ALONE, BESIDE = "alone", "beside"


class Silent:
    """A recorder that tells nobody."""

    def record(self, report: Any) -> None: ...
    def warn(self, text: str) -> None: ...
    def tell(self) -> None: ...
    def tell_if_due(self) -> None: ...


def run() -> dict[str, Any]:
    """The ratio first; delays in milliseconds."""
    logs.configure(level=50)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, postgres.running(Path(folder)) as server:
        url = server.url("erp")
        database = Database.connect(url)
        try:
            _prepare(database)
            delays, left = _trickled(database, url)
        finally:
            database.dispose()
    alone, beside = delays[ALONE], delays[BESIDE]
    return {
        "delay beside the big one / alone, median": round(statistics.median(beside) / statistics.median(alone), 2),
        "the same, p95": round(_p95(beside) / _p95(alone), 2),
        f"alone, n={len(alone)}: median, p95": f"{1000 * statistics.median(alone):.0f}, {1000 * _p95(alone):.0f}",
        f"beside, n={len(beside)}: median, p95": f"{1000 * statistics.median(beside):.0f}, {1000 * _p95(beside):.0f}",
        "of the big one's events done meanwhile": BACKLOG - left,
    }


def _p95(delays: list[float]) -> float:
    return sorted(delays)[int(len(delays) * 0.95) - 1]


def _prepare(database: Database) -> None:
    migrations.upgrade(database)
    for key in (BIG, *SMALL):
        connect(database, key, f"company of {key}")
    for first in range(1, BACKLOG + 1, AT_ONCE):
        with database.tenant(BIG.tenant_id) as conn:
            conn.execute(sa.text(DUE), {"first": first, "last": min(first + AT_ONCE - 1, BACKLOG)})


def _trickled(database: Database, url: str) -> tuple[dict[str, list[float]], int]:
    lane = multiprocessing.get_context("spawn").Process(target=_serve, args=(url,))
    lane.start()
    try:
        for turn in range(-1, TURNS):  # the first one warms up
            for side in (ALONE, BESIDE):
                _pause_the_big_one(database, "infinity" if side == ALONE else None)
                _trickle(database, side if turn >= 0 else "warm", turn)
                _until_done(database)
    finally:
        lane.kill()
        lane.join()
    return _delays(database)


def _pause_the_big_one(database: Database, until: str | None) -> None:
    with database.tenant(BIG.tenant_id) as conn:
        conn.execute(sa.text(PAUSE), {"until": until})
    time.sleep(SETTLED_SECONDS)


def _delays(database: Database) -> tuple[dict[str, list[float]], int]:
    delays: dict[str, list[float]] = {}
    with database.system() as conn:
        for side, delay in conn.execute(sa.text(DELAYS)):
            delays.setdefault(side, []).append(float(delay))
        left = "select count(*) from erp.integration_deliveries where status <> 'Completed' and tenant_id = 'big'"
        return delays, conn.execute(sa.text(left)).scalar_one()


def _until_done(database: Database) -> None:
    open_ones = "select count(*) from erp.integration_deliveries where status <> 'Completed' and tenant_id <> 'big'"
    while True:
        with database.system() as conn:
            if not conn.execute(sa.text(open_ones)).scalar_one():
                return
        time.sleep(0.1)


def _trickle(database: Database, side: str, turn: int) -> None:
    chance = random.Random(turn)
    for number in range(EACH):
        for key in SMALL:
            with database.tenant(key.tenant_id) as conn:
                customers.save(conn, key.tenant_id, make_customer(f"{key.tenant_id}-{side}-{turn}-{number}"))
            time.sleep(chance.random() * 2 * EVERY_SECONDS / TENANTS)


def _serve(url: str) -> None:
    logs.configure(level=50)
    runtime = toy_runtime(
        Database.connect(url), SystemClock(), ToyErp(always=lambda _: time.sleep(CALL_SECONDS), in_flight=InFlight())
    )
    runtime = dataclasses.replace(runtime, requests_per_minute={"toy": 600_000.0})
    Lane(runtime, Pace(life_seconds=3600), Silent()).run()  # type: ignore[arg-type] - the lane's own words suffice
