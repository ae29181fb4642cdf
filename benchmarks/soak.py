"""Real work for as long as one likes: whether memory and tables stay as they are once everything is as old as it gets.

One lane in a process of its own serves twenty connections: a steady stream of edits of the same customers goes out, notices of
the ERP's come in. Retention runs each minute by a clock that is ahead, so that what ended minutes ago is as old as a
year; a steady state is there as soon as the first rows have gone. Compared are the first and the last third of the time after that.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.fleet import OPEN, PAGE_MB, _memory
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.bootstrap import SystemClock
from erp_pipelines.commerce import customers
from erp_pipelines.delivery import retention
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.retention import Keep
from erp_pipelines.security import logs
from erp_pipelines.server import postgres
from erp_pipelines.storage import inbox_intake, migrations
from erp_pipelines.storage.engine import Database
from erp_pipelines.storage.inbox_intake import NewNotice
from tests.support.factories import make_customer
from tests.support.toy import ToyErp, connect, toy_runtime

MINUTES, A_SECOND, CONNECTIONS, CUSTOMERS, KEPT_MINUTES = 60.0, 10, 20, 50, 3
KEEP_DAYS = 30
TABLES = (
    "integration_outbox", "integration_deliveries", "integration_sync_logs", "integration_inbox", "integration_doubts",
    "integration_connections", "integration_pacing", "integration_entity_mappings",
)  # fmt: skip
SIZES = "select relname, pg_total_relation_size(c.oid) from pg_class c where relname = any(:tables) and relkind = 'r'"
KEYS = [ConnectionKey(f"t{number}", "toy") for number in range(CONNECTIONS)]


@dataclass(frozen=True)
class Ahead:
    """A clock by which what ended some minutes ago is as old as what is kept."""

    by: dt.timedelta

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.by

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True)
class Sample:
    """MB, and events that wait."""

    tables: dict[str, float]
    lane: float
    server: float
    waiting: int


def run(minutes: float = MINUTES) -> dict[str, Any]:
    """Ratios of the last third to the first one, once the steady state was there."""
    logs.configure(level=50)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        postgres.running(Path(folder), databases=("erp",)) as server,
    ):
        database = Database.connect(server.url("erp"))
        migrations.upgrade(database)
        for key in KEYS:
            connect(database, key, f"company of {key}")
        lane = multiprocessing.get_context("spawn").Process(target=_serve, args=(server.url("erp"),), daemon=True)
        lane.start()
        try:
            samples, written = _soaked(database, server, lane.pid, minutes)
        finally:
            lane.kill()
            lane.join()
            database.dispose()
    return _figures(samples[KEPT_MINUTES + 2 :], written, minutes)


def _figures(samples: Sequence[Sample], written: int, minutes: float) -> dict[str, Any]:
    third = max(len(samples) // 3, 1)
    first, last = samples[:third], samples[-third:]
    found: dict[str, Any] = {
        "memory of the lane, last third / first": _ratio([one.lane for one in first], [one.lane for one in last]),
        "memory of PostgreSQL, last third / first": _ratio([one.server for one in first], [one.server for one in last]),
        "all tables, last third / first": _ratio([_all(one) for one in first], [_all(one) for one in last]),
    }
    for table in TABLES:
        before, after = ([one.tables[table] for one in part] for part in (first, last))
        found[f"{table.removeprefix('integration_')}: last / first; MB at the end"] = (
            f"{_ratio(before, after)}; {after[-1]:.1f}"
        )
    return found | {
        "lane, PostgreSQL (MB, shared memory counted once)": f"{last[-1].lane:.0f}, {last[-1].server:.0f}",
        "events and notices written; waiting at the end": f"{written}; {last[-1].waiting}",
        "minutes, events and notices a second": f"{minutes}, {A_SECOND}",
    }


def _ratio(before: Sequence[float], after: Sequence[float]) -> float:
    return round(statistics.median(after) / statistics.median(before), 3)


def _all(sample: Sample) -> float:
    return sum(sample.tables.values())


def _soaked(
    database: Database, server: postgres.EmbeddedServer, lane: int | None, minutes: float
) -> tuple[list[Sample], int]:
    runtime = toy_runtime(database, SystemClock(), ToyErp())
    ahead = dt.timedelta(days=KEEP_DAYS, minutes=-KEPT_MINUTES)
    keep = Keep(*[KEEP_DAYS] * len(dataclasses.fields(Keep)))
    keeper = dataclasses.replace(runtime, clock=Ahead(ahead), keep=keep)
    samples: list[Sample] = []
    began, number = time.monotonic(), 0
    while time.monotonic() - began < 60 * minutes:
        _one(runtime, number)
        number += 1
        if time.monotonic() - began >= 60 * (len(samples) + 1):
            retention.retain(keeper)
            samples.append(_sample(database, server, lane))
        time.sleep(max(began + number / A_SECOND - time.monotonic(), 0))
    return samples, number


def _one(runtime: Runtime, number: int) -> None:
    """By turns an edit on its way out, and a notice on its way in, which tells of nothing that is known here."""
    key, customer = KEYS[number % CONNECTIONS], f"c{number // CONNECTIONS % CUSTOMERS}"
    with runtime.db.tenant(key.tenant_id) as conn:
        if number % 3:
            customers.save(conn, key.tenant_id, make_customer(customer, name=f"Customer {number}"))
        else:
            told = NewNotice(key, f"n{number}", f"company of {key}", "Thing", str(number), "Update", None)
            inbox_intake.insert(conn, [told])


def _sample(database: Database, server: postgres.EmbeddedServer, lane: int | None) -> Sample:
    with database.system() as conn:
        sizes = conn.execute(sa.text(SIZES), {"tables": list(TABLES)}).all()
        waiting = conn.execute(sa.text(OPEN)).scalar_one()
    return Sample(
        {name: size / 2**20 for name, size in sizes}, _memory(lane), _server_memory(server.directory), waiting
    )


def _server_memory(directory: Path) -> float:
    """Of the server's processes, what is theirs alone; what they share is counted once, with the first."""
    postmaster = int(next(directory.rglob("postmaster.pid")).read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    alone = sum(_private(int(child)) for child in children)
    return _memory(postmaster) + alone


def _private(pid: int) -> float:
    try:
        pages, shared = (int(part) for part in Path(f"/proc/{pid}/statm").read_text().split()[1:3])
    except OSError:  # it has ended meanwhile
        return 0.0
    return (pages - shared) * PAGE_MB


def _serve(url: str) -> None:
    from benchmarks.drain import Silent
    from erp_pipelines.assets.lane import Lane
    from erp_pipelines.resources.pace import Pace

    logs.configure(level=50)
    erp = ToyErp()
    erp.always = lambda _: (erp.arrived.clear(), erp.answers.clear())  # what it remembers is no part of the lane
    runtime = toy_runtime(Database.connect(url), SystemClock(), erp)
    Lane(runtime, Pace(life_seconds=1e6, linger_seconds=1e6), Silent()).run()  # type: ignore[arg-type]
