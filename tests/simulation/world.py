"""Two tenants, their books in the twin, one clock, and workers whose every step the simulation decides."""

from __future__ import annotations

import base64
import datetime as dt
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from erp_pipelines.access import connections, consent
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.commerce import tenants
from erp_pipelines.connectors.http import HttpRequest, HttpResponse, MockTransport, Transport
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.connector import QuickBooksConnector
from erp_pipelines.delivery import worker
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import DatabaseDown, LockLost
from erp_pipelines.security.cipher import Cipher
from erp_pipelines.storage.engine import Database
from erp_twins.clock import TwinClock
from erp_twins.http import Request
from erp_twins.quickbooks import QuickBooksTwin, TwinConfig
from erp_twins.transport import twin_handler
from tests.simulation.scheduler import Actor
from tests.support.clock import FakeClock

START = dt.datetime(2040, 1, 2, 9, 0, tzinfo=dt.UTC)  # later than the server's own time, which stamps new rows
API = "https://erp.test"
PUBLIC = "https://shop.test"
RING = "k1:" + base64.b64encode(bytes(32)).decode()
CLIENT = ("simulation", "simulated")
WORKERS = 3
SWITCH = 0.35  # how often a worker that could go on gives way


@dataclass(frozen=True)
class Tenant:
    key: ConnectionKey
    realm: str


@dataclass
class Counts:
    """What a seed has gone through."""

    steps: int = 0
    faults: int = 0
    kills: int = 0
    lost_sessions: int = 0
    late: int = 0


@dataclass
class Seams:
    """Where an actor gives way: before each transaction, before a request is handled, and before its answer arrives.

    Never inside a transaction: what it has locked would stop another thread inside PostgreSQL, with the baton in hand.
    """

    rng: random.Random
    trace: list[str]
    actors: dict[int, Actor] = field(default_factory=dict)
    depth: dict[int, int] = field(default_factory=dict)

    def give_way(self, where: str) -> None:
        me = threading.get_ident()
        actor = self.actors.get(me)
        if actor is None or self.depth.get(me, 0):
            return
        self.trace.append(f"{actor.name} {where}")
        if self.rng.random() < SWITCH:
            actor.pause()

    def watch(self, database: Database) -> None:
        def begin(_: Any) -> None:
            self.give_way("begins")
            self._deepen(1)

        sa.event.listen(database.engine, "begin", begin)
        sa.event.listen(database.engine, "commit", lambda _: self._deepen(-1))
        sa.event.listen(database.engine, "rollback", lambda _: self._deepen(-1))

    def _deepen(self, by: int) -> None:
        me = threading.get_ident()
        self.depth[me] = max(self.depth.get(me, 0) + by, 0)


class SimulatedWire(Transport):
    """The way to the twin, with a yield point on each side of its work."""

    def __init__(self, twin: QuickBooksTwin, seams: Seams) -> None:
        self._twin, self._seams = MockTransport(twin_handler(twin)), seams

    def handle_request(self, request: HttpRequest) -> HttpResponse:
        name = f"{request.method} {request.url.path.rsplit('/', 1)[-1]}"
        self._seams.give_way(f"sends {name}")
        try:
            return self._twin.handle_request(request)
        finally:
            self._seams.give_way(f"hears of {name}")


class SimulatedClock(FakeClock):
    """The one time, also of the twin: what was still at work there comes to its end as it passes."""

    def __init__(self, twin: QuickBooksTwin) -> None:
        super().__init__(START)
        self._twin = twin

    def advance(self, seconds: float = 0, **parts: float) -> None:
        super().advance(seconds, **parts)
        self._twin.clock.set(self.moment)
        self._twin.run_late()


class World:
    """One seed's world. `keyless`: QuickBooks forgets request keys, and nobody relies on them."""

    def __init__(self, databases: list[Database], seed: int, *, keyless: bool = False) -> None:
        self.rng, self.trace, self.counts = random.Random(seed), [], Counts()
        self.seed, self.keyless = seed, keyless
        self.twin = QuickBooksTwin(
            TwinConfig(throttle=False, honour_requestid=not keyless, webhook_verifier_token="v"), clock=TwinClock(START)
        )
        self.clock = SimulatedClock(self.twin)
        self.twin.add_app(*CLIENT, (f"{PUBLIC}/api/integrations/quickbooks/callback",))
        self.seams = Seams(self.rng, self.trace)
        self.runtimes = [self._runtime(database) for database in databases]
        self.workers: dict[int, Actor] = {}
        self.tenants = [self._tenant(seed, number) for number in (1, 2)]

    @property
    def host(self) -> Runtime:
        """For everything that is no worker."""
        return self.runtimes[-1]

    def _runtime(self, database: Database) -> Runtime:
        config = QuickBooksConfig(
            *CLIENT, verifier_token="v", api_url=API, token_url=f"{API}/oauth2/v1/tokens/bearer",
            authorize_url=f"{API}/connect/oauth2", revoke_url=f"{API}/v2/oauth2/tokens/revoke",
            honour_requestid=not self.keyless,
        )  # fmt: skip
        connector = QuickBooksConnector(config, transport=SimulatedWire(self.twin, self.seams), clock=self.clock)
        chance = random.Random(self.seed)
        return Runtime(
            db=database, cipher=Cipher.from_keys(RING), connectors={"quickbooks": connector}, clock=self.clock,
            public_url=PUBLIC, requests_per_minute={"quickbooks": 600_000.0}, jitter=chance.random,
        )  # fmt: skip

    def _tenant(self, seed: int, number: int) -> Tenant:
        tenant = Tenant(ConnectionKey(f"s{seed}t{number}", "quickbooks"), f"91303{seed:08d}{number}")
        self.twin.add_company(tenant.realm, name=f"Company {number}")
        with self.host.db.tenant(tenant.key.tenant_id) as conn:
            tenants.add(conn, tenant.key.tenant_id, f"Tenant {number}")
        self.reconnect(tenant)
        connections.change_settings(
            self.host, tenant.key, {"documentsWhen": "paid" if number == 1 else "confirmed"}, "admin"
        )
        return tenant

    def reconnect(self, tenant: Tenant) -> None:
        """An admin clicks Connect and signs in."""
        url = consent.begin(self.host, tenant.key.tenant_id, "admin", "quickbooks")
        answer = self.twin.handle(Request.make("GET", f"{url}&twin_approve={tenant.realm}", {}, b""))
        query = dict(pair.split("=", 1) for pair in answer.header("location").split("?", 1)[1].split("&"))
        consent.finish(
            self.host, "quickbooks", code=query["code"], company_id=query["realmId"], state=query["state"],
            user_id="admin",
        )  # fmt: skip

    # --- workers ---

    def start_worker(self, slot: int, tenant: Tenant) -> None:
        runtime = self.runtimes[slot]

        def work() -> None:
            self.seams.actors[threading.get_ident()] = actor
            try:
                worker.serve(runtime, tenant.key, worker.Budget(events=40))
            except (LockLost, DatabaseDown):
                self.trace.append(f"{actor.name} stops: its session is gone")

        actor = Actor(f"worker {slot} of {tenant.key.tenant_id[-2:]}", work)
        self.workers[slot] = actor

    def resume_worker(self, slot: int) -> None:
        actor = self.workers[slot]
        actor.resume()
        if not actor.alive:
            del self.workers[slot]

    def kill_worker(self, slot: int) -> None:
        """Its transaction is rolled back and its session ends, as with a process that dies."""
        self.counts.kills += 1
        self.workers.pop(slot).kill()

    def end_session(self, slot: int) -> None:
        """PostgreSQL drops the worker's sessions; its process lives on and has not noticed yet."""
        self.counts.lost_sessions += 1
        with self.host.db.system() as conn:
            conn.execute(
                sa.text(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = :name"
                    " and datname = current_database()"
                ),
                {"name": worker_name(slot)},
            )

    def rows(self, tenant: Tenant, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.host.db.tenant(tenant.key.tenant_id) as conn:
            return [tuple(row) for row in conn.execute(sa.text(statement), {"tenant": tenant.key.tenant_id, **values})]


def worker_name(slot: int) -> str:
    return f"simulated worker {slot}"


@contextmanager
def pools(url: str) -> Iterator[list[Database]]:
    """A pool for each worker, named so that its sessions can be ended, and one for everybody else."""
    made = [Database.connect(url, pool_size=2) for _ in range(WORKERS + 1)]
    for slot, database in enumerate(made[:-1]):
        sa.event.listen(database.engine, "connect", _naming(worker_name(slot)))
    try:
        yield made
    finally:
        for database in made:
            database.dispose()


def _naming(name: str) -> Any:
    def name_session(connection: Any, _: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"set application_name = '{name}'")
        connection.commit()

    return name_session
