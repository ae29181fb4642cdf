"""The closing transaction of one try: the event's new state, its log entry, its alert; all or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from erp_pipelines import tracing
from erp_pipelines.connectors.exchanges import Exchange
from erp_pipelines.delivery import payloads, standing
from erp_pipelines.delivery.halting import halt, note
from erp_pipelines.delivery.job import Job
from erp_pipelines.domain import outcomes
from erp_pipelines.domain.outcomes import Explained, Outcome, Verdict
from erp_pipelines.domain.states import Direction, SyncStatus
from erp_pipelines.storage import alerts, deliveries, doubts, sync_log
from erp_pipelines.storage.deliveries import Claim
from erp_pipelines.storage.engine import Connection

log = structlog.get_logger("erp.delivery")
NotDone = outcomes.Retry | outcomes.Pause | outcomes.Park | outcomes.Abandon
DONE = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.ADOPTED})


@dataclass(frozen=True)
class Try:
    """One try at one claim and what came of it. `in_doubt`: a write may stand in the ERP unknown to us.

    `heard` is what was said to the ERP and by it.
    """

    claim: Claim
    verdict: Verdict
    started_at: dt.datetime
    in_doubt: bool
    external_id: str | None = None
    request_id: str = ""
    note: str = ""
    heard: tuple[Exchange, ...] = ()


def settle(job: Job, *tries: Try) -> None:
    """Close these tries, all in one transaction. One whose claim belongs to somebody else now is left as it is."""
    links = [] if len(tries) == 1 else [tried.claim.traceparent for tried in tries]
    plain = all(isinstance(tried.verdict, outcomes.Completed) for tried in tries) and not standing.due(job, None)
    with (
        tracing.span("settle", links=links, attributes={"erp.events": len(tries)}),
        job.statements() if plain else job.transaction() as conn,
    ):
        closed = _closed(conn, job, tries)
        for tried in closed:
            _tell(conn, job, tried)
        _note_standing(conn, job, closed)
    for tried in closed:
        _count(job, tried)


def _closed(conn: Connection, job: Job, tries: Sequence[Try]) -> list[Try]:
    """Those whose delivery was moved on, each with its log entry; what has reached the ERP all at once."""
    moved = _done(conn, job, tries) | {tried.claim.id for tried in tries if _not_done(conn, job, tried)}
    for tried in tries:
        if tried.claim.id not in moved:
            log.warning("claim lost", connection=str(job.key), delivery=tried.claim.id)
    return [tried for tried in tries if tried.claim.id in moved]


def _done(conn: Connection, job: Job, tries: Sequence[Try]) -> set[str]:
    """Moves on what has reached the ERP, in one statement with its log; the ids."""
    done = {tried.claim.id: tried.verdict.outcome for tried in tries if isinstance(tried.verdict, outcomes.Completed)}
    if not done:
        return set()
    entries = sync_log.rows(job.key, [_entry(job, tried) for tried in tries if tried.claim.id in done])
    return deliveries.complete(conn, done, job.owner, now=job.now(), log=entries)


def _not_done(conn: Connection, job: Job, tried: Try) -> bool:
    """Moves on what has not reached the ERP; False also where it has."""
    if isinstance(tried.verdict, outcomes.Completed) or not _move(conn, job, tried, tried.verdict):
        return False
    if not tried.in_doubt:
        doubts.end_noted_by(conn, tried.claim.id)
    sync_log.append(conn, job.key, _entry(job, tried))
    return True


def _move(conn: Connection, job: Job, tried: Try, verdict: NotDone) -> bool:
    """The one transition that the verdict asks for, guarded by the claim."""
    claim, owner, now, in_doubt = tried.claim, job.owner, job.now(), tried.in_doubt
    match verdict:
        case outcomes.Retry(at, why):
            return deliveries.fail(conn, claim.id, owner, at=at, why=why, in_doubt=in_doubt)
        case outcomes.Pause(_, why) | outcomes.Park(why):
            return deliveries.give_back(conn, claim.id, owner, why=why, in_doubt=in_doubt)
        case outcomes.Abandon(why, requirement, refused):
            return deliveries.abandon(
                conn, claim.id, owner, why=why, requirement=requirement, refused=refused, in_doubt=in_doubt, now=now
            )


def _tell(conn: Connection, job: Job, tried: Try) -> None:
    """What concerns the connection as a whole, and whom a person must hear of."""
    if halt(conn, job, tried.verdict):
        return
    match tried.verdict:
        case outcomes.Abandon(why):
            alerts.raise_alert(conn, job.key, why, entity_type=tried.claim.entity_type, entity_id=tried.claim.entity_id)
            log.error("alert: event abandoned", connection=str(job.key), entity=tried.claim.entity_type,
                      entity_id=tried.claim.entity_id, cause=why.cause, mend=why.mend)  # fmt: skip


def _note_standing(conn: Connection, job: Job, closed: Sequence[Try]) -> None:
    """What the last of them says of the connection: once, however many they are."""
    verdicts = [tried.verdict for tried in closed if isinstance(tried.verdict, (outcomes.Completed, outcomes.Abandon))]
    if not verdicts:
        return
    last = verdicts[-1]
    standing.note(conn, job, last.error.message[:500] if isinstance(last, outcomes.Abandon) else None)


def _entry(job: Job, tried: Try) -> sync_log.Entry:
    claim, verdict = tried.claim, tried.verdict
    why = None if isinstance(verdict, outcomes.Completed) else verdict.error
    why = why or _told(tried)
    return sync_log.Entry(
        entity_type=claim.entity_type,
        entity_id=claim.entity_id,
        direction=Direction.TO_EXTERNAL,
        status=_log_status(verdict),
        started_at=tried.started_at,
        completed_at=job.now(),
        actor=f"worker {job.owner}",
        outcome=str(verdict.outcome) if isinstance(verdict, outcomes.Completed) else type(verdict).__name__,
        external_id=tried.external_id,
        why=why,
        in_doubt=tried.in_doubt,
        attempt=claim.attempts,
        retry_count=claim.retry_count,
        erp_request_id=tried.request_id,
        delivery_id=claim.id,
        correlation_id=claim.correlation_id,
        run_id=job.runtime.run_id,
        settings_version=job.row.settings_version,
        payloads=payloads.kept(tried.heard) if _wanted(job, tried) else None,
    )


def _wanted(job: Job, tried: Try) -> bool:
    """Whether what was said is kept: of a failure, and of everything where a tenant looks for a fault."""
    return not isinstance(tried.verdict, outcomes.Completed) or job.row.settings.diagnostic_mode


def _told(tried: Try) -> Explained | None:
    """What the log says of a completed event besides its outcome."""
    if not tried.note or not isinstance(tried.verdict, outcomes.Completed):
        return None
    if tried.verdict.outcome in DONE:
        return Explained(tried.note, "noted", "")
    return Explained(tried.note, "not-wanted", "")


def _log_status(verdict: Verdict) -> SyncStatus:
    match verdict:
        case outcomes.Completed(outcome):
            return SyncStatus.COMPLETED if outcome in DONE else SyncStatus.SKIPPED
        case outcomes.Pause() | outcomes.Park():
            return SyncStatus.PENDING
        case _:
            return SyncStatus.FAILED


def _count(job: Job, tried: Try) -> None:
    """The worker's report, and its own stop when the connection as a whole must wait."""
    claim = tried.claim
    job.tally.tried()
    match tried.verdict:
        case outcomes.Completed(outcome):
            job.tally.count(str(outcome))
            return
        case outcomes.Pause(_, why) | outcomes.Park(why):
            note(job, tried.verdict)
            status = "Pending"
        case outcomes.Retry(_, why):
            job.tally.count("Failed")
            status = "Failed"
        case outcomes.Abandon(why):
            job.tally.count("Abandoned")
            status = "Abandoned"
    job.tally.failure(claim.entity_type, claim.entity_id, status, why)
