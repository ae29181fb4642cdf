"""Two hosts with Celery workers, as deploy/ puts them there; one is lost in the midst of its runs. How soon the other goes on.

The hosts are network namespaces. The core has PostgreSQL, Redis, the ERP's twin, code server and daemon; each host a worker
with deploy/dagster.celery.yaml as its dagster.yaml. What is lost, is lost in three ways: the processes die and the network tells
PostgreSQL; the machine is gone and nobody tells; the machine is cut off, works on, and comes back when others have its work.
Every call to the ERP takes a while there, so that each loss meets calls under way.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import books, deployed, netns
from benchmarks.netns import BRIDGE, CORE, NETWORK, Host
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.security import logs
from erp_pipelines.server import postgres
from erp_pipelines.server.supervisor import Service, Supervisor
from erp_pipelines.storage import migrations
from erp_twins.serve import TwinServer
from tests.support.erps import ERPS
from tests.support.factories import make_customer, make_order, make_product
from tests.support.ports import free_ports
from tests.support.stage import Stage

CONNECTIONS, ORDERS, RENAMES, WARM, CALL_SECONDS = 4, 60, 40, 10, 0.15
# A call that the lost host had sent may arrive so long after; what comes later is another host's.
LAST_CALLS_SECONDS = 1.0
PATIENCE_SECONDS = 300.0
DEPLOY = deployed.ROOT / "deploy"
COMPANIES = {f"t{number}": f"91303500000001{number:02}" for number in range(CONNECTIONS)}
HELD = """
select host(a.client_addr), c.tenant_id from pg_locks l join pg_stat_activity a using (pid)
join erp.integration_connections c
  on hashtextextended('erp:connection:' || c.tenant_id || ':' || c.provider, 0) = (l.classid::bigint << 32 | l.objid::bigint)
where l.locktype = 'advisory' and l.granted and l.objsubid = 1
"""
SESSIONS = "select count(*) from pg_stat_activity where client_addr = %s"

Loss = Callable[[Host], None]


def _vanish(host: Host) -> None:
    host.unplug()
    host.kill()


LOSSES: dict[str, Loss] = {
    "processes killed": Host.kill,
    "machine gone with its network": _vanish,
    "cut off, back later": Host.unplug,
}


def run() -> dict[str, Any]:
    """For each loss: seconds until another host's first call for a connection that the lost one held, and what the books say.

    Raises Missing where hosts cannot be made.
    """
    logs.configure(level=50)
    netns.require({**netns.PROGRAMS, "redis-server": "redis-server"})
    with netns.hosts("a", "b") as found:
        return {f"{name}: {what}": value for name, loss in LOSSES.items() for what, value in _one(found, loss).items()}


def _one(found: list[Host], loss: Loss) -> dict[str, Any]:
    with _installation(found) as site:
        site.until(site.is_warm)
        held = site.held()
        lost = max(found, key=lambda host: len(held.get(host.address, [])))
        tenants = held[lost.address]
        began = time.monotonic()
        loss(lost)
        ended, takers = site.watch(lost, tenants, began)
        lost.plug_in()
        site.until(site.is_done)
        return {
            "seconds to the next call for a connection it held; least, median, most": _spread(takers),
            "seconds until PostgreSQL had ended its sessions": round(ended, 1),
            "connections it held": len(tenants),
            **site.books(),
        }


def _spread(seconds: list[float]) -> str:
    return f"{min(seconds):.1f}, {statistics.median(seconds):.1f}, {max(seconds):.1f}"


@dataclass
class Site:
    """A whole installation: the shop's side, the twin's, and PostgreSQL's own view as a superuser."""

    stage: Stage
    runtime: Runtime
    admin: psycopg.Connection[Any]
    renamed: int = 0
    _renamed_at: float = field(default=0.0)

    def until(self, holds: Callable[[], bool]) -> None:
        ends = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < ends, f"{holds.__name__} does not come: {self.books()}"
            self._rename()
            time.sleep(0.02)

    def _rename(self) -> None:
        """A customer of each tenant has another name every second: events of one entity, all the time, whose order shows."""
        if time.monotonic() - self._renamed_at < 1 or self.renamed >= RENAMES:
            return
        self.renamed, self._renamed_at = self.renamed + 1, time.monotonic()
        for tenant in COMPANIES:
            with self.runtime.db.tenant(tenant) as conn:
                customers.save(conn, tenant, make_customer("c1", name=self.name))

    @property
    def name(self) -> str:
        return f"Customer c1, {self.renamed}"

    def fill(self) -> None:
        for tenant, company in COMPANIES.items():
            self.stage.there.add_company(company, f"Company of {tenant}")
            self.stage.connect(self.runtime, company, tenant)
            with self.runtime.db.tenant(tenant) as conn:
                customers.save(conn, tenant, make_customer("c1"))
                products.save(conn, tenant, make_product())
                for number in range(ORDERS):
                    order = make_order(f"o{number}")
                    orders.save(conn, tenant, order)
                    payments.pay(conn, tenant, order.id, date=order.order_date)

    # --- what is looked at ---

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self.admin.execute(statement.encode(), values).fetchall()

    def held(self) -> dict[str, list[str]]:
        """Tenants by the address of the host that works for them."""
        found: dict[str, list[str]] = {}
        for address, tenant in self.rows(HELD):
            found.setdefault(address, []).append(tenant)
        return found

    def is_warm(self) -> bool:
        """Each connection is in the midst of its backlog, in a host's hands."""
        begun = min(books.invoices(self.stage.twin, COMPANIES.values())) >= WARM
        return begun and sum(map(len, self.held().values())) == CONNECTIONS

    def is_done(self) -> bool:
        return self.renamed >= RENAMES and books.count(self.admin, books.OPEN) == 0

    def watch(self, lost: Host, tenants: list[str], began: float) -> tuple[float, list[float]]:
        """Seconds since `began`: until PostgreSQL has no session of the lost host, and until each tenant's next call."""
        time.sleep(max(began + LAST_CALLS_SECONDS - time.monotonic(), 0))
        calls, mark = self.stage.twin.calls, self.stage.twin.calls.summary()["total"]
        ended, taken = list[float](), dict[str, float]()

        def is_taken_over() -> bool:
            now = time.monotonic() - began
            if not ended and self.rows(SESSIONS, lost.address) == [(0,)]:
                ended.append(now)
            for tenant in tenants:
                if tenant not in taken and calls.since(mark, COMPANIES[tenant]):
                    taken[tenant] = now
            return bool(ended) and len(taken) == len(tenants)

        self.until(is_taken_over)
        return ended[0], list(taken.values())

    def books(self) -> dict[str, int]:
        return books.compare(self.stage.twin, self.admin, COMPANIES.values(), ORDERS, self.name)


# --- putting it there ------------------------------------------------------------------------------


@contextmanager
def _installation(found: list[Host]) -> Iterator[Site]:
    with ExitStack() as use:
        home = Path(use.enter_context(tempfile.TemporaryDirectory(prefix="erp-hosts-", ignore_cleanup_errors=True)))
        options = {"listen_addresses": f"127.0.0.1,{CORE}", "max_connections": "300"}
        server = use.enter_context(postgres.running(home / "pg", options=options))
        there = ERPS["quickbooks"]("")
        twin = use.enter_context(TwinServer(there.twin, host=CORE, deliver=False))
        admin = use.enter_context(psycopg.connect(server.admin_url("erp"), autocommit=True))
        _let_in(server, admin)
        stage = Stage(there, twin.url, _at_core(server.url("erp")))
        runtime = stage.runtime()
        use.callback(runtime.db.dispose)
        migrations.upgrade(runtime.db)
        site = Site(stage, runtime, admin)
        site.fill()
        there.twin.add_fault("slow", seconds=CALL_SECONDS, times=None)
        supervisor = use.enter_context(Supervisor(_services(found, home, stage, server), log_dir=home / "logs"))
        supervisor.start()
        yield site


def _let_in(server: postgres.EmbeddedServer, admin: psycopg.Connection[Any]) -> None:
    """The embedded server knows this machine only."""
    with (server.directory / "pg_hba.conf").open("a") as file:
        file.write(f"host all all {NETWORK} scram-sha-256\n")
    admin.execute("select pg_reload_conf()")


def _at_core(url: str) -> str:
    return url.replace("@127.0.0.1:", f"@{CORE}:")


def _services(found: list[Host], home: Path, stage: Stage, server: postgres.EmbeddedServer) -> list[Service]:
    """The commands of deploy/systemd, with their environment."""
    redis, code = map(str, free_ports(2))
    dagster_home = home / "dagster"
    dagster_home.mkdir()
    shutil.copyfile(DEPLOY / "dagster.celery.yaml", dagster_home / "dagster.yaml")
    programs = deployed.environment()
    env = stage.environment() | {
        "DAGSTER_HOME": str(dagster_home), "DAGSTER_EVENT_BATCH_SIZE": "100", "PYTHONPATH": str(DEPLOY / "celery"),
        "ERP_DAGSTER_DATABASE_URL": _at_core(server.url("dagster")), "ERP_CELERY_URL": f"redis://{CORE}:{redis}/0",
    }  # fmt: skip
    grpc = ["--grpc-host", CORE, "--grpc-port", code]
    broker = ["redis-server", "--bind", CORE, "--port", redis, "--save", "", "--protected-mode", "no"]
    server_of_code = [
        str(programs / "dagster"),
        "api",
        "grpc",
        "-m",
        "erp_pipelines.definitions",
        "-h",
        CORE,
        "-p",
        code,
    ]
    worker = [
        str(programs / "celery"),
        "-A",
        "dagster_celery.app",
        "worker",
        "--concurrency",
        "4",
        "--queues",
        "dagster",
    ]
    return [
        Service("redis", broker, {}, f"tcp://{CORE}:{redis}"),
        Service("code", server_of_code, env, f"tcp://{CORE}:{code}", 120),
        *(Service(f"{BRIDGE} {host.name}", host.command(worker), env) for host in found),
        Service("daemon", [str(programs / "dagster-daemon"), "run", *grpc], env),
    ]  # fmt: skip
