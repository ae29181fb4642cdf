"""A delivery that only pretends: what is due, who holds which lock, and what was asked of it, as plain sets and lists."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace

import dagster as dg
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin

from erp_pipelines.access.health import Standing, Warned
from erp_pipelines.delivery import bulk
from erp_pipelines.delivery.probe import Probe
from erp_pipelines.delivery.reports import Document, Failure, Report
from erp_pipelines.domain.connections import ConnectionKey, ConnectionState
from erp_pipelines.domain.outcomes import Explained
from erp_pipelines.resources.pace import Pace

ACME = ConnectionKey("acme", "quickbooks")
ZETA = ConnectionKey("zeta", "netsuite")
EVENTS = {
    dg.DagsterRunStatus.QUEUED: "PIPELINE_ENQUEUED",
    dg.DagsterRunStatus.STARTING: "PIPELINE_STARTING",
    dg.DagsterRunStatus.STARTED: "PIPELINE_START",
    dg.DagsterRunStatus.FAILURE: "PIPELINE_FAILURE",
    dg.DagsterRunStatus.SUCCESS: "PIPELINE_SUCCESS",
}
QUICK = Pace(
    linger_seconds=0.05, life_seconds=5, tick_seconds=0.2, look_seconds=0.02, doubt_seconds=60, successor_seconds=0
)


def document(entity_type="Order", entity_id="10248", outcome="Created", **given):
    values = {"external_type": "Invoice", "external_id": "77", "number": "10248", "url": "https://erp.example/i?id=77"}
    return Document(entity_type, entity_id, outcome, **{**values, **given})


def failure(entity_type="Order", entity_id="10249", status="Abandoned"):
    return Failure(entity_type, entity_id, status, "The period is closed.", "closed-period", "Reopen it, then retry.")


def report(key=ACME, documents=(), failures=(), **given):
    counts = Counter([d.outcome for d in documents] + [f.status for f in failures]) + Counter(given.pop("counts", {}))
    values = {"busy": False, "reads": len(documents), "writes": len(documents), "calls": {"invoice": len(documents)},
              "seconds": 0.5, "parked": None, "more": False}  # fmt: skip
    return Report(key=key, counts=counts, documents=tuple(documents), failures=tuple(failures), **{**values, **given})


def row(key=ACME, state="Connected", reason=None):
    """A connection, as far as it is shown."""
    return SimpleNamespace(key=key, state=ConnectionState(state), state_reason=reason)


def ending(days=7):
    why = Explained("The access ends for good.", "consent-ends-soon", "Connect it again.")
    return Warned(dt.datetime(2031, 3, 1, tzinfo=dt.UTC), days, why)


def under_way(instance, status, job="sync_connection", tags=None):
    """A run that Dagster knows of, in this state."""
    origin = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("erp_pipelines"), "__repository__").get_job_origin(job)
    run = dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.NOT_STARTED, tags=tags or {}, remote_job_origin=origin)
    instance.add_run(run)
    instance.report_dagster_event(dg.DagsterEvent(EVENTS[status], job), run.run_id)
    return run


@dataclass
class FakeDelivery:
    """`waiting`: reports that serving a connection will give, one a round. `held`: connections of other workers."""

    waiting: dict[ConnectionKey, list[Report]] = field(default_factory=dict)
    connected: list[ConnectionKey] = field(default_factory=lambda: [ACME, ZETA])
    held: set[ConnectionKey] = field(default_factory=set)
    served: list[ConnectionKey] = field(default_factory=list)
    runs: set[str | None] = field(default_factory=set)  # whose work it was
    requested: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    told: int = 0
    failed_runs: list[tuple[str, str]] = field(default_factory=list)
    fleet: list[SimpleNamespace] = field(default_factory=list)
    grants: list[Standing] = field(default_factory=list)
    probes: dict[ConnectionKey, Probe | Exception] = field(default_factory=dict)
    probed: list[ConnectionKey] = field(default_factory=list)
    locks: set[str] = field(default_factory=set)
    breaks: Exception | None = None
    sound: set[ConnectionKey] = field(default_factory=set)
    slow: float = 0.0
    on_wait: object = None

    def add(self, key, *reports):
        self.waiting.setdefault(key, []).extend(reports or [report(key, [document()])])

    def serve(self, runtime, key, budget=None, *, entity_types=None, stop=lambda: False):
        if self.breaks and key not in self.sound:
            raise self.breaks
        if key in self.held:
            return report(key, busy=True, seconds=0)
        self.served.append(key)
        self.runs.add(runtime.run_id)
        time.sleep(self.slow)
        rounds = self.waiting.get(key, [])
        return rounds.pop(0) if rounds and not stop() else report(key)

    def connections(self, runtime):
        return [key for key, rounds in self.waiting.items() if rounds and key not in self.held]

    def active(self, runtime):
        return list(self.connected)

    def count_active(self, runtime, *, most):
        return min(len(self.connected), most)

    def wait(self, runtime, seconds, *, key=None, stop=lambda: False, look_seconds=1.0):
        if self.on_wait:
            self.on_wait()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and not stop():
            if self.waiting.get(key) if key else self.connections(runtime):
                return True
            time.sleep(0.005)
        return False

    def request(self, runtime, key, entity_types, *, entity_ids=None, by, chunk=50):
        self.requested.append((str(key), tuple(entity_types)))
        return f"sync-{key}"

    def progress(self, runtime, key, sync_id):
        left = len(self.waiting.get(key, []))
        return bulk.Progress(10, 10 - left, 9 - left, 1, 0, 100.0 - 10 * left, (), finished=not left)

    def tell(self, runtime):
        return self.told

    def run_failed(self, runtime, job, reason, run_id):
        self.failed_runs.append((job, reason))

    def health(self, runtime, tenant_id=None):
        return self.fleet

    def standings(self, runtime):
        return self.grants

    def probe(self, runtime, key):
        self.probed.append(key)
        found = self.probes.get(key, Probe(row(key), "answers"))
        if isinstance(found, Exception):
            raise found
        return found

    @contextlib.contextmanager
    def lock(self, name):
        if name in self.locks:
            yield None
            return
        self.locks.add(name)
        try:
            yield object()
        finally:
            self.locks.discard(name)
