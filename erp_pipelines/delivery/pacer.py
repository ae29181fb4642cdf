"""The pace of a connection as its worker keeps it: on the session that holds the lock.

So a lost session, and with it a lost lock, is noticed before the next call leaves.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from erp_pipelines.delivery.places import Places
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import Throttled
from erp_pipelines.storage import pacing
from erp_pipelines.storage.engine import Connection

# At 480 a minute, a burst of two leaves at most nine calls in any second; QuickBooks allows ten.
BURST = 1
FAILURES_TO_OPEN = 5
OPEN_FOR = dt.timedelta(seconds=30)


@dataclass
class StoredPacer:
    """Implements `connectors.base.Pacer`. `transaction` opens one on the worker's session, `statements` as many as there are."""

    transaction: Callable[[], AbstractContextManager[Connection]]
    statements: Callable[[], AbstractContextManager[Connection]]
    clock: Clock
    key: ConnectionKey
    connection_id: str
    requests_per_minute: float
    batches_per_minute: float = 60
    places: Places = field(default_factory=Places)
    _failures: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self.places.taken():
            self._wait()
            yield

    def _wait(self) -> None:
        now = self.clock.now()
        cell = dt.timedelta(minutes=1 / self.requests_per_minute)
        with self.statements() as conn:
            slot = pacing.take(conn, self.key.tenant_id, self.connection_id, now=now, cell=cell, burst=cell * BURST)
        with self._lock:
            self._failures = slot.failures
        if slot.open_until and slot.open_until > now:
            raise Throttled(
                f"{self.key.provider} did not answer {slot.failures} times in a row; it is left alone for a while.",
                retry_after=(slot.open_until - now).total_seconds(),
            )
        ahead = (slot.at - now).total_seconds()
        if ahead > 0:
            self.clock.sleep(ahead)

    @contextmanager
    def batch_turn(self) -> Iterator[None]:
        """A batch's turn among batches, which are rationed besides; it takes one among all calls too."""
        now, cell = self.clock.now(), dt.timedelta(minutes=1 / self.batches_per_minute)
        with self.statements() as conn:
            slot = pacing.take(
                conn, self.key.tenant_id, self.connection_id, now=now, cell=cell, burst=cell * BURST, batch=True
            )
        ahead = (slot.at - now).total_seconds()
        if ahead > 0:
            self.clock.sleep(ahead)
        yield

    def answered(self) -> None:
        self.places.went_well()
        if self._failures:
            with self.transaction() as conn:
                pacing.answered(conn, self.connection_id)
            self._failures = 0

    def throttled(self) -> None:
        """Fewer at once, and remembered: the next worker begins with as many."""
        fewer = self.places.throttled()
        with self.transaction() as conn:
            pacing.answered(conn, self.connection_id)
            if fewer:
                pacing.learned(conn, self.connection_id, fewer)
        self._failures = 0

    def failed(self) -> None:
        with self.transaction() as conn:
            pacing.failed(conn, self.connection_id, now=self.clock.now(), threshold=FAILURES_TO_OPEN, pause=OPEN_FOR)
        self._failures += 1
