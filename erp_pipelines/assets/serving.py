"""Serving one connection: a round of work, the wait before the next, and the loop of both. Plain.

Shared by the bulk assets, the connection's own run and the lanes (`lane` has their threads).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import due, worker
from erp_pipelines.delivery.reports import Report
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.resources.pace import Pace

# So small that a report lists all its documents and failures, that a run's log follows closely,
# and that no connection keeps the others of its lane waiting.
ROUND = worker.Budget(events=100, seconds=20)
# A wait that ended at once without work is not believed twice in a row.
SHORTEST_WAIT = 0.5
# Why a run ended, for its log.
QUIET = "nothing more was due"
OLD_ENOUGH = "it has lived long enough; the sensors start another where work is left"


def never() -> bool:
    return False


def serve(runtime: Runtime, key: ConnectionKey, stop: Callable[[], bool] = never) -> Report:
    """One round: the connection's lock, its due events and notices, and the lock given back."""
    return worker.serve(runtime, key, ROUND, stop=stop)


def wait_for_more(runtime: Runtime, report: Report, seconds: float, stop: Callable[[], bool] = never) -> bool:
    """Wait until the connection of `report` may have something due again; False when time is over.

    A round that did nothing although something seemed due (another worker holds the lock, the connection is
    paused) is followed by a pause, whatever is due.
    """
    if report.more and report.handled:
        return True
    began = time.monotonic()
    woken = due.wait(runtime, seconds, key=report.key, stop=stop)
    left = SHORTEST_WAIT - (time.monotonic() - began)
    if woken and not report.handled and left > 0:
        time.sleep(min(left, seconds))
    return woken


def serve_until_quiet(
    runtime: Runtime, key: ConnectionKey, pace: Pace, *, record: Callable[[Report], None], stop: Callable[[], bool]
) -> str:
    """Serve one connection until nothing has been due for a while; returns why it ended.

    Between the rounds no lock is held. `stop` ends it between two events: somebody else waits to serve.
    """
    ends = time.monotonic() + pace.life_seconds
    quiet_at = time.monotonic() + pace.linger_seconds
    while not stop():
        report = serve(runtime, key, stop)
        record(report)
        now = time.monotonic()
        quiet_at = now + pace.linger_seconds if report.handled else quiet_at
        if report.busy:
            return "another worker serves this connection"
        if now >= ends:
            return OLD_ENOUGH
        if not wait_for_more(runtime, report, max(min(quiet_at, ends) - now, 0), stop) and not stop():
            return QUIET
    return "another run of this connection waits"
