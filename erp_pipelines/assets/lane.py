"""A lane: one run that serves whatever connections are due, by threads, one worker a connection. Plain.

What a worker does with a connection is `delivery`'s; which lanes there are is decided in `sensors`.
"""

from __future__ import annotations

import collections
import concurrent.futures as cf
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.assets.recorder import Recorder
from erp_pipelines.assets.serving import OLD_ENOUGH, QUIET, serve
from erp_pipelines.delivery import due
from erp_pipelines.delivery.reports import Report
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import DatabaseDown, LockLost
from erp_pipelines.resources.pace import Pace

AT_ONCE = 16
# With workers under way, what else became due is looked up so often, and sooner when it is told, but never more often than that.
LOOK_SECONDS = 0.1
LOOK_AGAIN_SECONDS = 0.01
# With nobody under way: retries and pauses that run out tell nobody.
IDLE_LOOK_SECONDS = 1.0
# A list of what is due is used up before the next one is fetched, but not when it is older.
LIST_SECONDS = 2.0
# A connection whose round did nothing (busy elsewhere, parked) is left alone so long.
LEAVE_SECONDS = 2.0


@dataclass
class Lane:
    """Dispatches from the thread it runs in; that one alone talks to Dagster.

    A fault of the program over one connection takes only that one from the lane; the run fails in the end.
    """

    runtime: Runtime
    pace: Pace
    recorder: Recorder
    _workers: dict[cf.Future[Report], ConnectionKey] = field(default_factory=dict)
    _due: collections.deque[ConnectionKey] = field(default_factory=collections.deque)
    _due_at: float = 0.0
    _left_alone: dict[ConnectionKey, float] = field(default_factory=dict)
    _faults: dict[ConnectionKey, Exception] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _told: threading.Event = field(default_factory=threading.Event)
    _wake: threading.Event = field(default_factory=threading.Event)

    def run(self) -> str:
        """Serve until nothing has been due for a while, or the lane has lived long enough; returns which.

        Raises DatabaseDown at once, and the first of other faults at the end.
        """
        ends = time.monotonic() + self.pace.life_seconds
        with cf.ThreadPoolExecutor(AT_ONCE + 1, thread_name_prefix="lane") as pool:
            pool.submit(self._listen)
            try:
                why = self._serve(pool, ends)
            finally:
                self._stop.set()  # workers end after the event in hand; the pool's exit waits for them
        for fault in self._faults.values():
            raise fault
        return why

    def _serve(self, pool: cf.ThreadPoolExecutor, ends: float) -> str:
        quiet_at = time.monotonic() + self.pace.linger_seconds
        while time.monotonic() < ends:
            if self._start(pool) or self._workers:
                worked = self._collect(LOOK_SECONDS if len(self._workers) < AT_ONCE else 1.0)
                quiet_at = time.monotonic() + self.pace.linger_seconds if worked else quiet_at
            elif time.monotonic() >= quiet_at:
                return QUIET
            else:
                self._idle(min(quiet_at, ends) - time.monotonic())
            self.recorder.tell_if_due()
        self._finish()
        return OLD_ENOUGH

    def _start(self, pool: cf.ThreadPoolExecutor) -> bool:
        """Workers for what is due, oldest first, as far as there are threads."""
        started = False
        while len(self._workers) < AT_ONCE and (key := self._next()) is not None:
            worker = pool.submit(serve, self.runtime, key, self._stop.is_set)
            self._workers[worker] = key
            worker.add_done_callback(lambda _: self._wake.set())
            started = True
        return started

    def _listen(self) -> None:
        """Without it a connection that becomes due beside busy ones would wait for the next look."""
        with suppress(DatabaseDown):  # whoever works with the database says so better
            due.hear(self.runtime, self._hear, self._stop.is_set)

    def _hear(self, key: str) -> None:
        if key not in {str(busy) for busy in list(self._workers.values())}:  # those look for themselves
            self._told.set()
            self._wake.set()

    def _next(self) -> ConnectionKey | None:
        now = time.monotonic()
        if not self._workers or now - self._due_at > self._list_seconds:
            self._told.clear()
            self._due, self._due_at = collections.deque(due.connections(self.runtime)), now
        while self._due:
            if self._may_serve(key := self._due.popleft()):
                return key
        return None

    @property
    def _list_seconds(self) -> float:
        """How old the list may be."""
        if self._due:
            return LIST_SECONDS
        return LOOK_AGAIN_SECONDS if self._told.is_set() else LOOK_SECONDS

    def _may_serve(self, key: ConnectionKey) -> bool:
        taken = key in self._workers.values() or key in self._faults
        return not taken and time.monotonic() >= self._left_alone.get(key, 0.0)

    def _collect(self, seconds: float) -> bool:
        """Record the workers that end within `seconds`, or until something else is to do; whether any had work. Raises DatabaseDown."""
        self._wake.wait(seconds)
        self._wake.clear()
        ended = [worker for worker in self._workers if worker.done()]
        worked = [self._record(worker) for worker in ended]  # all of them, whatever the first one did
        return any(worked)

    def _record(self, worker: cf.Future[Report]) -> bool:
        key = self._workers.pop(worker)
        report = self._result(worker, key)
        if report is None or not report.handled:
            self._left_alone[key] = time.monotonic() + LEAVE_SECONDS
        if report:
            self.recorder.record(report)
        return bool(report and report.handled)

    def _result(self, worker: cf.Future[Report], key: ConnectionKey) -> Report | None:
        try:
            return worker.result()
        except DatabaseDown:
            raise
        except LockLost as lost:
            self.recorder.warn(f"{key}: {lost}")
        except Exception as fault:  # noqa: BLE001 - told now, raised at the end
            self._faults[key] = fault
            self.recorder.warn(f"{key} is left alone, {type(fault).__name__}: {fault}")
        return None

    def _idle(self, seconds: float) -> None:
        """Wait for work: told of, left alone before, or due again by the clock, which tells nobody."""
        self.recorder.tell()
        now = time.monotonic()
        self._left_alone = {key: until for key, until in self._left_alone.items() if until > now}
        self._wake.wait(min(LOOK_SECONDS if self._left_alone else IDLE_LOOK_SECONDS, seconds))
        self._wake.clear()

    def _finish(self) -> None:
        self._stop.set()
        while self._workers:
            self._collect(1.0)
