"""From a stored notice to the applied truth. A notice is a doorbell: what counts is what the ERP says now.

So the order, loss and repetition of notices don't matter, and equal notices of a batch cost one read.
"""

from __future__ import annotations

from collections.abc import Sequence

from erp_pipelines import tracing
from erp_pipelines.commerce import payments as commerce_payments
from erp_pipelines.connectors.base import ExternalRef, Truth
from erp_pipelines.delivery import echoes, names
from erp_pipelines.delivery.apply import Applied, apply, known_as
from erp_pipelines.delivery.halting import halt, note
from erp_pipelines.delivery.job import Job
from erp_pipelines.delivery.reports import NOTICES
from erp_pipelines.domain import outcomes
from erp_pipelines.domain.errors import DatabaseDown, LockLost
from erp_pipelines.domain.events import EntityType
from erp_pipelines.domain.outcomes import explain, judge
from erp_pipelines.domain.retry import next_attempt_at
from erp_pipelines.storage import inbox, mappings
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.inbox import StoredNotice

BATCH = 500  # of which those that tell of our own writes cost nothing; the others are read a hundred at a time
NOT_APPLIED = "Changes of such records in the ERP are not applied here."
ECHO = "It tells of our own write."
UNKNOWN = "The record behind it is none of ours."


def process(job: Job, limit: int) -> int:
    """Work on up to `limit` waiting notices; how many were claimed."""
    with job.transaction() as conn:
        notices = inbox.claim(conn, job.key, now=job.now(), limit=min(limit, BATCH))
    if notices:
        job.tally.count(NOTICES, len(notices))
        links = [notice.traceparent for notice in notices]
        about: tracing.Attributes = {"erp.connection": str(job.key), "erp.notices": len(notices)}
        with tracing.span("notices", kind="consumer", links=links, attributes=about):
            _process(job, _without_echoes(job, notices))
    return len(notices)


def _without_echoes(job: Job, notices: Sequence[StoredNotice]) -> list[StoredNotice]:
    """Those worth a read. What we wrote ourselves, and kinds that nobody applies, are closed here."""
    rest: list[StoredNotice] = []
    with job.transaction() as conn:
        for notice in notices:
            reason = _idle(conn, job, notice)
            if reason:
                inbox.skip(conn, job.key, [notice.id], reason, now=job.now())
            else:
                rest.append(notice)
    return rest


def _idle(conn: Connection, job: Job, notice: StoredNotice) -> str | None:
    known = known_as(conn, job, ExternalRef(notice.external_type, notice.external_id))
    if notice.external_type not in job.kinds.money:
        if not names.is_read(job, notice.external_type):
            return NOT_APPLIED
        if known is None:
            return UNKNOWN
    return ECHO if known and echoes.notice_is_ours(notice.occurred_at, known) else None


def _process(job: Job, notices: list[StoredNotice]) -> None:
    """Read the truth behind these notices in one go and apply it document by document."""
    if not notices:
        return
    try:
        refs = sorted(_refs(job, notices))
        truth, named = job.erp.truth(refs), names.read(job, refs)
    except (LockLost, DatabaseDown):
        raise
    except Exception as error:  # noqa: BLE001 - judged like everything an ERP call provokes
        _postpone(job, notices, error)
        return
    results = {state.ref: apply(job, truth, state) for state in truth.documents}
    results |= {state.ref: names.apply(job, truth, state) for state in named}
    for notice in notices:
        _close(job, notice, [results[ref] for ref in _documents_behind(job, truth, notice) if ref in results])


def _refs(job: Job, notices: Sequence[StoredNotice]) -> set[ExternalRef]:
    """What to read: the records named, the documents of payments that we know, which may be gone by now, and who knows more."""
    refs = {ExternalRef(notice.external_type, notice.external_id) for notice in notices}
    with job.transaction() as conn:
        for ref in [ref for ref in refs if _is_payment(job, ref)]:
            refs |= _documents_of(conn, job, ref)
        for notice in notices:
            refs |= names.witnesses(conn, job, notice)
    return refs


def _is_payment(job: Job, ref: ExternalRef) -> bool:
    return job.kinds.entities.get(ref.external_type) is EntityType.PAYMENT


def _documents_of(conn: Connection, job: Job, payment: ExternalRef) -> set[ExternalRef]:
    known = known_as(conn, job, payment)
    orders = commerce_payments.orders_of(
        conn, job.key.tenant_id, job.key.provider, payment.external_id, known.entity_id if known else None
    )
    found = mappings.find(conn, job.key, EntityType.ORDER, orders)
    return {ExternalRef(mapping.external_type, mapping.external_id) for mapping in found.values()}


def _documents_behind(job: Job, truth: Truth, notice: StoredNotice) -> set[ExternalRef]:
    """The documents that this notice is about, as far as the ERP still links them."""
    named = ExternalRef(notice.external_type, notice.external_id)
    if truth.behind.get(named):
        return set(truth.behind[named])
    # A payment that is gone links nothing: every document that was read may be the one it paid.
    return {state.ref for state in truth.documents} if _is_payment(job, named) else {named}


def _close(job: Job, notice: StoredNotice, results: Sequence[Applied]) -> None:
    failed = next((result.error for result in results if result.error), None)
    now = job.now()
    with job.transaction() as conn:
        if failed:
            at = next_attempt_at(now, notice.attempts, job.runtime.jitter())
            inbox.fail(conn, job.key, [notice.id], failed, at=at)
        elif any(result.entity_id for result in results):
            inbox.complete(conn, job.key, [notice.id], now=now)
        else:
            inbox.skip(conn, job.key, [notice.id], UNKNOWN, now=now)
    if failed:
        job.tally.failure(notice.external_type, notice.external_id, "Failed", failed)


def _postpone(job: Job, notices: Sequence[StoredNotice], error: Exception) -> None:
    """The ERP could not be asked: the notices wait, with the connection where it must wait as a whole."""
    now, ids = job.now(), [notice.id for notice in notices]
    attempts = min(notice.attempts for notice in notices) - 1
    verdict = judge(error, retries=attempts, max_retries=attempts + 1, now=now, jitter=job.runtime.jitter())
    why = explain(error)
    with job.transaction() as conn:
        if halt(conn, job, verdict):
            at = verdict.until if isinstance(verdict, outcomes.Pause) else now
            inbox.give_back(conn, job.key, ids, why, at=at)
        else:
            inbox.fail(conn, job.key, ids, why, at=next_attempt_at(now, attempts, job.runtime.jitter()))
    note(job, verdict)
    job.tally.failure("Notice", f"{len(ids)} of them", "Failed", why)
