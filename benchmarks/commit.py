"""From the commit of a paid order to its invoice in the twin, through the real daemon; idle and hot.

Idle: no run is alive, so the sensor must request one and Dagster must start its process. Hot: the connection's run lingers.
Idle with standby (`ERP_STANDBY`): nothing has been due for a while, but a lane is there.
The floor is a second Dagster on the same server with the same dagster.yaml: from the commit of a row to the first line of an
empty job that a bare sensor has asked for. Both wait idle beside each other and are asked by turns.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import floor
from erp_pipelines.cli.services import databases
from erp_pipelines.cli.stack import HOST, ROOT, Stack
from erp_pipelines.cli.web import Web
from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.security import logs
from erp_pipelines.server import postgres
from erp_pipelines.server.supervisor import Service, Supervisor
from erp_pipelines.settings import Settings
from tests.support.factories import make_customer, make_order, make_product
from tests.support.ports import free_ports
from tests.support.stage import staged

IDLE, STANDBY, HOT = 9, 12, 40
LINGER = 3.0
POLL = 0.01
RUNS = """query($f: RunsFilter) { runsOrError(filter: $f, limit: 20) { ... on Runs { results { runId } } } }"""
ACTIVE = {"statuses": ["QUEUED", "STARTING", "STARTED"]}
FLOOR_DATABASE = "floor"
INSERT = "insert into floor default values returning id"
BEGUN = "select extract(epoch from begun_at - committed_at) from floor where id = %s and begun_at is not null"


def run() -> dict[str, Any]:
    """The figures, in seconds; ratios first."""
    logs.configure(level=40)
    with bench(standby=True) as at:
        at.until_a_lane_stands_by()
        at.order()
        standby = sorted(at.after_quiet() for _ in range(STANDBY))
    with bench() as at:
        at.floor(), at.idle()  # once for nobody's figures
        idle, base = [], []
        for _ in range(IDLE):
            base.append(at.floor())
            idle.append(at.idle())
        at.order()
        hot = sorted(at.hot() for _ in range(HOT))
    return {
        "idle / Dagster's floor, medians": round(statistics.median(idle) / statistics.median(base), 2),
        "idle with standby / Dagster's floor, medians": round(statistics.median(standby) / statistics.median(base), 3),
        "hot / Dagster's floor, medians": round(statistics.median(hot) / statistics.median(base), 3),
        f"idle, n={IDLE}: p50; least and most": _spread(idle),
        f"floor (bare sensor, empty job), n={IDLE}: p50; least and most": _spread(base),
        f"idle with standby, n={STANDBY}: p50; least and most": _spread(standby),
        f"hot, n={HOT}: p50": round(statistics.median(hot), 3),
        "hot: p95": round(hot[int(len(hot) * 0.95) - 1], 3),
    }


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f}; {min(seconds):.2f} to {max(seconds):.2f}"


class Bench:
    def __init__(self, stage: Any, runtime: Any, home: Path, urls: tuple[str, str], supervisor: Supervisor) -> None:
        self.stage, self.runtime, self.home, self.supervisor = stage, runtime, home, supervisor
        self.floor_url, dagster_url = urls
        self.dagster_url = dagster_url.replace("postgresql+psycopg2", "postgresql")
        self.dagster = Web(f"http://{HOST}:{stage.extra['ERP_DAGSTER_PORT']}")
        self.made = 0

    def services(self) -> dict[str, int]:
        """The pids of the product's own."""
        return {name: pid for name, pid in self.supervisor.pids.items() if not name.startswith("floor")}

    def postmaster(self) -> int:
        return int(next(self.home.rglob("postmaster.pid")).read_text().split()[0])

    def save(self, count: int) -> None:
        """So many new paid orders."""
        for _ in range(count):
            self.made += 1
            with self.runtime.db.tenant("acme") as conn:
                order = make_order(f"b{self.made}")
                orders.save(conn, "acme", order)
                payments.pay(conn, "acme", order.id, date=order.order_date)

    def all_paid(self) -> bool:
        """Whether each order has its invoice and its payment in the twin."""
        company = self.stage.twin.company()
        return len(company.invoices) >= self.made and len(company.payments) >= self.made

    def order(self) -> float:
        """Seconds from the commit of a new paid order until the twin has its invoice."""
        self.save(1)
        began, wanted = time.monotonic(), self.made
        while len(self.stage.twin.company().invoices) < wanted:
            time.sleep(POLL)
        return time.monotonic() - began

    def idle(self) -> float:
        while self._runs():
            time.sleep(0.2)
        _any_moment_of_the_loop()
        return self.order()

    def until_a_lane_stands_by(self) -> None:
        while not self._runs():
            time.sleep(0.2)
        time.sleep(10)  # its process starts

    def after_quiet(self) -> float:
        """Longer than a run lingers by itself."""
        time.sleep(2 * LINGER + random.random())
        return self.order()

    def hot(self) -> float:
        time.sleep(0.2 + random.random() * 0.6)
        return self.order()

    def floor(self) -> float:
        """Seconds from the commit of a row until the empty job runs, by the database's own time."""
        _any_moment_of_the_loop()
        with psycopg.connect(self.floor_url, autocommit=True) as conn:
            row = conn.execute(INSERT).fetchone()
            while not (begun := conn.execute(BEGUN, row).fetchone()):
                time.sleep(POLL)
        return float(begun[0])

    def _runs(self) -> list[Any]:
        asked = {"query": RUNS, "variables": {"f": ACTIVE}}
        found: list[Any] = self.dagster.post("/graphql", asked)["data"]["runsOrError"]["results"]
        return found


def _any_moment_of_the_loop() -> None:
    """The sensors' loop takes five seconds."""
    time.sleep(1 + random.random() * 5)


@contextmanager
def bench(*, standby: bool = False) -> Iterator[Bench]:
    """The real stack on ports and data of its own, a connected tenant, an idle Dagster; and the floor's Dagster."""
    ports = dict(zip(("ERP_API_PORT", "ERP_DAGSTER_PORT", "ERP_CODE_PORT"), map(str, free_ports(3)), strict=True))
    for name in [name for name in os.environ if name.startswith(("ERP_", "DAGSTER"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        with (
            databases(Settings(data_dir=home)) as (ours, theirs),
            postgres.running(home, databases=(FLOOR_DATABASE,)) as server,
            staged(ours) as stage,
        ):
            stage.extra = ports | {
                "ERP_DATA_DIR": folder, "ERP_LINGER_SECONDS": str(LINGER), "ERP_STANDBY": str(standby),
            }  # fmt: skip
            runtime = stage.runtime()
            stage.connect(runtime)
            with runtime.db.tenant("acme") as conn:
                customers.save(conn, "acme", make_customer())
                products.save(conn, "acme", make_product())
            services = Stack(stage.settings(), ours, theirs).services(stage.environment())
            services += _floor_services(home, server.url(FLOOR_DATABASE))
            with Supervisor(services, log_dir=home / "logs") as supervisor:
                supervisor.start()
                yield Bench(stage, runtime, home, (server.url(FLOOR_DATABASE), theirs), supervisor)
            runtime.db.dispose()


def _floor_services(home: Path, url: str) -> list[Service]:
    """A code server and a daemon of the floor's own, whose Dagster has a database of its own too."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(floor.TABLE)
    (port,) = free_ports(1)
    dagster_home = home / "floor"
    dagster_home.mkdir()
    shutil.copyfile(ROOT / "dagster.yaml", dagster_home / "dagster.yaml")
    env = {
        "DAGSTER_HOME": str(dagster_home), "ERP_DAGSTER_DATABASE_URL": url, floor.URL: url, "PYTHONPATH": str(ROOT),
        "DAGSTER_EVENT_BATCH_SIZE": "100",
    }  # fmt: skip
    bin_dir = Path(sys.executable).parent
    code = [str(bin_dir / "dagster"), "api", "grpc", "-m", "benchmarks.floor", "-h", HOST, "-p", str(port)]
    daemon = [str(bin_dir / "dagster-daemon"), "run", "--grpc-host", HOST, "--grpc-port", str(port)]
    return [
        Service("floor code", code, env, f"tcp://{HOST}:{port}", 120),
        Service("floor daemon", daemon, env),
    ]
