"""From a due event to its verdict. A poison event is its own verdict; only PostgreSQL or the program can fail a worker."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import structlog

from erp_pipelines.commerce import records
from erp_pipelines.connectors.base import Ref
from erp_pipelines.delivery.bindings import find
from erp_pipelines.delivery.bring import Bringing, bring, settle_older
from erp_pipelines.delivery.job import LEASE, Job
from erp_pipelines.delivery.settle import Try, settle
from erp_pipelines.delivery.wanted import unwanted
from erp_pipelines.domain import outcomes
from erp_pipelines.domain.errors import AnswerLost, DatabaseDown, LockLost, RecordInvalid, Rejected
from erp_pipelines.domain.events import CanonicalRecord, EntityType, decode
from erp_pipelines.domain.outcomes import Outcome, judge
from erp_pipelines.domain.payments import Payment
from erp_pipelines.storage import deliveries
from erp_pipelines.storage.deliveries import Claim

log = structlog.get_logger("erp.delivery")

# Claimed at once for each place in flight: few enough that a dead worker leaves little behind, enough to spare commits.
BATCH = 20
# An event that has seen this many workers die is more likely their killer than their victim.
MOST_ATTEMPTS = 40


def deliver(job: Job, limit: int, entity_types: Collection[str] | None, stop: Callable[[], bool]) -> int:
    """Work on up to `limit` due events, oldest first; how many were claimed.

    One after the other, or as many at once as the provider bears: claims never hold two events of one entity. Ends
    early, giving the rest back, when the connection must wait or `stop` says so.
    """
    now = job.now()
    with job.transaction() as conn:
        claims = deliveries.claim(
            conn,
            job.row.id,
            job.owner,
            now=now,
            until=now + LEASE,
            limit=min(limit, BATCH * job.places.most),
            entity_types=sorted(entity_types) if entity_types is not None else None,
        )
    left = _Left(claims)
    if job.places.most > 1 and len(claims) > 1:
        _several_at_once(job, left, stop)
    else:
        _one_by_one(job, left, stop)
    _give_back(job, left.rest())
    return len(claims)


class _Left:
    """The claims nobody has taken up yet; safe between threads."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self._claims = deque(claims)

    def take(self) -> Claim | None:
        try:
            return self._claims.popleft()
        except IndexError:
            return None

    def rest(self) -> list[Claim]:
        return list(self._claims)


def _one_by_one(job: Job, left: _Left, stop: Callable[[], bool]) -> None:
    while not (job.tally.parked or stop()):
        claim = left.take()
        if claim is None:
            return
        deliver_one(job, claim)


def _several_at_once(job: Job, left: _Left, stop: Callable[[], bool]) -> None:
    """A thread for each place; the first failure that ends the worker lets the others finish what they are at."""
    ended: list[Exception] = []

    def work() -> None:
        try:
            _one_by_one(job, left, lambda: bool(ended) or stop())
        except (LockLost, DatabaseDown) as error:
            ended.append(error)
            raise

    with ThreadPoolExecutor(job.places.most, thread_name_prefix="deliver") as pool:
        threads = [pool.submit(work) for _ in range(job.places.most)]
    if ended:
        raise ended[0]
    for thread in threads:
        thread.result()


def _give_back(job: Job, claims: Sequence[Claim]) -> None:
    if not claims:
        return
    with job.transaction() as conn:
        for claim in claims:
            deliveries.give_back(conn, claim.id, job.owner, why=None, in_doubt=claim.in_doubt)


def deliver_one(job: Job, claim: Claim) -> None:
    """One try at one claim, settled."""
    started_at = job.now()
    bringing = Bringing(job, claim)
    try:
        done = _attempt(bringing)
    except (LockLost, DatabaseDown):
        raise
    except Exception as error:  # noqa: BLE001 - whatever an event provokes is its own verdict
        settle(job, _failed(job, claim, error, started_at))
        return
    settle(
        job,
        Try(claim, outcomes.Completed(done.outcome), started_at, False, done.external_id, done.request_id, done.note),
    )


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
    if in_doubt or find(job, ref):
        return None
    general = _unwanted_payment(job, record) if isinstance(record, Payment) else unwanted(record, job.row.settings)
    return general or job.erp.unwanted(record)


def _unwanted_payment(job: Job, payment: Payment) -> str | None:
    """A payment of an order that is no document yet comes again when the order becomes one."""
    if find(job, Ref(EntityType.ORDER, payment.order_id)):
        return None
    with job.transaction() as conn:
        order = records.load(conn, job.key.tenant_id, EntityType.ORDER, payment.order_id)
    return unwanted(order, job.row.settings) if order else None


def _failed(job: Job, claim: Claim, error: Exception, started_at: dt.datetime) -> Try:
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
    why = outcomes.explain(error)
    if why.cause == "bug":
        log.error("event provoked an error of the program", connection=str(job.key), delivery=claim.id, exc_info=error)
    return Try(claim, verdict, started_at, still_in_doubt(claim, error), request_id=why.request_id)


def still_in_doubt(claim: Claim, error: Exception) -> bool:
    """A doubt ends with the ERP's definitive word, not with a failure to ask for it."""
    if isinstance(error, AnswerLost):
        return True
    return claim.in_doubt and not (isinstance(error, Rejected) and error.definitive)
