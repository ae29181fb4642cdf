"""Bringing one record into the ERP: what it needs first, then itself, bound as soon as it stands there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from erp_pipelines import tracing
from erp_pipelines.commerce import records
from erp_pipelines.connectors import leaving
from erp_pipelines.connectors.base import ExternalRef, Known, Pushed, Ref, Write
from erp_pipelines.delivery.bindings import Binding, bind, find_all, requirement, show
from erp_pipelines.delivery.job import LEASE, Job
from erp_pipelines.domain.errors import LockLost, RecordInvalid, Rejected, RequirementMissing, voided
from erp_pipelines.domain.events import CanonicalRecord, EntityType, decode
from erp_pipelines.domain.idempotency import fingerprint, request_key
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.refunds import Refund
from erp_pipelines.storage import doubts, mappings, questions, sending
from erp_pipelines.storage.deliveries import Claim
from erp_pipelines.storage.doubts import Doubt
from erp_pipelines.storage.mappings import Mapping as StoredMapping
from erp_pipelines.storage.sending import Sending

# Requirements nest two deep: a payment needs its order's customer. More would be a circle.
DEEPEST = 4


@dataclass
class Bringing:
    """One claim under way. `marked`: its first write was noted, so a crash from here on leaves it in doubt."""

    job: Job
    claim: Claim
    marked: bool = False

    @property
    def own(self) -> Ref:
        """The record that the event itself tells of."""
        return Ref(self.claim.entity_type, self.claim.entity_id)

    def mark_sending(self, write: Write) -> dt.datetime:
        """Note that a write is about to leave, and of a record that is to be made what is sent; when it was noted.

        Raises LockLost when the claim is no longer ours.
        """
        now, job = self.job.now(), self.job
        if self.marked and write.known:
            return now
        new = [what_leaves(write, self.claim)] if write.known is None else []
        with job.statements() as conn:
            ours = sending.mark(conn, job.key, job.row.id, [self.claim.id], job.owner, new, now=now, until=now + LEASE)
        if not ours:
            raise LockLost(f"Event {self.claim.id} belongs to another worker now.")
        self.marked = True
        return now


def what_leaves(write: Write, claim: Claim) -> Sending:
    """What is noted of a record that is to be made, before it leaves."""
    ref = write.ref
    return Sending(ref.entity_type, ref.entity_id, write.record.payload(), claim.key_generation, claim.id)


@dataclass(frozen=True)
class Brought:
    """The record stands in the ERP under `external_id`."""

    outcome: Outcome
    external_id: str
    request_id: str = ""
    note: str = ""


def bring(bringing: Bringing, ref: Ref, record: CanonicalRecord, depth: int = 0) -> Brought:
    """Push `record` and whatever it requires; at most one document ever stands for it.

    Nothing is sent when its body equals the last one sent. Raises the errors of `domain.errors`.
    """
    with bringing.job.alone_on(ref):
        return _bring(bringing, ref, record, depth)


def _bring(bringing: Bringing, ref: Ref, record: CanonicalRecord, depth: int) -> Brought:
    job = bringing.job
    doubt = settle_older(bringing, ref, record, depth)
    refs = resolve(bringing, record, depth)
    body = fingerprint(job.erp.body(record, refs))
    known, asked = _look(job, ref)
    if known and known.fingerprint == body:
        show(job, ref, Outcome.UNCHANGED, ExternalRef(known.external_type, known.external_id), known.external_number)
        return Brought(Outcome.UNCHANGED, known.external_id)
    if known is None and doubt is None and asked:
        raise _open_question(ref)
    write = _write(bringing, ref, record, refs, known, doubt)
    noted_at = bringing.mark_sending(write)
    about: tracing.Attributes = {"erp.entity_id": ref.entity_id, "erp.in_doubt": write.in_doubt}
    with (
        leaving.noted(noted_at, lambda: bringing.mark_sending(write)),
        tracing.span(f"push {ref.entity_type}", attributes=about) as span,
    ):
        pushed = job.erp.push(write)
        span.set({"erp.outcome": str(pushed.outcome), "erp.external_id": pushed.external_id})
    complaint = total_complaint(record, pushed)
    # Without a fingerprint the next try sends the document again instead of taking it for settled.
    bind(job, Binding(ref, pushed, None if complaint else body))
    if complaint:
        raise complaint
    return Brought(pushed.outcome, pushed.external_id, pushed.request_id, pushed.note)


def _look(job: Job, ref: Ref) -> tuple[StoredMapping | None, bool]:
    """What the record is in the ERP, and whether a person has yet to say so: of one moment."""
    with job.statements() as conn:
        known = mappings.find(conn, job.key, ref.entity_type, [ref.entity_id]).get(ref.entity_id)
        asked = questions.still_open(conn, job.key, ref.entity_type, [ref.entity_id])
    return known, bool(asked)


def _open_question(ref: Ref) -> RequirementMissing:
    """For a record that looks like one of the ERP's, until a person has decided."""
    return RequirementMissing(
        f"{ref.entity_type} {ref.entity_id} looks like a record that stands in the ERP already.",
        requirement=question(ref),
        mend="Decide under Matching which one it is, or that it is none of them; it goes on by itself.",
    )


def question(ref: Ref) -> str:
    """What an event waits for while a person is asked about this record."""
    return f"match:{ref.entity_type}:{ref.entity_id}"


def settle_older(bringing: Bringing, ref: Ref, record: CanonicalRecord, depth: int = 0) -> Doubt | None:
    """The doubt about exactly this record, if there is one: the same may be sent again, under the same key.

    If what was sent then differs from what is to be sent now, what became of it is found out first: it is adopted
    as it stands, or was proven absent. Raises AnswerLost while neither is certain.
    """
    job = bringing.job
    with job.statements() as conn:
        doubt = doubts.find(conn, job.row.id, ref.entity_type, ref.entity_id)
    if doubt is None or fingerprint(doubt.payload) == fingerprint(record.payload()):
        return doubt
    older = decode(ref.entity_type, dict(doubt.payload))
    left = job.erp.find(_write(bringing, ref, older, resolve(bringing, older, depth), None, doubt))
    if left is not None:
        bind(job, Binding(ref, left, None))
        return None
    with job.transaction() as conn:
        doubts.end(conn, job.row.id, [(ref.entity_type, ref.entity_id)])
    return None


def _write(
    bringing: Bringing,
    ref: Ref,
    record: CanonicalRecord,
    refs: Mapping[Ref, str],
    known: StoredMapping | None,
    doubt: Doubt | None,
) -> Write:
    claim = bringing.claim
    generation = doubt.key_generation if doubt else claim.key_generation
    return Write(
        ref=ref,
        record=record,
        refs=refs,
        known=Known(known.external_id, known.sync_token, known.external_type, known.snapshot) if known else None,
        key=request_keys(bringing.job, ref, record, generation),
        in_doubt=doubt is not None or (claim.in_doubt and ref == bringing.own),
        doubt_since=doubt.sent_at if doubt else None,
        keyed=doubt is None or not doubt.keyless,
    )


def request_keys(job: Job, ref: Ref, record: CanonicalRecord, generation: int) -> Callable[[str], str]:
    """The keys of the writes of one record, by purpose."""
    content, connection_id = fingerprint(record.payload()), job.row.id
    return lambda purpose: request_key(connection_id, ref.entity_type, ref.entity_id, purpose, content, generation)


def resolve(bringing: Bringing, record: CanonicalRecord, depth: int) -> dict[Ref, str]:
    """The ERP ids of all that the record requires; what is missing there is brought first."""
    if depth >= DEEPEST:
        raise RecordInvalid("The records require each other in a circle.")
    wanted = list(bringing.job.erp.requirements(record))
    if isinstance(record, (Payment, Refund)):
        wanted.append(Ref(EntityType.CUSTOMER, _customer_of(bringing.job, record)))
    known = find_all(bringing.job, wanted)
    return {ref: known.get(ref) or _brought(bringing, ref, depth) for ref in wanted}


def _brought(bringing: Bringing, ref: Ref, depth: int) -> str:
    """The ERP's id of what was not there yet."""
    if ref.entity_type == EntityType.ORDER:
        raise RequirementMissing(
            f"Order {ref.entity_id} is not in the ERP yet.",
            requirement=requirement(ref),
            mend=f"Bring order {ref.entity_id} there first; this follows by itself.",
        )
    try:
        return bring(bringing, ref, _load(bringing.job, ref), depth + 1).external_id
    except (Rejected, RecordInvalid) as error:
        missing = RequirementMissing(
            f"{ref.entity_type} {ref.entity_id}, which it needs, could not be brought there: {error.message}",
            requirement=requirement(ref),
            mend=error.mend,
        )
        missing.rule = error.rule if isinstance(error, Rejected) else None  # its owner is this one's
        raise missing from error


def _load(job: Job, ref: Ref) -> CanonicalRecord:
    with job.statements() as conn:
        record = records.load(conn, job.key.tenant_id, ref.entity_type, ref.entity_id)
    if record is None:
        raise RecordInvalid(
            f"There is no {ref.entity_type.lower()} {ref.entity_id}.",
            mend=f"Save it, or emit an event for {ref.entity_type} {ref.entity_id}.",
        )
    return record


def _customer_of(job: Job, money: Payment | Refund) -> str:
    order = _load(job, Ref(EntityType.ORDER, money.order_id))
    if not isinstance(order, Order):
        raise RecordInvalid(f"{money.order_id} is no order.")
    return order.customer_id


def total_complaint(record: CanonicalRecord, pushed: Pushed) -> Rejected | None:
    """A document whose total is not the record's is never taken for done, nor one that a person has voided."""
    if pushed.void:
        return voided(pushed.external_type, pushed.external_number or pushed.external_id)
    if not isinstance(record, (Order, Refund)) or pushed.total in {None, record.amount_due}:
        return None
    what = f"order {record.number}" if isinstance(record, Order) else f"refund {record.id}"
    difference = (pushed.total or Decimal(0)) - record.amount_due
    return Rejected(
        f"{pushed.external_type} {pushed.external_number or pushed.external_id} comes to {pushed.total}, "
        f"{what} to {record.amount_due}: a difference of {difference}.",
        cause="total-differs",
        mend="Look at the document's taxes and discounts there, correct them or the record here, and retry.",
        definitive=False,
    )
