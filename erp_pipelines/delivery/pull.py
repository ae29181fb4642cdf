"""What changed in the ERP and nobody told of: found page by page, noted in the inbox, applied like every notice.

A page's notices and the cursor behind them are committed together, so a pull that dies is gone on with. What a page
brings again has been noted already, under the same stamp.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import structlog

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors.base import Changed, ChangePage, ExternalRef
from erp_pipelines.delivery import budget, echoes, halting, inbound, worker
from erp_pipelines.delivery.job import Job
from erp_pipelines.delivery.reports import PULLED, Report
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import DatabaseDown, LockLost
from erp_pipelines.domain.outcomes import judge
from erp_pipelines.storage import checkpoints, connections, inbox_intake, mappings
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.inbox_intake import NewNotice
from erp_pipelines.storage.mappings import Mapping as StoredMapping

log = structlog.get_logger("erp.delivery")
# How long a pull waits for whoever serves the connection to give its lock back.
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.25
STREAM = "Stream"  # what a failure of the report is about


def due(runtime: Runtime) -> list[ConnectionKey]:
    """Connections whose last complete pull is longer ago than their provider's interval, and whose reads are not spent."""
    now = runtime.clock.now()
    with runtime.db.system() as conn:
        return [
            key
            for provider in sorted(runtime.connectors)
            for key in checkpoints.due(conn, provider, now=now, before=now - runtime.pull_every(provider))
            if not budget.spent(conn, connections.get(conn, key), now)
        ]


def pull(
    runtime: Runtime, key: ConnectionKey, *, stop: Callable[[], bool] = worker.never, patience: float = PATIENCE_SECONDS
) -> Report:
    """One incremental pull of every stream, and whatever it found applied.

    `busy` in the report: another worker held the connection for longer than `patience` seconds. Raises NotFound for a
    connection that does not exist, DatabaseDown and LockLost when PostgreSQL goes away.
    """
    ends = time.monotonic() + patience
    while True:
        report = worker.holding(runtime, key, lambda held: _pull(held, stop))
        if not report.busy or time.monotonic() >= ends or stop():
            return report
        time.sleep(LOOK_SECONDS)


def _pull(job: Job, stop: Callable[[], bool]) -> None:
    for stream in job.erp.streams():
        for _ in _pages(job, stream):
            _apply(job, stop)
            if stop():
                return
        if job.tally.parked:
            return
    _apply(job, stop)


def _apply(job: Job, stop: Callable[[], bool]) -> None:
    while not (job.tally.parked or stop()) and inbound.process(job, inbound.BATCH):
        pass


def _pages(job: Job, stream: str) -> Iterator[ChangePage]:
    """The stream's pages, each noted before it is given; ends at the last, or where one could not be read."""
    more = True
    while more:
        page = _read(job, stream)
        if page is None:
            return
        _note(job, stream, page)
        yield page
        more = page.more and not job.tally.parked


def _read(job: Job, stream: str) -> ChangePage | None:
    with job.transaction() as conn:
        cursor = checkpoints.cursor(conn, job.key, stream)
    try:
        return job.erp.changes(stream, cursor, job.row.created_at)
    except (LockLost, DatabaseDown):
        raise
    except Exception as error:  # noqa: BLE001 - judged like everything an ERP call provokes
        _failed(job, stream, error)
        return None


def _failed(job: Job, stream: str, error: Exception) -> None:
    """The cursor stays: the next pull begins where this one ended."""
    verdict = judge(error, retries=0, max_retries=1, now=job.now(), jitter=job.runtime.jitter())
    why = halting.error_of(verdict)
    with job.transaction() as conn:
        checkpoints.failed(conn, job.key, stream, why.message)
        halting.halt(conn, job, verdict)
    halting.note(job, verdict)
    job.tally.failure(STREAM, stream, "Failed", why)
    if why.cause == "bug":
        log.error("pull provoked an error of the program", connection=str(job.key), stream=stream, exc_info=error)


def _note(job: Job, stream: str, page: ChangePage) -> None:
    with job.transaction() as conn:
        notices = [_notice(job, changed) for changed in _worth_a_look(conn, job, page.changed)]
        inbox_intake.insert(conn, notices)
        checkpoints.save(conn, job.key, stream, page.cursor, now=job.now(), done=not page.more)
    job.tally.count(PULLED, len(page.changed))


def _worth_a_look(conn: Connection, job: Job, found: Sequence[Changed]) -> Iterator[Changed]:
    """Not what we wrote ourselves, nor names that are none of ours; money may belong to a document of ours."""
    known = _known(conn, job, found)
    for changed in found:
        mapping = known.get(changed.ref)
        ours = mapping is not None or changed.ref.external_type in job.kinds.money
        if ours and (changed.deleted or not echoes.change_is_ours(changed, mapping)):
            yield changed


def _known(conn: Connection, job: Job, found: Sequence[Changed]) -> dict[ExternalRef, StoredMapping]:
    """The mappings of a page, in a query for each kind of record."""
    by_type: defaultdict[str, list[str]] = defaultdict(list)
    for changed in found:
        by_type[changed.ref.external_type].append(changed.ref.external_id)
    return {
        ExternalRef(external_type, external_id): mapping
        for external_type, ids in by_type.items()
        if (entity := job.kinds.entities.get(external_type))
        for external_id, mapping in mappings.find_external(conn, job.key, entity, ids).items()
    }


def _notice(job: Job, changed: Changed) -> NewNotice:
    ref, stamp = changed.ref, changed.at.astimezone(dt.UTC).isoformat(timespec="seconds")
    operation = "Deleted" if changed.deleted else "Changed"
    return NewNotice(
        key=job.key,
        event_id=f"pulled:{ref.external_type}:{ref.external_id}:{operation}:{stamp}",
        company_id=job.facts.company_id,
        external_type=ref.external_type,
        external_id=ref.external_id,
        operation=operation,
        occurred_at=None,  # whether it is our own was seen by its version: a stamp would say less
        changed_at=changed.at,
    )
