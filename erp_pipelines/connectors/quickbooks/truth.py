"""The truth about documents and payments, read in as few calls as possible: reads are what Intuit meters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from erp_pipelines.connectors.base import DocumentState, ExternalRef, Moved, PaymentState, Truth
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.client import QuickBooksClient
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.wire import ZERO, InvoiceDoc, PaymentDoc


def is_void(total: Decimal, note: str, config: QuickBooksConfig) -> bool:
    """A voided document stays, with nothing in it and a note that begins so: there is no field that says it."""
    return total == 0 and note.lstrip().startswith(config.voided_prefix)


def read_truth(client: QuickBooksClient, config: QuickBooksConfig, refs: Sequence[ExternalRef]) -> Truth:
    """Payments first, then the invoices asked for and those the payments settle, then the other payments of these.

    A call per hundred of each; the last one only where an invoice names a payment that was not read.
    """
    payment_ids = [ref.external_id for ref in refs if ref.external_type == "Payment"]
    payments = client.by_ids(PaymentDoc, "Payment", payment_ids)
    settled = [link.external_id for doc in payments for link in _applied(doc) if link.external_type == "Invoice"]
    invoice_ids = [ref.external_id for ref in refs if ref.external_type == "Invoice"] + settled
    invoices = client.by_ids(InvoiceDoc, "Invoice", invoice_ids)
    others = {link.txn_id for doc in invoices for link in doc.linked_txn if link.txn_type == "Payment"} - set(
        payment_ids
    )
    payments = (*payments, *client.by_ids(PaymentDoc, "Payment", sorted(others)))
    return Truth(
        documents=(
            *(_document(doc, config) for doc in invoices),
            *(_gone_document(one) for one in _missing(invoice_ids, invoices)),
        ),
        payments=(
            *(_payment(doc, config) for doc in payments),
            *(_gone_payment(one) for one in _missing(payment_ids, payments)),
        ),
        behind={ExternalRef("Payment", doc.id): frozenset(_applied(doc)) for doc in payments},
    )


def _missing(wanted: Iterable[str], found: Iterable[InvoiceDoc | PaymentDoc]) -> list[str]:
    return sorted(set(wanted) - {doc.id for doc in found} - {""})


def _document(doc: InvoiceDoc, config: QuickBooksConfig) -> DocumentState:
    gone = is_void(doc.total_amt, doc.private_note, config)
    ref, customer = ExternalRef("Invoice", doc.id), ExternalRef("Customer", doc.customer_ref.value)
    return DocumentState(ref, doc.total_amt, doc.balance, gone, doc.updated_at, doc.sync_token, customer)


def _gone_document(external_id: str) -> DocumentState:
    return DocumentState(ExternalRef("Invoice", external_id), ZERO, ZERO, True, None, None)


def _payment(doc: PaymentDoc, config: QuickBooksConfig) -> PaymentState:
    method = doc.payment_method_ref
    return PaymentState(
        ref=ExternalRef("Payment", doc.id),
        date=doc.txn_date,
        method=(method.name or method.value or None) if method else None,
        reference=doc.payment_ref_num,
        gone=is_void(doc.total_amt, doc.private_note, config),
        applied=_applied(doc),
        updated_at=doc.updated_at,
        record_id=text.record_of(doc.private_note),
    )


def _gone_payment(external_id: str) -> PaymentState:
    return PaymentState(ExternalRef("Payment", external_id), None, None, None, True, {}, None)


def moved_by(doc: PaymentDoc, config: QuickBooksConfig) -> tuple[Moved, ...]:
    """What a payment that was just made has done to its invoices."""
    versions = int(config.payments_raise_versions)
    return tuple(
        Moved(ref, amount, versions) for ref, amount in _applied(doc).items() if ref.external_type == "Invoice"
    )


def _applied(doc: PaymentDoc) -> dict[ExternalRef, Decimal]:
    """How much of the payment went to which document."""
    amounts: defaultdict[ExternalRef, Decimal] = defaultdict(lambda: ZERO)
    for line in doc.line:
        for link in line.linked_txn[:1]:
            amounts[ExternalRef(link.txn_type, link.txn_id)] += line.amount
    return dict(amounts)
