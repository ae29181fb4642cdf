"""Bringing orders and payments into QuickBooks as documents, each once.

A document whose answer was lost is looked for first and told by our mark in its note; several or none mean different
things, see `finding.only`. A voided one is taken for ours only when no other stands, so that it does not come to life again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.base import Known, Pushed, Ref, Write
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.cancelling import cancel
from erp_pipelines.connectors.quickbooks.client import Got, QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.finding import invoice_rate, only, same_day
from erp_pipelines.connectors.quickbooks.mapper_invoice import invoice
from erp_pipelines.connectors.quickbooks.mapper_payment import applied, invoice_of, payment
from erp_pipelines.connectors.quickbooks.pushing import believe_absence, pushed, updated
from erp_pipelines.connectors.quickbooks.rounding import made_up
from erp_pipelines.connectors.quickbooks.snapshots import moved, refuse_edited, snapshot
from erp_pipelines.connectors.quickbooks.truth import is_void, moved_by
from erp_pipelines.connectors.quickbooks.wire import InvoiceDoc, PaymentDoc
from erp_pipelines.domain.errors import NameTaken, Rejected, voided
from erp_pipelines.domain.orders import Order, OrderStatus
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.payments import Payment

BUSINESS_RULE = "6000"


@dataclass(frozen=True)
class Documents:
    """Pushes for one company, at one moment."""

    client: QuickBooksClient
    books: Books
    now: dt.datetime

    def push_order(self, write: Write, order: Order) -> Pushed:
        if order.status is OrderStatus.CANCELLED:
            return cancel(self.client, self.books, write, order)
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
        whole = {**body, **self._rate(record, write)}
        try:
            got = self.client.create(PaymentDoc, "Payment", whole, write.key("create"))
        except Rejected as refused:
            if refused.erp_code != BUSINESS_RULE or self.books.own.overpayments != "unapplied":
                raise
            return self._pay_what_is_open(write, record, whole, refused)
        return self._paid(write, got)

    def _pay_what_is_open(self, write: Write, record: Payment, body: dict[str, Any], refused: Rejected) -> Pushed:
        """What is open of each invoice is paid and the rest left unapplied, if that is what QuickBooks has refused."""
        ids = [invoice_of(line) for line in body["Line"]]
        balances = {doc.id: doc.balance for doc in self.client.by_ids(InvoiceDoc, "Invoice", ids)}
        less = applied(body, balances)
        beyond = _lines_total(body) - _lines_total(less)
        if not beyond:
            raise refused
        got = self.client.create(PaymentDoc, "Payment", less, write.key("create-unapplied"))
        note = f"{beyond + record.unallocated} of it is beyond the open balance and left unapplied."
        return replace(self._paid(write, got), note=note)

    def _paid(self, write: Write, got: Got[PaymentDoc]) -> Pushed:
        """After a doubt the answer may be that of the earlier try, whose effect on the invoices may have been read since."""
        done = pushed(Outcome.CREATED, got.doc, got.request_id)
        return done if write.in_doubt else replace(done, moved=moved_by(got.doc, self.books.config))

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
            raise number_taken(taken, f"order {order.number}") from None
        return self._made_up(Outcome.CREATED, write, order, body, got)

    def _update(self, write: Write, known: Known, order: Order, body: dict[str, Any]) -> Pushed:
        last = known.snapshot if self.books.own.when_edited == "ask" else None

        def may_change(doc: InvoiceDoc) -> None:
            self._refuse_void(doc)
            if last is not None:
                refuse_edited(doc, last, body)

        if moved(last, known.sync_token):
            known = replace(known, sync_token=None)  # to be read before it is written to
        got = updated(self.client, InvoiceDoc, "Invoice", body, write, known, may_change=may_change)
        return self._made_up(Outcome.UPDATED, write, order, body, got)

    def _made_up(
        self, outcome: Outcome, write: Write, order: Order, body: dict[str, Any], got: Got[InvoiceDoc]
    ) -> Pushed:
        after, note = made_up(self.client, self.books, write, order, body, got)
        return replace(pushed(outcome, after.doc, after.request_id), note=note, snapshot=snapshot(after.doc))

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
            InvoiceDoc,
            "Invoice",
            f"DocNumber = {self.client.quoted(number)}" if number else same_day(self.client, body),
        )
        return only([row for row in rows if text.carries(row.private_note, order.id)], "Invoice", self.books.config)

    def _payment_of(self, record: Payment, body: dict[str, Any]) -> PaymentDoc | None:
        rows = self.client.query(PaymentDoc, "Payment", same_day(self.client, body))
        return only([row for row in rows if text.carries(row.private_note, record.id)], "Payment", self.books.config)

    def _rate(self, record: Payment, write: Write) -> dict[str, Any]:
        if record.exchange_rate is not None:
            return {}
        return invoice_rate(self.client, self.books, record.currency, write.refs[Ref("Order", record.order_id)])


def _lines_total(body: Mapping[str, Any]) -> Decimal:
    return sum((line["Amount"] for line in body["Line"]), Decimal(0))


def number_taken(taken: NameTaken, what: str) -> NameTaken:
    """What to say of a number that another document has; `what` is ours."""
    return NameTaken(
        taken.message,
        mend=f"A document that is not of {what} has its number in QuickBooks"
        f"{f' (id {taken.candidate})' if taken.candidate else ''}: give one of the two another number.",
        candidate=taken.candidate,
        erp_code=taken.erp_code,
        request_id=taken.request_id,
    )
