"""From the commit of a paid order to its invoice in the twin, through the real daemon; cold and hot.

Cold: no run is alive, so the sensor must request one and Dagster must start its process. Hot: the
connection's run lingers. The floor, measured in the same run on the same machine, is what Dagster
takes from the request of a job that does next to nothing (`check_fleet`) to its start.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from erp_pipelines.cli.services import databases
from erp_pipelines.cli.stack import Stack
from erp_pipelines.cli.web import Web
from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.security import logs
from erp_pipelines.server.supervisor import Supervisor
from erp_pipelines.settings import Settings
from tests.support.factories import make_customer, make_order, make_product
from tests.support.ports import free_ports
from tests.support.stage import staged

COLD, HOT, FLOOR = 9, 40, 5
LINGER = 3.0
POLL = 0.01
RUNS = """query($f: RunsFilter) { runsOrError(filter: $f, limit: 20) { ... on Runs {
  results { runId jobName status creationTime startTime } } } }"""
LAUNCH = """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename ... on LaunchRunSuccess { run { runId } } } }"""
ACTIVE = {"statuses": ["QUEUED", "STARTING", "STARTED"]}


def run() -> dict[str, Any]:
    """The figures, in seconds; medians unless they say otherwise."""
    logs.configure(level=40)
    with bench() as at:
        floor = [at.floor() for _ in range(FLOOR)]
        cold = [at.cold() for _ in range(COLD)]
        at.order()
        hot = sorted(at.hot() for _ in range(HOT))
    middle, base = statistics.median(cold), statistics.median(floor)
    return {
        "cold / Dagster's floor": round(middle / base, 2),
        f"cold, n={COLD}": round(middle, 2),
        "cold, least and most": f"{min(cold):.2f} to {max(cold):.2f}",
        f"floor: request of a job -> its start, n={FLOOR}": round(base, 2),
        f"hot, n={HOT}": round(statistics.median(hot), 3),
        "hot, p95": round(hot[int(len(hot) * 0.95) - 1], 3),
    }


class Bench:
    def __init__(self, stage: Any, runtime: Any, dagster: Web) -> None:
        self.stage, self.runtime, self.dagster, self.made = stage, runtime, dagster, 0

    def ask(self, query: str, **variables: Any) -> Any:
        return self.dagster.post("/graphql", {"query": query, "variables": variables})["data"]

    def runs(self, **chosen: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask(RUNS, f=chosen)["runsOrError"]["results"]
        return found

    def quiet(self) -> None:
        """Until no run is alive, and then a moment that falls anywhere in the sensors' loop."""
        while self.runs(**ACTIVE):
            time.sleep(0.2)
        time.sleep(1 + random.random() * 5)

    def order(self) -> float:
        """Seconds from the commit of a new paid order until the twin has its invoice."""
        self.made += 1
        with self.runtime.db.tenant("acme") as conn:
            order = make_order(f"b{self.made}")
            orders.save(conn, "acme", order)
            payments.pay(conn, "acme", order.id, date=order.order_date)
        began, wanted = time.monotonic(), self.made
        while len(self.stage.twin.company().invoices) < wanted:
            time.sleep(POLL)
        return time.monotonic() - began

    def cold(self) -> float:
        self.quiet()
        return self.order()

    def hot(self) -> float:
        time.sleep(0.2 + random.random() * 0.6)
        return self.order()

    def floor(self) -> float:
        self.quiet()
        selector = {
            "repositoryLocationName": self.location(),
            "repositoryName": "__repository__",
            "jobName": "check_fleet",
        }
        began = time.time()
        run_id = self.ask(LAUNCH, p={"selector": selector, "mode": "default"})["launchRun"]["run"]["runId"]
        while not (start := next(run["startTime"] for run in self.runs(runIds=[run_id]))):
            time.sleep(0.05)
        return float(start) - began

    def location(self) -> str:
        query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"
        return str(self.ask(query)["repositoriesOrError"]["nodes"][0]["location"]["name"])


@contextmanager
def bench() -> Iterator[Bench]:
    """The real stack on ports and data of its own, a connected tenant, an idle Dagster."""
    ports = dict(zip(("ERP_API_PORT", "ERP_DAGSTER_PORT", "ERP_CODE_PORT"), map(str, free_ports(3)), strict=True))
    for name in [name for name in os.environ if name.startswith(("ERP_", "DAGSTER"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        with databases(Settings(data_dir=home)) as (ours, theirs), staged(ours) as stage:
            stage.extra = ports | {"ERP_DATA_DIR": folder, "ERP_LINGER_SECONDS": str(LINGER)}
            runtime = stage.runtime()
            stage.connect(runtime)
            with runtime.db.tenant("acme") as conn:
                customers.save(conn, "acme", make_customer())
                products.save(conn, "acme", make_product())
            services = Stack(stage.settings(), ours, theirs).services(stage.environment())
            with Supervisor(services, log_dir=home / "logs") as supervisor:
                supervisor.start()
                yield Bench(stage, runtime, Web(f"http://127.0.0.1:{ports['ERP_DAGSTER_PORT']}"))
            runtime.db.dispose()
