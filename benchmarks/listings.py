"""The lists at ten thousand and at a million rows, or as many as `--rows` says: each filter, from the beginning and from deep inside, and the plans used.

Each question is the statement that API and console ask, in a transaction of the tenant under row-level security, by a role
that cannot pass it by; all columns are fetched. Milliseconds are what the caller waits, database and driver together.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from erp_pipelines.security import logs
from erp_pipelines.server import postgres
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import EVERY_TENANT, Database
from tests.support.list_questions import FILTERS, TENANT, Ask, figures, log_page, others
from tests.support.many_rows import fill, plans

SMALL, LARGE = 10_000, 1_000_000
# Ten million rows of each list are 40 GB: on the disk, and with an eighth of it in PostgreSQL's own memory at most.
OPTIONS = {
    "shared_buffers": "2GB", "maintenance_work_mem": "1GB", "max_wal_size": "8GB", "synchronous_commit": "off",
}  # fmt: skip
DEPTHS = (0.0, 0.5, 0.9, 0.99)
TIMES = 15
AIM = 20.0


@dataclass
class Asked:
    """One question at one size: milliseconds, how it was answered, and the most pages of 8 kB that one page of the list took."""

    times: list[float] = field(default_factory=list)
    indexes: set[str] = field(default_factory=set)
    pages: int = 0
    reads_whole_table: bool = False

    @property
    def middle(self) -> float:
        return statistics.median(self.times)

    @property
    def p95(self) -> float:
        return _p95(self.times)


def run(rows: int = LARGE) -> dict[str, Any]:
    """Ratios first; the log's figures before those of the other lists."""
    logs.configure(level=50)
    small, large = _measured(SMALL), _measured(rows)
    log = [f"log: {name}" for name in FILTERS]
    ratios = {name: large[name].middle / small[name].middle for name in large}
    together = [one for name in log for one in large[name].times]
    worst = max(log, key=lambda name: large[name].p95)
    found: dict[str, Any] = {
        f"log, all filters and depths: time at {rows:,} rows / at {SMALL:,}, median of medians": round(
            statistics.median(ratios[name] for name in log), 2
        ),
        f"log, all filters and depths at {rows:,} rows: p50, p95 (ms)": f"{statistics.median(together):.1f}, {_p95(together):.1f}",
        "log, the slowest filter's p95 (ms)": f"{large[worst].p95:.1f} ({worst.removeprefix('log: ')}); aim {AIM:.0f}",
        "questions that read a whole table": sum(one.reads_whole_table for one in large.values()),
    }
    for name, one in large.items():
        indexes = ", ".join(sorted(index.removeprefix("ix_integration_") for index in one.indexes))
        found[f"{name}: p50, p95 (ms); ratio; pages; index"] = (
            f"{one.middle:.1f}, {one.p95:.1f}; {ratios[name]:.1f}; {one.pages}; {indexes}"
        )
    return found


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95) - 1]


def _measured(count: int) -> dict[str, Asked]:
    with _filled(count) as database:
        questions = {f"log: {name}": [log_page(wanted, depth) for depth in DEPTHS] for name, wanted in FILTERS.items()}
        for depth in DEPTHS:
            for name, ask in others(count, depth).items():
                questions.setdefault(name, []).append(ask)
        asked = {name: _asked(database, asks, TENANT) for name, asks in questions.items()}
        return asked | {name: _asked(database, [ask], EVERY_TENANT) for name, ask in figures().items()}


def _asked(database: Database, asks: list[Ask], scope: str) -> Asked:
    asked = Asked()
    for ask in asks:
        with database.tenant(scope) as conn:
            found = plans(conn, ask, execute=True)
        asked.indexes |= {index for plan in found for index in plan.indexes}
        asked.reads_whole_table |= any(plan.reads_whole_table for plan in found)
        asked.pages = max(asked.pages, sum(plan.pages for plan in found))
        asked.times += [_milliseconds(database, ask, scope) for _ in range(TIMES)]
    return asked


def _milliseconds(database: Database, ask: Ask, scope: str) -> float:
    began = time.perf_counter()
    with database.tenant(scope) as conn:
        ask(conn)
    return 1000 * (time.perf_counter() - began)


@contextmanager
def _filled(count: int) -> Iterator[Database]:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        postgres.running(Path(folder), databases=("erp",), options=OPTIONS) as server,
    ):
        database = Database.connect(server.url("erp"))
        try:
            migrations.upgrade(database)
            fill(database, count)
            gc.collect()
            yield database
        finally:
            database.dispose()
