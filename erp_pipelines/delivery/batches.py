"""Bringing many records at once: every promise of the single way holds for each item of a batch.

What is to be sent is committed before, the ERP's ids at once after, and each event is settled by its own verdict. What needs
a look first, a requirement that is missing or a second try goes the single way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from erp_pipelines import tracing
from erp_pipelines.connectors import leaving
from erp_pipelines.connectors.base import BatchSession, Known, Pushed, Ref, Write
from erp_pipelines.connectors.exchanges import LAST, Exchange, overheard
from erp_pipelines.delivery.bindings import Binding, bind, known_of
from erp_pipelines.delivery.bring import request_keys, total_complaint, what_leaves
from erp_pipelines.delivery.job import LEASE, Job
from erp_pipelines.delivery.outbound import MOST_ATTEMPTS, deliver_one, failed
from erp_pipelines.delivery.settle import Try, settle
from erp_pipelines.delivery.wanted import unwanted
from erp_pipelines.domain import outcomes
from erp_pipelines.domain.errors import LockLost, NameTaken, PipelineError, RecordInvalid, Rejected, StaleVersion
from erp_pipelines.domain.events import CanonicalRecord, EntityType, decode
from erp_pipelines.domain.idempotency import fingerprint
from erp_pipelines.domain.payments import Payment
from erp_pipelines.storage import commerce_orders, doubts, questions, sending
from erp_pipelines.storage.deliveries import Claim
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.mappings import Mapping as StoredMapping

# Of these nothing was done, and the single way knows what to do about them.
AGAIN_ALONE = (NameTaken, StaleVersion)


@dataclass(frozen=True)
class Ready:
    """A claim whose record can be sent as it is. `body` is the fingerprint of what is sent."""

    claim: Claim
    write: Write
    body: str


@dataclass
class Plan:
    """What this round does with its claims. `later` waits for records that go in this round."""

    ready: list[Ready] = field(default_factory=list)
    alone: list[Claim] = field(default_factory=list)
    later: list[Claim] = field(default_factory=list)


def deliver(job: Job, erp: BatchSession, claims: Sequence[Claim], stop: Callable[[], bool]) -> list[Claim]:
    """Work on these claims, which are of different entities; those that were not taken up, in the end or at a stop."""
    waiting = list(claims)
    while waiting and not (job.tally.parked or stop()):
        plan = _plan(job, erp, waiting)
        if len(plan.ready) < erp.batch_least:
            return waiting
        left = _send_all(job, erp, plan.ready, stop)
        waiting = [*left, *plan.alone, *plan.later]
        if left or not plan.later:
            break
    return waiting


def _send_all(job: Job, erp: BatchSession, ready: Sequence[Ready], stop: Callable[[], bool]) -> list[Claim]:
    """In batches as full as can be; the claims of those that were not sent."""
    for start in range(0, len(ready), erp.batch_size):
        if job.tally.parked or stop():
            return [one.claim for one in ready[start:]]
        _send(job, erp, ready[start : start + erp.batch_size])
    return []


# --- what may go -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Known:
    """What the database knows of all records that a round is about."""

    mappings: Mapping[Ref, StoredMapping]
    customers: Mapping[str, str]  # by order
    sending: frozenset[Ref]
    asked: frozenset[Ref]  # a person has yet to say what they are

    def requirements(self, erp: BatchSession, record: CanonicalRecord) -> list[Ref] | None:
        """As the single way resolves them; None where that must load more."""
        wanted = list(erp.requirements(record))
        if isinstance(record, Payment):
            if record.order_id not in self.customers:
                return None
            wanted.append(Ref(EntityType.CUSTOMER, self.customers[record.order_id]))
        return wanted


def _plan(job: Job, erp: BatchSession, claims: Sequence[Claim]) -> Plan:
    plan, records = Plan(), dict[str, CanonicalRecord]()
    for claim in claims:
        record = _decoded(claim)
        if record is None:
            plan.alone.append(claim)
        else:
            records[claim.id] = record
    known = _known(job, erp, [(claim, records[claim.id]) for claim in claims if claim.id in records])
    for claim in claims:
        if claim.id in records:
            _sort_in(job, erp, plan, known, claim, records[claim.id])
    return plan


def _decoded(claim: Claim) -> CanonicalRecord | None:
    """The record of an event that nothing is odd about."""
    if claim.superseded or claim.in_doubt or claim.attempts > MOST_ATTEMPTS:
        return None
    try:
        return decode(claim.entity_type, dict(claim.payload))
    except RecordInvalid:
        return None


def _known(job: Job, erp: BatchSession, pairs: Sequence[tuple[Claim, CanonicalRecord]]) -> _Known:
    """Everything in a query for each kind of record."""
    sending = frozenset(_ref(claim) for claim, _ in pairs)
    order_ids = [record.order_id for _, record in pairs if isinstance(record, Payment)]
    with job.transaction() as conn:
        customers = commerce_orders.customers_of(conn, job.key.tenant_id, order_ids) if order_ids else {}
        refs = set(sending) | {Ref(EntityType.CUSTOMER, customer) for customer in customers.values()}
        refs |= {ref for _, record in pairs for ref in erp.requirements(record)}
        return _Known(known_of(conn, job, refs), customers, sending, _asked(conn, job, sending))


def _asked(conn: Connection, job: Job, refs: Collection[Ref]) -> frozenset[Ref]:
    found: set[Ref] = set()
    for kind in sorted({ref.entity_type for ref in refs}):
        ids = sorted(ref.entity_id for ref in refs if ref.entity_type == kind)
        found |= {Ref(kind, one) for one in questions.still_open(conn, job.key, kind, ids)}
    return frozenset(found)


def _sort_in(job: Job, erp: BatchSession, plan: Plan, known: _Known, claim: Claim, record: CanonicalRecord) -> None:
    required = known.requirements(erp, record)
    missing = [ref for ref in required if ref not in known.mappings] if required is not None else []
    if missing and all(ref in known.sending for ref in missing):
        plan.later.append(claim)
        return
    refs = {ref: known.mappings[ref].external_id for ref in required or () if ref in known.mappings}
    ready = (
        None
        if missing or required is None or _ref(claim) in known.asked
        else _ready(job, erp, claim, record, refs, known.mappings.get(_ref(claim)))
    )
    if ready is None:
        plan.alone.append(claim)
    else:
        plan.ready.append(ready)


def _ready(
    job: Job,
    erp: BatchSession,
    claim: Claim,
    record: CanonicalRecord,
    refs: Mapping[Ref, str],
    known: StoredMapping | None,
) -> Ready | None:
    """None for what is not to be sent at all, or not without a look: the single way says why."""
    if known is None and not isinstance(record, Payment) and unwanted(record, job.row.settings):
        return None
    if known is None and erp.unwanted(record):
        return None
    try:
        body = fingerprint(erp.body(record, refs))
    except PipelineError:
        return None
    write = Write(
        ref=_ref(claim),
        record=record,
        refs=refs,
        known=Known(known.external_id, known.sync_token, known.external_type, known.snapshot) if known else None,
        key=request_keys(job, _ref(claim), record, claim.key_generation),
    )
    changed = known is None or known.fingerprint != body
    return Ready(claim, write, body) if changed and erp.may_batch(write) else None


def _ref(claim: Claim) -> Ref:
    return Ref(claim.entity_type, claim.entity_id)


# --- one batch ---------------------------------------------------------------------------


def _send(job: Job, erp: BatchSession, batch: Sequence[Ready]) -> None:
    """Noted, sent, bound, settled; then alone what another try alone can mend."""
    with tracing.span(
        "push batch", kind="consumer", links=[one.claim.traceparent for one in batch],
        attributes={"erp.connection": str(job.key), "erp.events": len(batch)},
    ):  # fmt: skip
        _send_traced(job, erp, batch)


def _send_traced(job: Job, erp: BatchSession, batch: Sequence[Ready]) -> None:
    started_at = job.now()
    noted_at = _mark_sending(job, batch)
    with leaving.noted(noted_at, lambda: _mark_sending(job, batch)), overheard(last=2 * len(batch) + LAST) as heard:
        results: list[Pushed | Exception] = list(erp.push_batch([one.write for one in batch]))
    results = _bind(job, batch, results)
    pairs = list(zip(batch, results, strict=True))
    again = [one.claim for one, result in pairs if isinstance(result, AGAIN_ALONE)]
    tries = (_try(job, one, result, started_at, heard) for one, result in pairs if one.claim not in again)
    settle(job, *tries)
    if again and not job.tally.parked:
        _again_alone(job, again)


def _mark_sending(job: Job, batch: Sequence[Ready]) -> dt.datetime:
    """Before anything leaves: every one of them may have happened, and what was sent of those that are new; when it was noted."""
    now, ids = job.now(), [one.claim.id for one in batch]
    new = [what_leaves(one.write, one.claim) for one in batch if one.write.known is None]
    with job.statements() as conn:
        ours = sending.mark(conn, job.key, job.row.id, ids, job.owner, new, now=now, until=now + LEASE, keyless=True)
    if not ours:
        raise LockLost("An event of a batch belongs to another worker now.")
    return now


def _bind(job: Job, batch: Sequence[Ready], results: Sequence[Pushed | Exception]) -> list[Pushed | Exception]:
    """Commit every id in one transaction; what its record complains of is its result from here on."""
    complaints = [
        total_complaint(one.write.record, result) if isinstance(result, Pushed) else None
        for one, result in zip(batch, results, strict=True)
    ]
    bindings = [
        Binding(one.write.ref, result, None if complaint else one.body) if isinstance(result, Pushed) else None
        for one, result, complaint in zip(batch, results, complaints, strict=True)
    ]
    refused = _bind_together(job, [binding for binding in bindings if binding])
    return [
        (refused.get(binding.ref) if binding else None) or complaint or result
        for binding, complaint, result in zip(bindings, complaints, results, strict=True)
    ]


def _bind_together(job: Job, bindings: Sequence[Binding]) -> dict[Ref, Rejected]:
    """All at once; where one of them cannot be bound, each by itself, so that it is the only one."""
    try:
        bind(job, *bindings)
    except Rejected:
        refused: dict[Ref, Rejected] = {}
        for binding in bindings:
            try:
                bind(job, binding)
            except Rejected as error:
                refused[binding.ref] = error
        return refused
    return {}


def _try(job: Job, one: Ready, result: Pushed | Exception, started_at: dt.datetime, heard: Sequence[Exchange]) -> Try:
    own = _own(one, heard)
    if isinstance(result, Exception):
        return replace(failed(job, one.claim, result, started_at), heard=own)
    verdict = outcomes.Completed(result.outcome)
    return Try(one.claim, verdict, started_at, False, result.external_id, result.request_id, result.note, own)


def _own(one: Ready, heard: Sequence[Exchange]) -> tuple[Exchange, ...]:
    """What was said about this record; where nobody answered, that."""
    return tuple(said for said in heard if said.ref == one.write.ref or said.answer is None)


def _again_alone(job: Job, claims: Sequence[Claim]) -> None:
    """The refusal has settled that nothing of them was done: no doubt stands in the way of the next try."""
    with job.transaction() as conn:
        for claim in claims:
            doubts.end_noted_by(conn, claim.id)
    for claim in claims:
        deliver_one(job, claim)
