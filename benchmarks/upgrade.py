"""From an older release to this one with a thousand events in flight, back again, and forward to the end. The books must be equal.

The older release is a revision of this repository, taken out beside the checkout. Each release migrates, saves and serves with
its own code in processes of its own, in the order of docs/operations.md: the new schema comes while old workers are in the midst
of calls, and both work beside each other. Some are killed in the midst, some answers are lost. Then the old code goes on upon the
new schema, and upon its own, to which the new code leads back with everything stopped.
"""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import books
from benchmarks.books import OPEN, compare
from benchmarks.netns import Missing
from erp_pipelines.security import logs
from erp_pipelines.server import postgres
from tests.support.stage import ROOT, Stage, staged

FROM = "cf3f31b"  # at revision 0019, and of the same packages
TENANTS = {f"t{number}": f"91303500000001{number:02}" for number in range(4)}
FIRST, MORE = 84, 12  # paid orders a tenant and save, three events each
LEAST = 300  # where fewer events wait before a leap, as many more are saved
CALL_SECONDS, LOST_ANSWERS, WORKERS = 0.1, 6, 3
PATIENCE_SECONDS = 240.0
WORK = Path(__file__).with_name("release") / "work.py"
IN_HAND = (
    "select count(*) from erp.integration_deliveries where status = 'Processing' or in_doubt and status <> 'Completed'"
)
EVENTS = "select count(*) from erp.integration_outbox"


@dataclass
class Release:
    """One release's code: a tree that stands first on the path of every process it starts."""

    tree: Path
    environment: dict[str, str]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *command: str) -> tuple[float, str]:
        """Seconds it took and what it said. Raises CalledProcessError with what it complained of."""
        began = time.monotonic()
        done = subprocess.run(
            self._command(command), env=self._env, cwd=self.tree, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} of {self.tree.name} failed: {done.stderr[-2000:]}")
        return time.monotonic() - began, done.stdout.strip()

    def start(self, count: int = WORKERS) -> None:
        self.workers += [
            subprocess.Popen(self._command(("serve",)), env=self._env, cwd=self.tree) for _ in range(count)
        ]

    def kill(self, count: int | None = None) -> None:
        for worker in self._leaving(count):
            worker.kill()
            worker.wait()

    def end(self) -> float:
        """SIGTERM to all; seconds until the last has gone by itself, which it must."""
        began, leaving = time.monotonic(), self._leaving(None)
        for worker in leaving:
            worker.send_signal(signal.SIGTERM)
        codes = [worker.wait(timeout=60) for worker in leaving]
        assert not any(codes), f"workers of {self.tree.name} ended with {codes}"
        return time.monotonic() - began

    def _leaving(self, count: int | None) -> list[subprocess.Popen[bytes]]:
        leaving, self.workers = self.workers[:count], self.workers[len(self.workers[:count]) :]
        return leaving

    def _command(self, command: Sequence[str]) -> list[str]:
        programs = Path(sys.executable).parent
        return [str(programs / "erp"), *command[1:]] if command[0] == "erp" else [sys.executable, str(WORK), *command]

    @property
    def _env(self) -> dict[str, str]:
        return self.environment | {"PYTHONPATH": str(self.tree)}


def run(older: str = FROM) -> dict[str, Any]:
    """Seconds of each step first, then what the books say. Raises Missing without the older revision."""
    logs.configure(level=50)
    with tempfile.TemporaryDirectory(prefix="erp-upgrade-", ignore_cleanup_errors=True) as folder:
        tree = Path(folder) / older
        _take_out(older, tree)
        with (
            postgres.running(Path(folder) / "pg", databases=("erp",)) as server,
            staged(server.url("erp")) as stage,
            psycopg.connect(server.admin_url("erp"), autocommit=True) as admin,
            _releases(stage, tree) as releases,
        ):
            return Upgrade(stage, admin, *releases).there_and_back()


def _take_out(revision: str, tree: Path) -> None:
    asked = subprocess.run(["git", "-C", str(ROOT), "archive", revision], capture_output=True, check=False)
    if asked.returncode:
        raise Missing(f"there is no revision {revision} to come from: {asked.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(asked.stdout)) as archive:
        archive.extractall(tree, filter="data")


@contextmanager
def _releases(stage: Stage, tree: Path) -> Iterator[tuple[Release, Release]]:
    old, new = Release(tree, stage.environment()), Release(ROOT, stage.environment())
    try:
        yield old, new
    finally:
        for release in (old, new):
            release.kill()


@dataclass
class Upgrade:
    stage: Stage
    admin: psycopg.Connection[Any]
    old: Release
    new: Release
    orders: int = 0
    found: dict[str, Any] = field(default_factory=dict)

    def there_and_back(self) -> dict[str, Any]:
        self._begin()
        self._upgrade()
        self._back_on_the_new_schema()
        self._back_to_the_old_schema()
        self._forward_to_the_end()
        return self.found | self._books()

    def _begin(self) -> None:
        """The old release has its thousand events, and is in the midst of them; one of its workers was killed."""
        self.old.run("erp", "migrate")
        self.schema = self._schema()
        for company in TENANTS.values():
            self.stage.there.add_company(company, f"Company {company}")
        self.old.run("connect", *(name for pair in TENANTS.items() for name in pair))
        self._save(self.old, FIRST)
        self.found["events in flight at first"] = self._one(EVENTS)
        self.stage.twin.add_fault("slow", seconds=CALL_SECONDS, times=None)
        self.stage.twin.add_fault("drop_after_commit", method="POST", path="invoice", times=LOST_ANSWERS)
        self.old.start()
        self._until(lambda: self._invoices() >= 20)
        self.old.kill(1)

    def _upgrade(self) -> None:
        """Schema first, under the old workers' hands; new ones beside them; the old ones end."""
        self._ready_for(self.old, "the new schema came")
        self.found["seconds of `erp migrate` beside old workers"], _ = _rounded(self.new.run("erp", "migrate"))
        self._progress("old workers on the new schema")
        self.new.start()
        self._save(self.old, MORE)
        self._progress("both releases beside each other")
        self.found["seconds until the old workers had ended, by SIGTERM"] = round(self.old.end(), 2)
        self._save(self.new, MORE)
        self._progress("new workers alone")

    def _back_on_the_new_schema(self) -> None:
        self._ready_for(self.new, "the old code came back on the new schema")
        self.new.kill()
        self.old.start()
        self._save(self.old, MORE)
        self._progress("old workers after new ones were killed")

    def _back_to_the_old_schema(self) -> None:
        self.old.kill()
        self._ready_for(self.old, "the schema went back")
        self.found["seconds of `erp migrate --back-to`"], _ = _rounded(
            self.new.run("erp", "migrate", "--back-to", self.schema)
        )
        assert self._schema() == self.schema
        self.old.start()
        self._save(self.old, MORE)
        self._progress("old workers on their own schema again")

    def _forward_to_the_end(self) -> None:
        self.old.kill(1)
        self.new.run("erp", "migrate")
        self.new.start()
        self.old.end()
        self._save(self.new, MORE)
        self._until(lambda: self._one(OPEN) == 0)
        self.new.end()

    # --- what is looked at ---

    def _save(self, release: Release, count: int) -> None:
        release.run("save", str(self.orders + 1), str(self.orders + count), *TENANTS)
        self.orders += count

    def _progress(self, who: str) -> None:
        """Those who are at work now bring ten more documents, and something is left for the next step."""
        before = self._invoices()
        self._until(lambda: self._invoices() >= before + 10)
        assert self._one(OPEN), f"nothing is left in flight: {who}"

    def _ready_for(self, release: Release, when: str) -> None:
        if self._one(OPEN) < LEAST:
            self._save(release, 3 * MORE)
        self.found[f"events in flight, in hand or in doubt when {when}"] = f"{self._one(OPEN)}, {self._one(IN_HAND)}"

    def _until(self, holds: Callable[[], bool]) -> None:
        ends = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < ends, f"no progress: {self._books()}"
            time.sleep(0.05)

    def _invoices(self) -> int:
        return sum(books.invoices(self.stage.twin, TENANTS.values()))

    def _one(self, statement: str) -> int:
        return books.count(self.admin, statement)

    def _schema(self) -> str:
        row = self.admin.execute("select version_num from erp.alembic_version").fetchone()
        return str(row[0]) if row else ""

    def _books(self) -> dict[str, Any]:
        books_of = compare(self.stage.twin, self.admin, TENANTS.values(), self.orders, f"Customer c1, {self.orders}")
        return {"events in all": self._one(EVENTS), **books_of, "from revision, to": f"{self.schema}, {self._schema()}"}


def _rounded(taken: tuple[float, str]) -> tuple[float, str]:
    return round(taken[0], 2), taken[1]
