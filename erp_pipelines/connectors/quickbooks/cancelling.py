"""A cancelled order that stands in QuickBooks. Nothing is voided without a person's order.

The shop's own cancellation counts as one where the tenant says so (`cancelVoids`), and only for an invoice that nobody has
paid or edited.
"""

from __future__ import annotations

from erp_pipelines.connectors.base import Known, Pushed, Write
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.client import QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.pushing import pushed
from erp_pipelines.connectors.quickbooks.snapshots import VERSION, snapshot
from erp_pipelines.connectors.quickbooks.truth import is_void
from erp_pipelines.connectors.quickbooks.wire import InvoiceDoc
from erp_pipelines.domain.errors import Rejected
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.outcomes import Outcome

NOT_THERE = "610"


def cancel(client: QuickBooksClient, books: Books, write: Write, order: Order) -> Pushed:
    """Done when the invoice is void or gone, whoever did it. Raises Rejected while it is a person's to void or refund."""
    if write.known is None:
        raise _unknown(order, in_doubt=write.in_doubt)
    doc = _standing(client, write.known)
    if doc is None or is_void(doc.total_amt, doc.private_note, books.config):
        note = "The order is cancelled, and its invoice is void or gone."
        return Pushed(Outcome.UNCHANGED, write.known.external_id, "Invoice", note=note)
    reason = _kept(doc, write.known, books)
    if reason:
        raise _a_persons(order, reason)
    got = client.void(InvoiceDoc, "Invoice", write.key(f"void:{doc.sync_token}"), doc.id, doc.sync_token)
    gone = pushed(Outcome.UPDATED, got.doc, got.request_id)
    return Pushed(
        gone.outcome, gone.external_id, gone.external_type, gone.external_number, gone.sync_token,
        updated_at=gone.updated_at, request_id=gone.request_id, note="Voided, since the shop has cancelled the order.",
    )  # fmt: skip


def _standing(client: QuickBooksClient, known: Known) -> InvoiceDoc | None:
    try:
        return client.read(InvoiceDoc, "Invoice", known.external_id).doc
    except Rejected as error:
        if error.erp_code == NOT_THERE:
            return None
        raise


def _kept(doc: InvoiceDoc, known: Known, books: Books) -> str:
    """Why the invoice is not ours to void; empty when it is."""
    if not books.own.cancel_voids:
        return "the integration voids no document by itself"
    if doc.balance != doc.total_amt or doc.linked_txn:
        return "money was received for it"
    if known.snapshot is None or snapshot(doc) | {VERSION: ""} != {**known.snapshot, VERSION: ""}:
        return "somebody has edited it there"
    return ""


def _a_persons(order: Order, reason: str) -> Rejected:
    number = text.document_number(order.number)
    return Rejected(
        f"Order {order.number} was cancelled after it was sent to QuickBooks, and its invoice stands: {reason}.",
        cause="cancelled-after-sync",
        mend=f"Void invoice {number} in QuickBooks, or give the money back, then retry.",
    )


def _unknown(order: Order, *, in_doubt: bool) -> Rejected:
    """In doubt means that there may be an invoice all the same: the person is told to look."""
    if in_doubt:
        return _a_persons(order, "nobody knows whether it is there")
    return Rejected(
        f"Order {order.number} is cancelled and has no invoice.",
        cause="cancelled",
        mend="Nothing is to be done.",
        definitive=False,
    )
