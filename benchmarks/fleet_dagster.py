"""`fleet` with Dagster's own daemon: real sensors, ticks, runs and lanes over ten thousand connections.

What an ERP's call takes is set, everything else is the product: its sensors decide, Dagster starts the lanes, and they are
recycled. A tick's time is by Dagster's own record; of the two long-poll sensors it holds the wait for work, which is their purpose.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa

from benchmarks.fleet import ACTIVE_SHARE, CONNECTIONS, LATE, OPEN, _at, _prepare, _runtime, _save
from benchmarks.fleet_location import URL
from benchmarks.processes import POSTGRES, Watch
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.cli.stack import HOST, ROOT
from erp_pipelines.partitions import CONNECTIONS_NAME
from erp_pipelines.security import logs
from erp_pipelines.server import postgres
from erp_pipelines.server.supervisor import Service, Supervisor
from erp_pipelines.storage.engine import Database
from tests.support.ports import free_ports

MINUTES = 30.0
LOOK_SECONDS = 5.0
READY_SECONDS = 900


def run(minutes: float = MINUTES) -> dict[str, Any]:
    """Tick times, runs an hour, CPU, memory and lateness."""
    logs.configure(level=50)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        postgres.running(Path(folder)) as server,
    ):
        home = Path(folder) / "home"
        home.mkdir()
        shutil.copyfile(ROOT / "dagster.yaml", home / "dagster.yaml")
        theirs = server.url("dagster").replace("postgresql://", "postgresql+psycopg2://")
        os.environ |= {
            "DAGSTER_HOME": str(home), "ERP_DAGSTER_DATABASE_URL": theirs, URL: server.url("erp"), "PYTHONPATH": str(ROOT),
            "DAGSTER_EVENT_BATCH_SIZE": "100",
        }  # fmt: skip
        database = Database.connect(server.url("erp"))
        _prepare(database)
        postmaster = int(next(server.directory.rglob("postmaster.pid")).read_text().split()[0])
        with Supervisor(_services(), log_dir=home / "logs") as supervisor, dg.DagsterInstance.get() as instance:
            supervisor.start()
            _until_partitions_stand(instance)
            watch = Watch({**{pid: name for name, pid in supervisor.pids.items()}, postmaster: POSTGRES})
            figures = _measured(database, instance, watch, minutes)
        database.dispose()
    return figures


def _services() -> list[Service]:
    (port,) = free_ports(1)
    bin_dir = Path(sys.executable).parent
    code = [str(bin_dir / "dagster"), "api", "grpc", "-m", "benchmarks.fleet_location", "-h", HOST, "-p", str(port)]
    daemon = [str(bin_dir / "dagster-daemon"), "run", "--grpc-host", HOST, "--grpc-port", str(port)]
    return [Service("code server", code, {}, f"tcp://{HOST}:{port}", 120), Service("daemon", daemon)]


def _until_partitions_stand(instance: dg.DagsterInstance) -> None:
    ends = time.monotonic() + READY_SECONDS
    while len(instance.get_dynamic_partitions(CONNECTIONS_NAME)) < CONNECTIONS:
        if time.monotonic() > ends:
            raise RuntimeError("The connections' partitions were not made in time.")
        time.sleep(1)


def _measured(database: Database, instance: dg.DagsterInstance, watch: Watch, minutes: float) -> dict[str, Any]:
    runtime = _runtime(database)
    _save(runtime, "t1", "warm")  # the first lane starts, for nobody's figures
    while _waiting(database):
        time.sleep(0.2)
    watch.look()
    before, began, runs = dict(watch.cpu), time.time(), instance.get_runs_count()
    _work(runtime, watch, minutes)
    left = _waiting(database)
    spent = {pid: cpu - before.get(pid, 0.0) for pid, cpu in watch.cpu.items()}
    with database.system() as conn:
        late = sorted(float(one) for one in conn.execute(sa.text(LATE)).scalars())
    return {
        f"events: lateness p50, p95, p99, most (s), n={len(late)}": (
            f"{_at(late, 0.5):.2f}, {_at(late, 0.95):.2f}, {_at(late, 0.99):.2f}, {late[-1]:.2f}"
        ),
        "events not done at the end": left,
        **_ticks(instance, began),
        "runs an hour": round((instance.get_runs_count() - runs) * 60 / minutes),
        **_costs(watch, spent, minutes),
        "connections, share active each minute, minutes": f"{CONNECTIONS}, {ACTIVE_SHARE}, {minutes}",
    }


def _work(runtime: Runtime, watch: Watch, minutes: float) -> None:
    """One event a gap, each of a connection by chance."""
    chance, gap, number = random.Random(1), 60 / (CONNECTIONS * ACTIVE_SHARE), 0
    began = looked_at = time.monotonic()
    while (now := time.monotonic()) - began < 60 * minutes:
        if now - looked_at >= LOOK_SECONDS:
            looked_at = now
            watch.look()
        number += 1
        _save(runtime, f"t{chance.randint(1, CONNECTIONS)}", f"c{number}")
        time.sleep(max(began + number * gap - time.monotonic(), 0))
    watch.look()


def _waiting(database: Database) -> int:
    with database.system() as conn:
        return int(conn.execute(sa.text(OPEN)).scalar_one())


def _ticks(instance: dg.DagsterInstance, since: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for state in instance.all_instigator_state():
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, after=since, limit=2000)
        seconds = sorted(tick.end_timestamp - tick.timestamp for tick in ticks if tick.end_timestamp)
        failed = sum(tick.status.value == "FAILURE" for tick in ticks)
        if seconds:
            figures = f"{statistics.median(seconds):.2f}, {seconds[-1]:.2f}; {len(seconds)}, {failed}"
            found[f"ticks of {state.instigator_name}: p50, most (s); ticks, failed"] = figures
    return found


def _costs(watch: Watch, spent: Mapping[int, float], minutes: float) -> dict[str, str]:
    memory = watch.by_name(watch.memory)
    return {
        f"{name}: share of a core; most memory of one process (MB)": f"{sum(cpu) / (60 * minutes):.3f}; {max(memory[name]):.0f}"
        for name, cpu in sorted(watch.by_name(spent).items())
    }
