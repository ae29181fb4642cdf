"""The outbox beside what one would pick instead: procrastinate and pgqueuer, which are job queues on PostgreSQL.

Every side has a database of its own on one server that keeps PostgreSQL's durable defaults. A job is one customer's event, and
its effect one row, inserted and committed by the job: here that is the call to the ERP, so what is measured besides it is the
write protocol (the claim, the note before the send, the binding, the settlement with its log entry), of which the peers do the
claim and the settlement only. One process works on each side. The sides take turns, so that all meet the same machine; a rate
is between the first and the last effect, by the database's own time.

Enqueuing is one event a transaction from one client; its floor is the same payload inserted into a table with a primary key.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import psycopg_pool

from benchmarks import peers
from erp_pipelines.assets.lane import AT_ONCE, Lane
from erp_pipelines.bootstrap import SystemClock
from erp_pipelines.connectors.base import ConnectionFacts, Lent, Pushed, Write
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.resources.pace import Pace
from erp_pipelines.security import logs
from erp_pipelines.server import postgres
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import Database
from tests.support.toy import ToyConnector, ToyErp, ToySession, connect, toy_runtime

TURNS, JOBS, SLICES = 5, 2000, 20
BATCH = 30
OURS, BATCHED, PROCRASTINATE, PGQUEUER = "ours", "ours_batched", "procrastinate", "pgqueuer"
SIDES = (OURS, BATCHED, PROCRASTINATE, PGQUEUER)
SCRIPTS = {PROCRASTINATE: "procrastinate_queue", PGQUEUER: "pgqueuer_queue"}
KEYS = [ConnectionKey(f"t{number}", "toy") for number in range(AT_ONCE)]

EFFECTS = "create table effects (id bigint not null, at timestamptz not null default clock_timestamp())"
EFFECT = "insert into effects (id) values (%s)"
FOUND = """
select count(*), count(distinct id), count(*) / extract(epoch from max(at) - min(at)) from effects
"""
PLAIN = "create table plain (id bigint generated always as identity primary key, payload jsonb not null)"
LEFT = "select * from erp.integration_deliveries where outcome is distinct from 'Created' limit 1"
INSERT = "insert into plain (payload) values (%s::jsonb)"
EMIT = "select erp.emit_event(%s, 'CustomerCreated', 'Customer', %s, %s::jsonb)"
PAYLOAD = {"id": "c1", "name": "Customer 1", "email": "c1@example.com", "phone": None, "currency": "USD"}


def run(turns: int = TURNS, jobs: int = JOBS) -> dict[str, Any]:
    """Ratios first: medians of the turns, jobs a second, and milliseconds to enqueue one."""
    logs.configure(level=50)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        postgres.running(Path(folder), databases=SIDES) as server,
    ):
        urls = {side: server.url(side) for side in SIDES}
        _prepare(urls)
        taken = [_turn(urls, turn, jobs) for turn in range(turns + 1)][1:]  # the first one warms up
    rate = {side: statistics.median(one.rates[side] for one in taken) for side in SIDES}
    enqueue = {side: statistics.median(one.enqueue[side] for one in taken) for side in taken[0].enqueue}
    return _figures(rate, enqueue, turns, jobs)


def _figures(rate: dict[str, float], enqueue: dict[str, float], turns: int, jobs: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, side in (("a call each", OURS), (f"calls of {BATCH}", BATCHED)):
        for peer in SCRIPTS:
            found[f"drain, {name} / {peer}"] = round(rate[side] / rate[peer], 2)
    for other in ("plain", *SCRIPTS):
        found[f"time to enqueue / {other}"] = round(enqueue[OURS] / enqueue[other], 2)
    found |= {f"drain, {side}: jobs a second": round(rate[side]) for side in SIDES}
    found |= {f"enqueue, {side}: ms": round(1000 * enqueue[side] / jobs, 2) for side in enqueue}
    return found | {"turns of each, jobs of each turn": f"{turns}, {jobs}"}


@dataclasses.dataclass
class Turn:
    """Jobs a second by side, and the seconds that enqueuing them took."""

    rates: dict[str, float] = dataclasses.field(default_factory=dict)
    enqueue: dict[str, float] = dataclasses.field(default_factory=dict)


def _prepare(urls: dict[str, str]) -> None:
    for url in urls.values():
        _execute(url, EFFECTS)
    for side, script in SCRIPTS.items():
        peers.ask(script, urls[side], "setup", 0)
    for side in (OURS, BATCHED):
        database = Database.connect(urls[side])
        migrations.upgrade(database)
        for key in KEYS:
            connect(database, key, f"company of {key}")
        database.dispose()
    _execute(urls[OURS], PLAIN)


def _turn(urls: dict[str, str], turn: int, jobs: int) -> Turn:
    taken = Turn()
    first = turn * jobs
    for start in range(first, first + jobs, jobs // SLICES):  # a slow moment of the machine's then meets both
        events = [_emit(number) for number in range(start, start + jobs // SLICES)]
        _add(taken.enqueue, "plain", _timed(urls[OURS], [(INSERT, (json.dumps(PAYLOAD),))] * len(events)))
        _add(taken.enqueue, OURS, _timed(urls[OURS], events))
    _timed(urls[BATCHED], [_emit(number) for number in range(first, first + jobs)])
    for side, script in SCRIPTS.items():
        taken.enqueue[side] = peers.ask(script, urls[side], "enqueue", jobs)["seconds"]
    for side in SIDES:
        _execute(urls[side], "truncate effects")
        _drain(side, urls[side], jobs, first)
        taken.rates[side] = _rate(urls[side], jobs)
    return taken


def _add(seconds: dict[str, float], side: str, more: float) -> None:
    seconds[side] = seconds.get(side, 0.0) + more


def _emit(number: int) -> tuple[str, tuple[str, ...]]:
    own = {**PAYLOAD, "id": f"c{number}"}
    return EMIT, (KEYS[number % len(KEYS)].tenant_id, own["id"], json.dumps(own))


def _timed(url: str, statements: Sequence[tuple[str, tuple[str, ...]]]) -> float:
    """Seconds; each statement is a transaction."""
    with psycopg.connect(url, autocommit=True) as conn:
        began = time.perf_counter()
        for statement, values in statements:
            conn.execute(statement, values)
        return time.perf_counter() - began


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(statement)


def _rate(url: str, jobs: int) -> float:
    """Jobs a second, and that each of them has had its effect once."""
    with psycopg.connect(url) as conn:
        row = conn.execute(FOUND).fetchone()
    if row is None or row[:2] != (jobs, jobs):
        raise RuntimeError(f"{jobs} jobs have had {row} effects.")
    return float(row[2])


def _drain(side: str, url: str, jobs: int, first: int) -> None:
    if side in SCRIPTS:
        peers.ask(SCRIPTS[side], url, "drain", jobs)
        return
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(url, side == BATCHED, first))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{side} ended with {process.exitcode}.")
    with psycopg.connect(url) as conn:
        conn.execute("set erp.tenant_id = '*'")
        if left := conn.execute(LEFT).fetchone():
            raise RuntimeError(f"{side} has not completed {left}.")


# --- our side, in a process of its own -----------------------------------------------------------


class Silent:
    """A recorder that tells nobody."""

    def record(self, report: Any) -> None: ...
    def warn(self, text: str) -> None: ...
    def tell(self) -> None: ...
    def tell_if_due(self) -> None: ...


@dataclasses.dataclass
class BatchingSession(ToySession):
    """Takes several records in a call, each with its own effect."""

    insert: Callable[[Sequence[Write]], None]
    batch_size: int = BATCH
    batch_least: int = 2

    def may_batch(self, write: Write) -> bool:
        del write
        return True

    def push_batch(self, writes: Sequence[Write]) -> list[Pushed]:
        self.insert(writes)
        return [self._write(write) for write in writes]


@dataclasses.dataclass
class BatchingConnector(ToyConnector):
    insert: Callable[[Sequence[Write]], None] = lambda _: None

    def session(self, connection: ConnectionFacts, lent: Lent) -> ToySession:
        del connection
        return BatchingSession(self.erp, lent, self.insert)


def _serve(url: str, batched: bool, first: int) -> None:
    logs.configure(level=50)
    with psycopg_pool.ConnectionPool(url, min_size=4, max_size=AT_ONCE, kwargs={"autocommit": True}) as pool:
        insert = partial(_insert, pool)
        ids = itertools.count(first + 1)  # the ERP's go on where the last turn's process ended
        erp = ToyErp(always=None if batched else lambda write: insert([write]), ids=ids)
        runtime = toy_runtime(Database.connect(url), SystemClock(), erp)
        changes: dict[str, Any] = {"requests_per_minute": {"toy": 6_000_000.0}}
        if batched:
            changes["connectors"] = {"toy": BatchingConnector(erp, insert=insert)}
        Lane(dataclasses.replace(runtime, **changes), Pace(linger_seconds=0), Silent()).run()  # type: ignore[arg-type]


def _insert(pool: psycopg_pool.ConnectionPool, writes: Sequence[Write]) -> None:
    """Each record's row in a transaction of its own, as an ERP keeps the records of a batch apart."""
    with pool.connection() as conn:
        for write in writes:
            conn.execute(EFFECT, (int(write.ref.entity_id[1:]),))
