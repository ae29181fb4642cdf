"""One worker on one connection: takes its lock, drains what is due both ways, and says what it did."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import structlog

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import budget as spending
from erp_pipelines.delivery import inbound, job, rounds, standing, totals, unclassified
from erp_pipelines.delivery.job import Job
from erp_pipelines.delivery.reports import Report, Tally
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.states import Direction, SyncStatus
from erp_pipelines.storage import deliveries, inbox, sync_log
from erp_pipelines.storage.due import LOCK_PREFIX
from erp_pipelines.storage.engine import WorkerSession

log = structlog.get_logger("erp.delivery")


@dataclass(frozen=True)
class Budget:
    """How much one call of `serve` may do before it gives others a turn."""

    events: int = 500
    seconds: float = 300


def never() -> bool:
    return False


def serve(
    runtime: Runtime,
    key: ConnectionKey,
    budget: Budget | None = None,
    *,
    entity_types: Collection[str] | None = None,
    stop: Callable[[], bool] = never,
) -> Report:
    """Drain the due events and notices of one connection, in order, until none is left or the budget is spent.

    `busy` in the report: another worker holds the connection, nothing was done. Raises NotFound for a
    connection that does not exist, DatabaseDown and LockLost when PostgreSQL goes away; nothing an event
    or the ERP does can raise. `entity_types` limits which events are taken; `stop` is asked between events.
    """
    return holding(runtime, key, lambda held: _drain(held, budget or Budget(), entity_types, stop))


def holding(runtime: Runtime, key: ConnectionKey, work: Callable[[Job], None]) -> Report:
    """Do `work` as the connection's one worker, and say what was done. Not called where the connection has to wait.

    `busy` in the report: another worker holds it. Raises as `serve` does.
    """
    began, tally = time.monotonic(), Tally(key)
    with runtime.db.worker(LOCK_PREFIX + str(key)) as session:
        if session is None:
            return tally.report(seconds=0, busy=True)
        held = _begin(runtime, session, key, tally)
        if held:
            work(held)
            _store_counts(held)
    return tally.report(seconds=time.monotonic() - began)


def _store_counts(held: Job) -> None:
    """What was done since the last time, what its calls have cost, and what of their answers nobody knows."""
    unclassified.count(held)
    spending.count(held)
    totals.count(held)
    standing.count(held)


def _begin(runtime: Runtime, session: WorkerSession, key: ConnectionKey, tally: Tally) -> Job | None:
    held = job.start(runtime, session, key, tally)
    if held:
        _take_over(held)
    return held


def _take_over(held: Job) -> None:
    """What a dead worker had claimed is due again. Holding the lock proves that no such worker lives."""
    with held.transaction() as conn:
        inbox.take_over(conn, held.key)
        for orphan in deliveries.take_over(conn, held.row.id):
            log.warning("taken over from a dead worker", connection=str(held.key), delivery=orphan.id)
            sync_log.append(conn, held.key, _taken_over(held, orphan))


def _taken_over(held: Job, orphan: deliveries.Orphan) -> sync_log.Entry:
    now = held.now()
    return sync_log.Entry(
        entity_type=orphan.entity_type,
        entity_id=orphan.entity_id,
        direction=Direction.TO_EXTERNAL,
        status=SyncStatus.PENDING,
        started_at=now,
        completed_at=now,
        actor=f"worker {held.owner}",
        outcome="TakenOver",
        in_doubt=orphan.in_doubt,
        attempt=orphan.attempts,
        retry_count=orphan.retry_count,
        delivery_id=orphan.id,
        run_id=held.runtime.run_id,
    )


def _drain(held: Job, budget: Budget, entity_types: Collection[str] | None, stop: Callable[[], bool]) -> None:
    """Both directions in turns, so that neither waits for the other's backlog."""
    ends = time.monotonic() + budget.seconds
    while not stop() and not held.tally.parked:
        left = budget.events - held.tally.handled
        if left <= 0 or time.monotonic() >= ends:
            held.tally.more = True
            return
        notices = inbound.process(held, left)
        events = 0 if held.tally.parked else rounds.deliver(held, left, entity_types, stop)
        _store_counts(held)
        if not notices and not events:
            return
