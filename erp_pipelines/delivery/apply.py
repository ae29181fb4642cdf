"""Taking over what the ERP says of one document: its balance, its payments, its total, or that it is gone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog

from erp_pipelines.commerce import payments as commerce_payments
from erp_pipelines.commerce import records
from erp_pipelines.connectors.base import DocumentState, ExternalRef, PaymentState, Truth
from erp_pipelines.delivery.job import Job
from erp_pipelines.domain.errors import DatabaseDown, LockLost
from erp_pipelines.domain.events import EntityType
from erp_pipelines.domain.orders import Order, OrderStatus
from erp_pipelines.domain.outcomes import Explained, explain
from erp_pipelines.domain.states import Direction, SyncStatus
from erp_pipelines.storage import alerts, binding, deliveries, drifts, mappings, sync_log
from erp_pipelines.storage.binding import Pair
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.mappings import Mapping as StoredMapping

log = structlog.get_logger("erp.delivery")


def known_as(conn: Connection, job: Job, ref: ExternalRef) -> StoredMapping | None:
    """The mapping of the record of ours that this one of the ERP's stands for."""
    entity = job.kinds.entities.get(ref.external_type)
    return mappings.find_external(conn, job.key, entity, [ref.external_id]).get(ref.external_id) if entity else None


@dataclass(frozen=True)
class Applied:
    """What became of one record of the ERP's. `entity_id` is None when it is none of ours."""

    entity_id: str | None
    changed: bool = False
    error: Explained | None = None


def apply(job: Job, truth: Truth, state: DocumentState) -> Applied:
    """Take over one document's state in one transaction; an order that can't take it doesn't hold up the others."""
    started_at = job.now()
    try:
        with job.transaction() as conn:
            known = known_as(conn, job, state.ref)
            if known is None:
                return Applied(None)
            changed = _take_over(conn, job, truth, state, known, started_at)
            return Applied(known.entity_id, changed)
    except (LockLost, DatabaseDown):
        raise
    except Exception as error:
        log.exception(
            "a document's state could not be applied", connection=str(job.key), document=state.ref.external_id
        )
        return Applied(None, error=explain(error))


def _take_over(
    conn: Connection, job: Job, truth: Truth, state: DocumentState, known: StoredMapping, started_at: dt.datetime
) -> bool:
    if state.gone:
        return _report_gone(conn, job, state, known, started_at)
    order_is_ahead = deliveries.has_open(conn, job.row.id, known.entity_type, known.entity_id)
    mappings.seen(
        conn,
        job.key,
        entity_type=known.entity_type,
        external_id=known.external_id,
        sync_token=state.sync_token,
        balance=state.balance,
        total=state.total,
        updated_at=state.updated_at,
    )
    _know_our_own(conn, job, truth, state, known.entity_id)
    changed = commerce_payments.apply_from_erp(
        conn,
        job.key.tenant_id,
        known.entity_id,
        provider=job.key.provider,
        total=state.total,
        balance=state.balance,
        payments=_payments(job, truth, state),
        ours=_sent_by_us(conn, job, truth),
        document_is_behind=order_is_ahead,
    )
    if not order_is_ahead:
        _compare_total(conn, job, state, known)
    if changed:
        log_applied(conn, job, known, started_at, "Applied", None)
    return changed


def _compare_total(conn: Connection, job: Job, state: DocumentState, known: StoredMapping) -> None:
    """A document that somebody gave other amounts there is drift: our order keeps its own."""
    order = records.load(conn, job.key.tenant_id, known.entity_type, known.entity_id)
    differs = isinstance(order, Order) and order.amount_due != state.total
    found = {"total": (f"{order.amount_due:f}", f"{state.total:f}")} if differs and isinstance(order, Order) else {}
    drifts.put(conn, job.key, known.entity_type, known.entity_id, known.external_id, found, now=job.now())


def _know_our_own(conn: Connection, job: Job, truth: Truth, state: DocumentState, order_id: str) -> None:
    """A payment of ours whose answer was lost, met before its event was settled: it must not count as theirs too."""
    ours = {payment.id for payment in commerce_payments.host_payments(conn, job.key.tenant_id, order_id)}
    for payment in truth.payments:
        if payment.record_id in ours and state.ref in payment.applied and not payment.gone:
            _know(conn, job, payment)


def _know(conn: Connection, job: Job, payment: PaymentState) -> None:
    record_id = payment.record_id or ""
    if mappings.find(conn, job.key, EntityType.PAYMENT, [record_id]):
        return  # known, or the copy of one that is: the ERP's own payment then
    there = payment.ref
    pair = Pair(
        EntityType.PAYMENT, record_id, there.external_id, there.external_type, payment.reference,
        updated_at=payment.updated_at,
    )  # fmt: skip
    binding.bind(conn, job.key, job.row.id, [pair], now=job.now())


def _payments(job: Job, truth: Truth, state: DocumentState) -> list[commerce_payments.ErpPayment]:
    return [
        commerce_payments.ErpPayment(
            id=payment.ref.external_id,
            amount=payment.applied[state.ref],
            date=payment.date or job.now().date(),
            method=payment.method,
            reference=payment.reference,
        )
        for payment in truth.payments
        if state.ref in payment.applied and not payment.gone
    ]


def _sent_by_us(conn: Connection, job: Job, truth: Truth) -> set[str]:
    ids = [payment.ref.external_id for payment in truth.payments]
    return set(mappings.find_external(conn, job.key, EntityType.PAYMENT, ids))


def _report_gone(
    conn: Connection, job: Job, state: DocumentState, known: StoredMapping, started_at: dt.datetime
) -> bool:
    """A document that a person voided or deleted there is told of, never made again by itself."""
    why = Explained(
        f"{state.ref.external_type} {known.external_number or known.external_id} of order {known.entity_id} was voided or deleted in the ERP.",
        "document-gone",
        "If that was right, cancel or refund the order here; if not, restore it there.",
    )
    if mappings.seen(
        conn, job.key, entity_type=known.entity_type, external_id=known.external_id, sync_token=None,
        balance=state.balance, updated_at=state.updated_at or started_at,
    ):  # fmt: skip
        # Without its version the document is read before it is next written to, and left alone then.
        mappings.forget_version(conn, job.key, entity_type=known.entity_type, external_id=known.external_id)
        if _is_cancelled(conn, job, known):
            log_applied(conn, job, known, started_at, "DocumentGone", None)
            return True
        gone = {drifts.GONE: (False, True)}
        drifts.put(conn, job.key, known.entity_type, known.entity_id, known.external_id, gone, now=job.now())
        log_applied(conn, job, known, started_at, "DocumentGone", why)
        alerts.raise_alert(conn, job.key, why, entity_type=known.entity_type, entity_id=known.entity_id)
    return True


def _is_cancelled(conn: Connection, job: Job, known: StoredMapping) -> bool:
    """Then a document that is gone is as it should be."""
    order = records.load(conn, job.key.tenant_id, known.entity_type, known.entity_id)
    return isinstance(order, Order) and order.status is OrderStatus.CANCELLED


def log_applied(
    conn: Connection, job: Job, known: StoredMapping, started_at: dt.datetime, outcome: str, why: Explained | None
) -> None:
    """One entry of the sync log about something that came from the ERP."""
    entry = sync_log.Entry(
        entity_type=known.entity_type,
        entity_id=known.entity_id,
        external_id=known.external_id,
        direction=Direction.FROM_EXTERNAL,
        status=SyncStatus.FAILED if why else SyncStatus.COMPLETED,
        started_at=started_at,
        completed_at=job.now(),
        actor=f"worker {job.owner}",
        outcome=outcome,
        why=why,
        run_id=job.runtime.run_id,
    )
    sync_log.append(conn, job.key, entry)
