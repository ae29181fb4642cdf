"""From a due event to its verdict. A poison event is its own verdict; only PostgreSQL or the program can fail a worker."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import structlog

from erp_pipelines import tracing
from erp_pipelines.commerce import records
from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.exchanges import overheard
from erp_pipelines.delivery.bindings import find
from erp_pipelines.delivery.bring import Bringing, bring, settle_older
from erp_pipelines.delivery.job import Job
from erp_pipelines.delivery.settle import Try, settle
from erp_pipelines.delivery.wanted import unwanted
from erp_pipelines.domain import outcomes
from erp_pipelines.domain.errors import AnswerLost, DatabaseDown, LockLost, RecordInvalid, Rejected
from erp_pipelines.domain.events import CanonicalRecord, EntityType, decode
from erp_pipelines.domain.outcomes import Outcome, judge
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.refunds import Refund
from erp_pipelines.storage.deliveries import Claim

log = structlog.get_logger("erp.delivery")

# An event that has seen this many workers die is more likely their killer than their victim.
MOST_ATTEMPTS = 40


def deliver_one(job: Job, claim: Claim) -> None:
    """One try at one claim, settled."""
    about: tracing.Attributes = {
        "erp.connection": str(job.key),
        "erp.entity_id": claim.entity_id,
        "erp.attempt": claim.attempts,
    }
    with tracing.span(
        f"deliver {claim.event_type}", kind="consumer", parent=claim.traceparent, attributes=about
    ) as span:
        with overheard() as heard:
            tried = _try(job, claim)
        span.set({"erp.verdict": type(tried.verdict).__name__})
        settle(job, replace(tried, heard=tuple(heard)))


def _try(job: Job, claim: Claim) -> Try:
    started_at = job.now()
    try:
        done = _attempt(Bringing(job, claim))
    except (LockLost, DatabaseDown):
        raise
    except Exception as error:  # noqa: BLE001 - whatever an event provokes is its own verdict
        return failed(job, claim, error, started_at)
    verdict = outcomes.Completed(done.outcome)
    return Try(claim, verdict, started_at, False, done.external_id, done.request_id, done.note)


@dataclass(frozen=True)
class Done:
    outcome: Outcome
    external_id: str | None = None
    request_id: str = ""
    note: str = ""


def _attempt(bringing: Bringing) -> Done:
    job, claim = bringing.job, bringing.claim
    if claim.superseded:  # and whatever is in doubt about the record is settled by the later event
        return Done(Outcome.SUPERSEDED, note="A later event carries the newer state.")
    if claim.attempts > MOST_ATTEMPTS:
        raise RecordInvalid(
            f"{claim.attempts} workers have ended over this event.", mend="Look up the runs' logs, then retry it."
        )
    record = decode(claim.entity_type, dict(claim.payload))
    ref = Ref(claim.entity_type, claim.entity_id)
    in_doubt = claim.in_doubt and settle_older(bringing, ref, record) is not None
    reason = _unwanted(job, ref, record, in_doubt=in_doubt)
    if reason:
        return Done(Outcome.NOT_WANTED, note=reason)
    brought = bring(bringing, ref, record)
    return Done(brought.outcome, brought.external_id, brought.request_id, brought.note)


def _unwanted(job: Job, ref: Ref, record: CanonicalRecord, *, in_doubt: bool) -> str | None:
    """Why nothing is to be sent. What stands in the ERP, or may stand there, is always followed up."""
    if in_doubt:
        return None
    reason = _unwanted_here(job, record) or job.erp.unwanted(record)
    return None if reason is None or find(job, ref) else reason


def _unwanted_here(job: Job, record: CanonicalRecord) -> str | None:
    if isinstance(record, (Payment, Refund)):
        return _unwanted_money(job, record)
    return unwanted(record, job.row.settings)


def _unwanted_money(job: Job, money: Payment | Refund) -> str | None:
    """What was paid or given back for an order that is no document yet comes again when the order becomes one."""
    ids = [part.order_id for part in money.parts] if isinstance(money, Payment) else [money.order_id]
    return next((reason for order_id in ids if (reason := _unwanted_order(job, order_id))), None)


def _unwanted_order(job: Job, order_id: str) -> str | None:
    if find(job, Ref(EntityType.ORDER, order_id)):
        return None
    with job.statements() as conn:
        order = records.load(conn, job.key.tenant_id, EntityType.ORDER, order_id)
    return unwanted(order, job.row.settings) if order else None


def failed(job: Job, claim: Claim, error: Exception, started_at: dt.datetime) -> Try:
    """A try that ended in this error, with the verdict on it."""
    verdict = judge(
        error,
        retries=claim.retry_count,
        max_retries=claim.max_retries,
        now=job.now(),
        jitter=job.runtime.jitter(),
    )
    if isinstance(error, Rejected) and error.rule and error.unclassified and isinstance(verdict, outcomes.Abandon):
        # A code that nobody knows is a "no" to a first try; after a doubt it may mean that the first one was done.
        verdict = replace(verdict, refused=not claim.in_doubt)
    if outcomes.explain(error).cause == "bug":
        log.error("event provoked an error of the program", connection=str(job.key), delivery=claim.id, exc_info=error)
    return Try(claim, verdict, started_at, still_in_doubt(claim, error))


def still_in_doubt(claim: Claim, error: Exception) -> bool:
    """A doubt ends with the ERP's definitive word, not with a failure to ask for it."""
    if isinstance(error, AnswerLost):
        return True
    return claim.in_doubt and not (isinstance(error, Rejected) and error.definitive)
