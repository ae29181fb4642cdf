"""Ten thousand connections of which one in twenty has something to do each minute: what the idle ones cost, and who is late.

Two lanes serve them, each in a process of its own as in a Dagster run, and each call to the ERP takes a set time there. Beside
them the questions of Dagster's sensors are asked at the sensors' own intervals and timed. Dagster itself is not run here but in `fleet_dagster`.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.drain import Silent
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.assets.lane import Lane
from erp_pipelines.bootstrap import SystemClock
from erp_pipelines.commerce import customers
from erp_pipelines.delivery import alerts, due, pull
from erp_pipelines.resources.pace import Pace
from erp_pipelines.security import logs
from erp_pipelines.server import postgres
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import Database
from tests.support.factories import make_customer
from tests.support.toy import ToyErp, toy_runtime

CONNECTIONS, ACTIVE_SHARE, LANES, CALL_SECONDS, MINUTES = 10_000, 0.05, 2, 0.15, 5.0
EVERY_SECONDS = 5.0  # the daemon's loop
FILL = (
    "insert into erp.tenants (id, name) select 't' || n, 'Tenant' from generate_series(1, :count) n",
    """insert into erp.integration_connections (tenant_id, provider, external_company_id, company_name, state)
    select 't' || n, 'toy', 'company ' || n, 'Company', 'Connected' from generate_series(1, :count) n""",
    # Each has just been pulled: the schedule's question finds none due, and looks at all of them for it.
    """insert into erp.integration_sync_checkpoints (tenant_id, provider, entity_type, last_success_at)
    select 't' || n, 'toy', 'all', now() from generate_series(1, :count) n""",
)
LATE = """
select extract(epoch from d.processed_at - o.created_at) from erp.integration_deliveries d
join erp.integration_outbox o on o.id = d.outbox_id where d.status = 'Completed' and d.entity_id <> 'warm'
"""
WARM = "t1"
OPEN = "select count(*) from erp.integration_deliveries where status <> 'Completed'"
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


def run(minutes: float = MINUTES) -> dict[str, Any]:
    """What each sensor's question takes, how late events were, and what it all cost."""
    logs.configure(level=50)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        postgres.running(Path(folder), databases=("erp",)) as server,
    ):
        database = Database.connect(server.url("erp"))
        try:
            _prepare(database)
            return _measured(database, server, minutes)
        finally:
            database.dispose()


def _prepare(database: Database) -> None:
    migrations.upgrade(database)
    with database.system() as conn:
        for statement in FILL:
            conn.execute(sa.text(statement), {"count": CONNECTIONS})


def _measured(database: Database, server: postgres.EmbeddedServer, minutes: float) -> dict[str, Any]:
    runtime = _runtime(database)
    idle = _asked(runtime)
    context = multiprocessing.get_context("spawn")
    lanes = [context.Process(target=_serve, args=(server.url("erp"),), daemon=True) for _ in range(LANES)]
    for lane in lanes:
        lane.start()
    try:
        _warm_up(runtime)
        before, lanes_before = _server_cpu(server.directory), sum(_cpu(lane.pid) for lane in lanes)
        busy = _work(runtime, minutes)
        cpu = _server_cpu(server.directory) - before
        lane_cpu, memory = (
            sum(_cpu(lane.pid) for lane in lanes) - lanes_before,
            max(_memory(lane.pid) for lane in lanes),
        )
    finally:
        for lane in lanes:
            lane.kill()
            lane.join()
    return _figures(database, idle, busy, {"cpu": cpu, "lanes": lane_cpu, "memory": memory, "minutes": minutes})


def _figures(
    database: Database, idle: dict[str, list[float]], busy: dict[str, list[float]], cost: dict[str, float]
) -> dict[str, Any]:
    with database.system() as conn:
        late = sorted(float(one) for one in conn.execute(sa.text(LATE)).scalars())
        left = conn.execute(sa.text(OPEN)).scalar_one()
    found: dict[str, Any] = {
        f"events: lateness p50, p95, most (s), n={len(late)}": f"{_at(late, 0.5):.2f}, {_at(late, 0.95):.2f}, {late[-1]:.2f}",
        "events not done at the end": left,
    }
    for name, times in busy.items():
        middle, most = 1000 * statistics.median(times), 1000 * max(times)
        found[f"{name}: idle p50; busy p50, most (ms)"] = (
            f"{1000 * statistics.median(idle[name]):.1f}; {middle:.1f}, {most:.1f}"
        )
    seconds = 60 * cost["minutes"]
    return found | {
        "runs an hour": LANES * 3600 / Pace().life_seconds,
        "CPU: PostgreSQL, lanes (share of a core)": f"{cost['cpu'] / seconds:.3f}, {cost['lanes'] / seconds:.3f}",
        "CPU seconds per 1,000 events, both": round(1000 * (cost["cpu"] + cost["lanes"]) / len(late), 1),
        "memory of a lane (MB)": round(cost["memory"]),
        "connections, share active each minute, minutes": f"{CONNECTIONS}, {ACTIVE_SHARE}, {cost['minutes']}",
    }


def _at(values: list[float], share: float) -> float:
    return values[int(len(values) * share) - 1]


# --- the fleet's work and the sensors' questions ---------------------------------------------------


def _warm_up(runtime: Runtime) -> None:
    """Until the lanes have started, and served an event for nobody's figures."""
    _save(runtime, WARM, "warm")
    while True:
        with runtime.db.system() as conn:
            if not conn.execute(sa.text(OPEN)).scalar_one():
                return
        time.sleep(0.1)


def _save(runtime: Runtime, tenant: str, customer: str) -> None:
    with runtime.db.tenant(tenant) as conn:
        customers.save(conn, tenant, make_customer(customer))


def _work(runtime: Runtime, minutes: float) -> dict[str, list[float]]:
    """One event a gap, each of another connection; and the questions, whenever they are due."""
    chance, busy = random.Random(1), dict[str, list[float]]()
    gap = 60 / (CONNECTIONS * ACTIVE_SHARE)
    began = asked_at = time.monotonic()
    number = 0
    while (now := time.monotonic()) - began < 60 * minutes:
        if now - asked_at >= EVERY_SECONDS:
            asked_at = now
            for name, times in _asked(runtime, 1).items():
                busy.setdefault(name, []).extend(times)
        number += 1
        tenant = f"t{chance.randint(1, CONNECTIONS)}"
        _save(runtime, tenant, f"c{number}")
        time.sleep(max(began + number * gap - time.monotonic(), 0))
    return busy


def _asked(runtime: Runtime, times: int = 5) -> dict[str, list[float]]:
    """Seconds of each sensor's question, by sensor."""
    questions: dict[str, Callable[[], object]] = {
        "outbox and inbox sensors": lambda: (due.connections(runtime), due.count_active(runtime, most=5)),
        "connections sensor": lambda: due.active(runtime),
        "alerts sensor": lambda: alerts.tell(runtime),
        "pull schedule": lambda: pull.due(runtime),
    }
    return {name: [_seconds(ask) for _ in range(times)] for name, ask in questions.items()}


def _seconds(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _runtime(database: Database) -> Runtime:
    runtime = toy_runtime(database, SystemClock(), ToyErp(always=lambda _: time.sleep(CALL_SECONDS)))
    return dataclasses.replace(runtime, pull_seconds={"toy": 86_400.0})


def _serve(url: str) -> None:
    logs.configure(level=50)
    Lane(_runtime(Database.connect(url)), Pace(life_seconds=1e6, linger_seconds=1e6), Silent()).run()  # type: ignore[arg-type]


# --- processes ---------------------------------------------------------------------------------------


def _server_cpu(directory: Path) -> float:
    """Seconds of CPU that the server has taken, with the sessions that have ended."""
    postmaster = int(next(directory.rglob("postmaster.pid")).read_text().split()[0])
    stats = [stat for path in Path("/proc").glob("[0-9]*/stat") if (stat := _stat(path))]
    own = sum(sum(stat[11:15]) for stat in stats if stat[0] == postmaster)
    return (own + sum(sum(stat[11:13]) for stat in stats if stat[1] == postmaster)) / TICKS


def _stat(path: Path) -> list[int]:
    """The process, its parent, and what follows in /proc: from the twelfth on, user and system time, own and of children."""
    with suppress(OSError):
        parts = path.read_text().rsplit(")", 1)[1].split()
        return [int(path.parent.name), int(parts[1]), *(int(part) for part in parts[2:])]
    return []


def _cpu(pid: int | None) -> float:
    return sum(_stat(Path(f"/proc/{pid}/stat"))[11:13]) / TICKS


def _memory(pid: int | None) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_MB
