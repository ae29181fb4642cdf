"""Two tenants, their books in the twin, one clock, and workers whose every step the simulation decides."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from erp_pipelines.access import connections
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors.http import HttpRequest, HttpResponse, MockTransport, Transport
from erp_pipelines.connectors.leaving import UNACKNOWLEDGED_SECONDS
from erp_pipelines.delivery import pull, worker
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import DatabaseDown, LockLost
from erp_pipelines.storage.engine import Database
from erp_twins.clock import TwinClock
from erp_twins.transport import twin_handler
from tests.simulation.scheduler import Actor
from tests.support.clock import FakeClock
from tests.support.erps import ERPS
from tests.support.inside import inside

START = dt.datetime(2040, 1, 2, 9, 0, tzinfo=dt.UTC)  # later than the server's own time, which stamps new rows
WORKERS = 3
# How often a worker that could go on gives way: at the calls of its requests, and before its many transactions.
SWITCH, SWITCH_BEFORE_COMMITS = 0.35, 0.08


@dataclass(frozen=True)
class Tenant:
    key: ConnectionKey
    company: str


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

    def enter(self, actor: Actor) -> None:
        """This thread is that actor from now on."""
        me = threading.get_ident()
        self.actors[me], self.depth[me] = actor, 0

    def give_way(self, where: str, chance: float) -> None:
        me = threading.get_ident()
        actor = self.actors.get(me)
        if actor is None or actor.doomed or self.depth[me]:
            return
        self.trace.append(f"{actor.name} {where}")
        if self.rng.random() < chance:
            actor.pause()

    @contextmanager
    def watching(self, database: Database) -> Iterator[None]:
        def begin(_: Any) -> None:
            self.give_way("begins", SWITCH_BEFORE_COMMITS)
            self._deepen(1)

        def end(_: Any) -> None:
            self._deepen(-1)

        listeners = {"begin": begin, "commit": end, "rollback": end}
        for name, listener in listeners.items():
            sa.event.listen(database.engine, name, listener)
        try:
            yield
        finally:
            for name, listener in listeners.items():
                sa.event.remove(database.engine, name, listener)

    def _deepen(self, by: int) -> None:
        me = threading.get_ident()
        if me in self.actors:
            self.depth[me] += by


class SimulatedWire(Transport):
    """The way to the twin: a connection, the request's way in the network, the answer's; a yield point for each.

    As on a real one, a request leaves when its connection stands, and is given up when it lies unacknowledged for too long.
    """

    def __init__(self, twin: Any, seams: Seams, clock: FakeClock) -> None:
        self._twin, self._seams, self._clock = MockTransport(twin_handler(twin)), seams, clock

    def handle_request(self, request: HttpRequest) -> HttpResponse:
        name = f"{request.method} {request.url.path.rsplit('/', 1)[-1]}"
        self._seams.give_way(f"connects for {name}", SWITCH)
        request.extensions.get("trace", lambda *_: None)("http11.send_request_headers.started", {})
        left = self._clock.now()
        self._seams.give_way(f"sends {name}", SWITCH)
        if (self._clock.now() - left).total_seconds() > UNACKNOWLEDGED_SECONDS:
            raise TimeoutError("what was sent was never acknowledged")
        try:
            return self._twin.handle_request(request)
        finally:
            self._seams.give_way(f"hears of {name}", SWITCH)


class SimulatedClock(FakeClock):
    """The one time, also of the twin: what was still at work there comes to its end as it passes."""

    def __init__(self, twin: Any) -> None:
        super().__init__(START)
        self._twin = twin

    def advance(self, seconds: float = 0, **parts: float) -> None:
        super().advance(seconds, **parts)
        self._twin.clock.set(self.moment)
        self._twin.run_late()


class World:
    """One seed's world: one provider, whose account has one of its habits.

    `seed` names its tenants, which are new in their database, and decides its chances, where `luck` does not.
    """

    def __init__(
        self, databases: list[Database], seed: int, provider: str, habit: str = "", *, luck: int | None = None
    ) -> None:
        self._luck = seed if luck is None else luck
        self.rng, self.trace, self.counts = random.Random(self._luck), [], Counts()
        self.there = ERPS[provider](habit, clock=TwinClock(START))
        self.clock = SimulatedClock(self.there.twin)
        self.seams = Seams(self.rng, self.trace)
        self.runtimes = [self._runtime(database) for database in databases]
        self._watched = ExitStack()
        for database in databases[:WORKERS]:
            self._watched.enter_context(self.seams.watching(database))
        self.workers: dict[int, Actor] = {}
        self.tenants = [self._tenant(seed, number) for number in (1, 2)]

    @property
    def host(self) -> Runtime:
        """For everything that is no worker."""
        return self.runtimes[-1]

    def _runtime(self, database: Database) -> Runtime:
        wire = SimulatedWire(self.there.twin, self.seams, self.clock)
        return inside(self.there, database, wire, self.clock, random.Random(self._luck).random)

    def _tenant(self, seed: int, number: int) -> Tenant:
        tenant = Tenant(self.there.key(f"s{seed}t{number}"), f"91303{seed:08d}{number}")
        self.there.add_company(tenant.company, f"Company {number}")
        self.there.connect(self.host, tenant.key.tenant_id, tenant.company)
        when = "paid" if number == 1 else "confirmed"
        connections.change_settings(self.host, tenant.key, {"documentsWhen": when}, "admin")
        return tenant

    def reconnect(self, tenant: Tenant) -> None:
        self.there.reconnect(self.host, tenant.key.tenant_id, tenant.company)

    # --- workers ---

    def start_worker(self, slot: int, tenant: Tenant) -> None:
        budget = worker.Budget(events=40)
        self._start(slot, tenant, "worker", lambda runtime: worker.serve(runtime, tenant.key, budget))

    def start_pull(self, slot: int, tenant: Tenant) -> None:
        """Not at all while a worker holds the connection: waiting for it takes real time."""
        self._start(slot, tenant, "pull", lambda runtime: pull.pull(runtime, tenant.key, patience=0))

    def _start(self, slot: int, tenant: Tenant, kind: str, job: Callable[[Runtime], Any]) -> None:
        runtime = self.runtimes[slot]

        def work() -> None:
            self.seams.enter(actor)
            try:
                job(runtime)
            except (LockLost, DatabaseDown):
                self.trace.append(f"{actor.name} stops: its session is gone")

        actor = Actor(f"{kind} {slot} of {tenant.key.tenant_id[-2:]}", work)
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
        self._end_sessions(slot)  # and with them the lock, which a process that dies while giving it back keeps

    def close(self) -> None:
        """Everybody dies, and the pools are as they were."""
        for slot in list(self.workers):
            self.kill_worker(slot)
        self._watched.close()

    def end_session(self, slot: int) -> None:
        """PostgreSQL drops the worker's sessions; its process lives on and has not noticed yet."""
        self.counts.lost_sessions += 1
        self._end_sessions(slot)

    def _end_sessions(self, slot: int) -> None:
        """And wait until they are gone. PostgreSQL's own waiting looks every 100 ms only."""
        while self._sessions_ended(slot):
            time.sleep(0.002)

    def _sessions_ended(self, slot: int) -> int:
        with self.host.db.system() as conn:
            ended = sa.text(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = :name"
                " and datname = current_database()"
            )
            return int(conn.execute(ended, {"name": worker_name(slot)}).scalar_one())

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
