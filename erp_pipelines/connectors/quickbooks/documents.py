"""Bringing orders and payments into QuickBooks as documents, each once.

A document whose answer was lost is looked for first and told by our mark in its note; several or none mean different
things, see `_only`. A voided one is taken for ours only when no other stands, so that it does not come to life again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from erp_pipelines.connectors.base import Known, Pushed, Write
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.client import Got, QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.mapper_invoice import invoice
from erp_pipelines.connectors.quickbooks.mapper_payment import payment
from erp_pipelines.connectors.quickbooks.pushing import believe_absence, pushed, updated
from erp_pipelines.connectors.quickbooks.rounding import made_up
from erp_pipelines.connectors.quickbooks.truth import is_void
from erp_pipelines.connectors.quickbooks.wire import InvoiceDoc, PaymentDoc
from erp_pipelines.domain.errors import NameTaken, Rejected, voided
from erp_pipelines.domain.orders import Order, OrderStatus
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.payments import Payment

T = TypeVar("T", InvoiceDoc, PaymentDoc)


@dataclass(frozen=True)
class Documents:
    """Pushes for one company, at one moment."""

    client: QuickBooksClient
    books: Books
    now: dt.datetime

    def push_order(self, write: Write, order: Order) -> Pushed:
        if order.status is OrderStatus.CANCELLED:
            raise self._cancelled(write, order)
        body = invoice(order, write.refs, self.books)
        if write.known is not None:
            return self._update(write, write.known, order, body)
        found = self._invoice_of(order, body) if write.in_doubt else None
        if found is not None:
            return self._taken_up(write, order, body, found)
        believe_absence(write, self.books.config, self.now)
        return self._create_invoice(write, order, body)

    def push_payment(self, write: Write, record: Payment) -> Pushed:
        """A payment that stands is never changed: money moves by a person's hand only."""
        if write.known is not None:
            known = write.known
            return Pushed(Outcome.UNCHANGED, known.external_id, "Payment", sync_token=known.sync_token)
        body = payment(record, write.refs, self.books)
        found = self._payment_of(record, body) if write.in_doubt else None
        if found is not None:
            return pushed(Outcome.ADOPTED, found)
        believe_absence(write, self.books.config, self.now)
        got = self.client.create(PaymentDoc, "Payment", {**body, **self._rate(record, body)}, write.key("create"))
        return pushed(Outcome.CREATED, got.doc, got.request_id)

    def find_order(self, write: Write, order: Order) -> Pushed | None:
        found = self._invoice_of(order, invoice(order, write.refs, self.books))
        return self._adopted(found) if found else None

    def find_payment(self, write: Write, record: Payment) -> Pushed | None:
        found = self._payment_of(record, payment(record, write.refs, self.books))
        return pushed(Outcome.ADOPTED, found) if found else None

    def _create_invoice(self, write: Write, order: Order, body: dict[str, Any]) -> Pushed:
        try:
            got = self.client.create(InvoiceDoc, "Invoice", body, write.key("create"))
        except NameTaken as taken:
            found = self._invoice_of(order, body)
            if found is not None:
                return self._taken_up(write, order, body, found)
            raise _number_taken(taken, order) from None
        return self._made_up(Outcome.CREATED, write, order, body, got)

    def _update(self, write: Write, known: Known, order: Order, body: dict[str, Any]) -> Pushed:
        got = updated(self.client, InvoiceDoc, "Invoice", body, write, known, may_change=self._refuse_void)
        return self._made_up(Outcome.UPDATED, write, order, body, got)

    def _made_up(
        self, outcome: Outcome, write: Write, order: Order, body: dict[str, Any], got: Got[InvoiceDoc]
    ) -> Pushed:
        after, note = made_up(self.client, self.books, write, order, body, got)
        return replace(pushed(outcome, after.doc, after.request_id), note=note)

    def _taken_up(self, write: Write, order: Order, body: dict[str, Any], found: InvoiceDoc) -> Pushed:
        """Adopted; one that nobody has touched since we made it may still want its rounding line."""
        if found.sync_token != "0":  # noqa: S105 - a version
            return self._adopted(found)
        return self._made_up(Outcome.ADOPTED, write, order, body, Got(found, ""))

    def _adopted(self, found: InvoiceDoc) -> Pushed:
        void = is_void(found.total_amt, found.private_note, self.books.config)
        return replace(pushed(Outcome.ADOPTED, found), void=void)

    def _refuse_void(self, doc: InvoiceDoc) -> None:
        if is_void(doc.total_amt, doc.private_note, self.books.config):
            raise voided("Invoice", doc.doc_number or doc.id)

    def _invoice_of(self, order: Order, body: dict[str, Any]) -> InvoiceDoc | None:
        """The invoice that carries this order's mark, by number, or by customer and day where QuickBooks numbers."""
        number = body.get("DocNumber")
        rows = self.client.query(
            InvoiceDoc, "Invoice", f"DocNumber = {self.client.quoted(number)}" if number else self._same_day(body)
        )
        return self._only([row for row in rows if text.carries(row.private_note, order.id)], "Invoice")

    def _payment_of(self, record: Payment, body: dict[str, Any]) -> PaymentDoc | None:
        rows = self.client.query(PaymentDoc, "Payment", self._same_day(body))
        return self._only([row for row in rows if text.carries(row.private_note, record.id)], "Payment")

    def _same_day(self, body: dict[str, Any]) -> str:
        customer, day = self.client.quoted(body["CustomerRef"]["value"]), self.client.quoted(body["TxnDate"])
        return f"CustomerRef = {customer} and TxnDate = {day}"

    def _only(self, marked: Sequence[T], entity: str) -> T | None:
        """The one that stands, else one that a person has voided since. Several: no program can say which is right."""
        standing = [row for row in marked if not is_void(row.total_amt, row.private_note, self.books.config)]
        if len(standing) > 1:
            ids = ", ".join(row.id for row in standing)
            raise Rejected(
                f"QuickBooks holds several documents for this record: {entity} {ids}.",
                cause="duplicate-documents",
                mend="Void all but one of them in QuickBooks, then retry.",
                definitive=False,
            )
        return standing[0] if standing else next(iter(marked), None)

    def _rate(self, record: Payment, body: dict[str, Any]) -> dict[str, Any]:
        """The invoice's exchange rate for a foreign payment: left out, QuickBooks would book it at 1."""
        if not self.books.multi_currency or record.currency == self.books.home_currency:
            return {}
        invoice_id = body["Line"][0]["LinkedTxn"][0]["TxnId"]
        rate = self.client.read(InvoiceDoc, "Invoice", invoice_id).doc.exchange_rate
        return {"ExchangeRate": rate} if rate else {}

    def _cancelled(self, write: Write, order: Order) -> Rejected:
        """Nothing is voided by a program. In doubt means that there may be an invoice: the person is told to look."""
        if write.known is None and not write.in_doubt:
            return Rejected(
                f"Order {order.number} is cancelled and has no invoice.",
                cause="cancelled",
                mend="Nothing is to be done.",
                definitive=False,
            )
        number = text.document_number(order.number)
        return Rejected(
            f"Order {order.number} was cancelled after it was sent to QuickBooks.",
            cause="cancelled-after-sync",
            mend=f"Void invoice {number} in QuickBooks, if it is there: the integration never voids a document by itself.",
        )


def _number_taken(taken: NameTaken, order: Order) -> NameTaken:
    return NameTaken(
        taken.message,
        mend=f"A document that is not of order {order.number} has its number in QuickBooks"
        f"{f' (id {taken.candidate})' if taken.candidate else ''}: give one of the two another number.",
        candidate=taken.candidate,
        erp_code=taken.erp_code,
        request_id=taken.request_id,
    )
