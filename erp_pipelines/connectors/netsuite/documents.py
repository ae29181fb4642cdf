"""Bringing orders and payments into NetSuite as documents, each once.

An upsert by our external id makes a repeat harmless. Where external ids are somebody else's, every create is preceded by a
look for what an earlier try may have left, and after a doubt by the time in which that may still appear.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

from erp_pipelines.connectors.base import Known, Pushed, Ref, Write
from erp_pipelines.connectors.doubt import wait_out
from erp_pipelines.connectors.mapping import external_id, setting_missing
from erp_pipelines.connectors.netsuite.billing import Billing
from erp_pipelines.connectors.netsuite.client import NetSuiteClient
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.config import DISPLAY_NAME
from erp_pipelines.connectors.netsuite.keys import Key, order_key, payment_key
from erp_pipelines.connectors.netsuite.mapper_order import changes, replaced, sale, wants_invoice
from erp_pipelines.connectors.netsuite.mapper_payment import applied, payment
from erp_pipelines.connectors.netsuite.pushing import Form, Kept, made, may_exist, pushed, updated
from erp_pipelines.connectors.netsuite.statuses import is_over
from erp_pipelines.connectors.netsuite.truth import TYPE_CODES
from erp_pipelines.connectors.netsuite.wire import LineDoc, PaymentDoc, SaleDoc
from erp_pipelines.domain.errors import Rejected, voided
from erp_pipelines.domain.orders import Order, OrderStatus
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.payments import Payment

T = TypeVar("T", SaleDoc, PaymentDoc)


@dataclass(frozen=True)
class Documents:
    """Pushes for one account, at one moment."""

    client: NetSuiteClient
    books: Books
    now: dt.datetime

    def push_order(self, write: Write, order: Order) -> Pushed:
        if order.status is OrderStatus.CANCELLED:
            return self._cancel(write, order)
        body = sale(order, write.refs, self.books)
        done = self._bring(write, order, body)
        if wants_invoice(order, self.books) and not done.void:
            self._billing.bill(write, done.external_id, order, look=done.outcome is not Outcome.CREATED)
        return done

    def push_payment(self, write: Write, record: Payment) -> Pushed:
        """A payment that stands is never changed: money moves by a person's hand only."""
        if write.known is not None:
            known = write.known
            return Pushed(Outcome.UNCHANGED, known.external_id, "customerPayment", sync_token=known.sync_token)
        key = payment_key(record, self.books)
        found = self._found(write, self._payments, key)
        if found is not None:
            return pushed(Outcome.ADOPTED, "customerPayment", Kept(found))
        self._believe_absence(write, key)
        body = payment(record, write.refs, self.books)
        shares = {
            invoice: share
            for part in record.parts
            for invoice, share in self._shares(
                external_id(write.refs, Ref("Order", part.order_id), DISPLAY_NAME), part.amount
            ).items()
        }
        return self._made(write, "customerPayment", self._payments, key, {**body, **applied(shares)})

    def find_order(self, order: Order) -> Pushed | None:
        found = self._look(self._sales, order_key(order, self.books))
        return self._adopted(found) if found else None

    def find_payment(self, record: Payment) -> Pushed | None:
        found = self._look(self._payments, payment_key(record, self.books))
        return pushed(Outcome.ADOPTED, "customerPayment", Kept(found)) if found else None

    # --- forms ---

    @property
    def _sales(self) -> Form[SaleDoc]:
        more = ("amountRemaining",) if self.books.document == "invoice" else ()
        own = self.books.own
        watched = ("otherRefNum", *own.order_fields, *([own.natural_key_field] if own.natural_key_field else []))
        return Form(SaleDoc, self.books.document, ("tranId", "total", "status", *more), replaced(self.books), watched)

    @property
    def _payments(self) -> Form[PaymentDoc]:
        return Form(PaymentDoc, "customerPayment", ("tranId", "payment", "status"), (), tuple(self.books.own.payment_fields))  # fmt: skip

    # --- orders ---

    def _bring(self, write: Write, order: Order, body: dict[str, Any]) -> Pushed:
        if write.known is not None:
            return self._update(write.known, body)
        key = order_key(order, self.books)
        found = self._found(write, self._sales, key)
        if found is not None:
            return self._adopted(found)
        self._believe_absence(write, key)
        return self._made(write, self.books.document, self._sales, key, body)

    def _update(self, known: Known, body: dict[str, Any]) -> Pushed:
        def wanted(doc: SaleDoc) -> Mapping[str, Any]:
            if is_over(doc.status, self.books.document):
                raise voided(self.books.document, doc.tran_id or doc.id)
            return changes(body, self.books)

        kept = updated(self.client, self._sales, known.external_id, wanted)
        return pushed(Outcome.UPDATED, self.books.document, kept)

    def _adopted(self, found: SaleDoc) -> Pushed:
        plain = pushed(Outcome.ADOPTED, self.books.document, Kept(found))
        return replace(plain, void=is_over(found.status, self.books.document))

    def _cancel(self, write: Write, order: Order) -> Pushed:
        """Close the lines of a sales order of which nothing was billed or fulfilled. What was, only a person can take back."""
        ident = write.known.external_id if write.known else None
        if ident is None:
            found = self._look(self._sales, order_key(order, self.books))
            ident = found.id if found else None
        if ident is None:
            if write.in_doubt:
                wait_out(write, self.books.config.doubt_seconds, self.now)
            raise _nothing_to_cancel(order)
        if self.books.document == "invoice":
            raise _cancelled_too_late(order, f"invoice {ident} (void it, or credit it)")
        form = replace(self._sales, replaced=(), watched=())
        doc = self.client.read(SaleDoc, form.record_type, ident)
        if is_over(doc.status, form.record_type):
            return pushed(Outcome.UNCHANGED, form.record_type, Kept(doc))
        body = {"item": {"items": [_closed(line, order) for line in doc.item.items]}}
        return pushed(Outcome.UPDATED, form.record_type, updated(self.client, form, ident, lambda _: body))

    # --- payments ---

    @property
    def _billing(self) -> Billing:
        return Billing(self.client, self.books, self.now)

    def _shares(self, order_id: str, amount: Decimal) -> dict[str, Decimal]:
        """What a payment settles of which invoice: the document itself, or those made of the sales order, the oldest first.

        What is more than they are owed stays on the last one, where NetSuite refuses it.
        """
        if self.books.document == "invoice":
            return {order_id: amount}
        invoices = self._billing.invoices_of(order_id)
        if not invoices:
            raise setting_missing(
                "The sales order has no invoice yet, which a payment could settle.",
                "transformToInvoice",
                "Bill the order in NetSuite and retry, or let the integration do it: transformToInvoice in the settings of the connection.",
            )
        *earlier, last = [one.id for one in invoices if one.open] or [invoices[0].id]
        shares: dict[str, Decimal] = {}
        for ident in earlier:
            owed = self.client.read(SaleDoc, "invoice", ident, ("amountRemaining",)).amount_remaining
            shares[ident] = min(owed or Decimal(0), amount - sum(shares.values()))
        shares[last] = amount - sum(shares.values())
        return {ident: share for ident, share in shares.items() if share}

    # --- once ---

    def _found(self, write: Write, form: Form[T], key: Key) -> T | None:
        """What an earlier try may have left. With an external id only after a doubt: a repeat of its upsert is harmless."""
        return self._look(form, key) if write.in_doubt or key.external_id is None else None

    def _believe_absence(self, write: Write, key: Key) -> None:
        if write.in_doubt and (key.external_id is None or not self.books.config.upsert_is_repeatable):
            wait_out(write, self.books.config.doubt_seconds, self.now)

    def _look(self, form: Form[T], key: Key) -> T | None:
        fields = ("externalId", "lastModifiedDate", *form.fields)
        if key.external_id is not None:
            return self.client.find(form.model, form.record_type, f"eid:{key.external_id}", fields)
        # The column is a constant or a checked setting, the value is bound.
        rows = self.client.query(
            f"SELECT id FROM transaction WHERE type = ? AND {key.column} = ? ORDER BY id",  # noqa: S608
            (TYPE_CODES[form.record_type], key.value),
        )
        if len(rows) > 1:
            raise _several(form.record_type, [row["id"] for row in rows])
        return self.client.find(form.model, form.record_type, rows[0]["id"], fields) if rows else None

    def _made(self, write: Write, record_type: str, form: Form[T], key: Key, body: dict[str, Any]) -> Pushed:
        """Created; or adopted where the refusal means that it stands there already: upserts of one id that met."""
        try:
            return pushed(Outcome.CREATED, record_type, made(self.client, form, key, body))
        except Rejected as refused:
            found = self._look(form, key) if may_exist(refused) else None
            if found is None:
                self._settle_absence(write, refused)
                raise
        return self._adopted(found) if isinstance(found, SaleDoc) else pushed(Outcome.ADOPTED, record_type, Kept(found))

    def _settle_absence(self, write: Write, refused: Rejected) -> None:
        """Refused, looked for and not there: a no, once an earlier try cannot be at work any more. Until then, AnswerLost."""
        if not may_exist(refused):
            return
        if write.in_doubt:
            wait_out(write, self.books.config.doubt_seconds, self.now)
        refused.definitive = True


def _closed(line: LineDoc, order: Order) -> dict[str, Any]:
    if line.quantity_billed or line.quantity_fulfilled:
        raise _cancelled_too_late(
            order, "what was fulfilled or billed of it (by a return authorisation or a credit memo)"
        )
    return {"line": line.line, "isClosed": True}


def _nothing_to_cancel(order: Order) -> Rejected:
    return Rejected(
        f"Order {order.number} is cancelled and has no document.",
        cause="cancelled",
        mend="Nothing is to be done.",
        definitive=False,
    )


def _cancelled_too_late(order: Order, what: str) -> Rejected:
    return Rejected(
        f"Order {order.number} was cancelled after it was sent to NetSuite.",
        cause="cancelled-after-sync",
        mend=f"Take back {what} in NetSuite: the integration closes open sales orders only.",
    )


def _several(record_type: str, ids: list[str]) -> Rejected:
    return Rejected(
        f"NetSuite holds several documents for this record: {record_type} {', '.join(ids)}.",
        cause="duplicate-documents",
        mend="Void or delete all but one of them in NetSuite, then retry.",
        definitive=False,
    )
