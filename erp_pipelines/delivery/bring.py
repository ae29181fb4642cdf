"""Bringing one record into the ERP: what it needs first, then itself, bound as soon as it stands there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from erp_pipelines.commerce import records
from erp_pipelines.connectors.base import ExternalRef, Known, Pushed, Ref, Write
from erp_pipelines.delivery.job import LEASE, Job
from erp_pipelines.delivery.reports import Document
from erp_pipelines.domain.errors import LockLost, RecordInvalid, Rejected, RequirementMissing
from erp_pipelines.domain.events import CanonicalRecord, EntityType
from erp_pipelines.domain.idempotency import fingerprint, request_key
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.payments import Payment
from erp_pipelines.storage import deliveries, mappings, requeue
from erp_pipelines.storage.deliveries import Claim
from erp_pipelines.storage.mappings import Mapping as StoredMapping

# Requirements nest two deep: a payment needs its order's customer. More would be a circle.
DEEPEST = 4


@dataclass
class Bringing:
    """One claim under way. `marked`: its first write was noted, so a crash from here on leaves it in doubt."""

    job: Job
    claim: Claim
    marked: bool = False

    def found_an_older_state(self, ref: Ref) -> bool:
        """Whether a document that was found is the trace of an earlier event, which knew less than this one."""
        mine = ref == Ref(self.claim.entity_type, self.claim.entity_id)
        return mine and self.claim.in_doubt and not self.claim.own_doubt

    def mark_sending(self) -> None:
        """Note that a write is about to leave. Raises LockLost when the claim is no longer ours."""
        if self.marked:
            return
        now = self.job.now()
        with self.job.transaction() as conn:
            ours = deliveries.mark_sending(
                conn, self.job.row.id, self.claim.id, self.job.owner, now=now, until=now + LEASE
            )
        if not ours:
            raise LockLost(f"Event {self.claim.id} belongs to another worker now.")
        self.marked = True


@dataclass(frozen=True)
class Brought:
    """The record stands in the ERP under `external_id`."""

    outcome: Outcome
    external_id: str
    request_id: str = ""


def bring(bringing: Bringing, ref: Ref, record: CanonicalRecord, depth: int = 0) -> Brought:
    """Push `record` and whatever it requires; at most one document ever stands for it.

    Nothing is sent when its body equals the last one sent. Raises the errors of `domain.errors`.
    """
    job = bringing.job
    refs = resolve(bringing, record, depth)
    body = fingerprint(job.erp.body(record, refs))
    known = find(job, ref)
    if known and known.fingerprint == body:
        _show(job, ref, Outcome.UNCHANGED, ExternalRef(known.external_type, known.external_id), known.external_number)
        return Brought(Outcome.UNCHANGED, known.external_id)
    bringing.mark_sending()
    pushed = job.erp.push(_write(bringing, ref, record, refs, known))
    if pushed.outcome is Outcome.ADOPTED and bringing.found_an_older_state(ref):
        bind(job, ref, pushed, None)
        return bring(bringing, ref, record, depth + 1)
    complaint = total_complaint(record, pushed)
    # Without a fingerprint the next try sends the document again instead of taking it for settled.
    bind(job, ref, pushed, None if complaint else body)
    if complaint:
        raise complaint
    return Brought(pushed.outcome, pushed.external_id, pushed.request_id)


def _write(
    bringing: Bringing, ref: Ref, record: CanonicalRecord, refs: Mapping[Ref, str], known: StoredMapping | None
) -> Write:
    content = fingerprint(record.payload())
    claim, connection_id = bringing.claim, bringing.job.row.id
    return Write(
        ref=ref,
        record=record,
        refs=refs,
        known=Known(known.external_id, known.sync_token) if known else None,
        key=lambda purpose: request_key(
            connection_id, ref.entity_type, ref.entity_id, purpose, content, claim.key_generation
        ),
        in_doubt=claim.in_doubt,
        doubt_since=claim.sent_at if claim.in_doubt else None,
    )


def resolve(bringing: Bringing, record: CanonicalRecord, depth: int) -> dict[Ref, str]:
    """The ERP ids of all that the record requires; what is missing there is brought first."""
    if depth >= DEEPEST:
        raise RecordInvalid("The records require each other in a circle.")
    wanted = list(bringing.job.erp.requirements(record))
    if isinstance(record, Payment):
        wanted.append(Ref(EntityType.CUSTOMER, _customer_of(bringing.job, record)))
    return {ref: _external_id(bringing, ref, depth) for ref in wanted}


def _external_id(bringing: Bringing, ref: Ref, depth: int) -> str:
    known = find(bringing.job, ref)
    if known:
        return known.external_id
    if ref.entity_type == EntityType.ORDER:
        raise RequirementMissing(
            f"Order {ref.entity_id} is not in the ERP yet.",
            requirement=requirement(ref),
            mend=f"Bring order {ref.entity_id} there first; this payment follows by itself.",
        )
    try:
        return bring(bringing, ref, _load(bringing.job, ref), depth + 1).external_id
    except (Rejected, RecordInvalid) as error:
        raise RequirementMissing(
            f"{ref.entity_type} {ref.entity_id}, which it needs, could not be brought there: {error.message}",
            requirement=requirement(ref),
            mend=error.mend,
        ) from error


def _load(job: Job, ref: Ref) -> CanonicalRecord:
    with job.transaction() as conn:
        record = records.load(conn, job.key.tenant_id, ref.entity_type, ref.entity_id)
    if record is None:
        raise RecordInvalid(
            f"There is no {ref.entity_type.lower()} {ref.entity_id}.",
            mend=f"Save it, or emit an event for {ref.entity_type} {ref.entity_id}.",
        )
    return record


def _customer_of(job: Job, payment: Payment) -> str:
    order = _load(job, Ref(EntityType.ORDER, payment.order_id))
    if not isinstance(order, Order):
        raise RecordInvalid(f"{payment.order_id} is no order.")
    return order.customer_id


def find(job: Job, ref: Ref) -> StoredMapping | None:
    with job.transaction() as conn:
        return mappings.find(conn, job.key, ref.entity_type, [ref.entity_id]).get(ref.entity_id)


def requirement(ref: Ref) -> str:
    """What an event waits for when this record is missing in the ERP."""
    return f"mapping:{ref.entity_type}:{ref.entity_id}"


def bind(job: Job, ref: Ref, pushed: Pushed, body: str | None) -> None:
    """Commit the ERP's id before anything else happens, and make due what waited for it."""
    now = job.now()
    with job.transaction() as conn:
        mappings.bind(
            conn,
            job.key,
            entity_type=ref.entity_type,
            entity_id=ref.entity_id,
            external_id=pushed.external_id,
            external_type=pushed.external_type,
            number=pushed.external_number,
            sync_token=pushed.sync_token,
            fingerprint=body,
            balance=pushed.balance,
            updated_at=pushed.updated_at,
            now=now,
        )
        requeue.requirement_met(conn, job.row.id, requirement(ref), now=now)
    _show(job, ref, pushed.outcome, ExternalRef(pushed.external_type, pushed.external_id), pushed.external_number)


def _show(job: Job, ref: Ref, outcome: Outcome, there: ExternalRef, number: str | None) -> None:
    """For the worker's report."""
    document = Document(
        ref.entity_type, ref.entity_id, outcome, there.external_type, there.external_id, number, job.url(there)
    )
    job.tally.document(document)


def total_complaint(record: CanonicalRecord, pushed: Pushed) -> Rejected | None:
    """A document whose total is not the order's is never taken for done."""
    if not isinstance(record, Order) or pushed.total is None or pushed.total == record.amount_due:
        return None
    difference: Decimal = pushed.total - record.amount_due
    return Rejected(
        f"{pushed.external_type} {pushed.external_number or pushed.external_id} comes to {pushed.total}, "
        f"order {record.number} to {record.amount_due}: a difference of {difference}.",
        cause="total-differs",
        mend="Look at the document's taxes and discounts there, correct them or the order, and retry.",
        definitive=False,
    )
