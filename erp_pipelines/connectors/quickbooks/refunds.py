"""Bringing refunds into QuickBooks, each once, as the document that the tenant wants for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from erp_pipelines.connectors.base import Pushed, Ref, Write
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.client import QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.documents import number_taken
from erp_pipelines.connectors.quickbooks.finding import invoice_rate, only, same_day
from erp_pipelines.connectors.quickbooks.mapper_refund import MEMO, RECEIPT, entity_of, refund
from erp_pipelines.connectors.quickbooks.pushing import believe_absence, pushed
from erp_pipelines.connectors.quickbooks.truth import is_void
from erp_pipelines.connectors.quickbooks.wire import CreditMemoDoc, InvoiceDoc, RefundReceiptDoc
from erp_pipelines.domain.errors import NameTaken
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.refunds import Refund

MODELS: Mapping[str, type[InvoiceDoc]] = {RECEIPT: RefundReceiptDoc, MEMO: CreditMemoDoc}


@dataclass(frozen=True)
class Refunds:
    """Pushes for one company, at one moment."""

    client: QuickBooksClient
    books: Books
    now: dt.datetime

    def push(self, write: Write, record: Refund) -> Pushed:
        """A refund that stands is never changed: money moves by a person's hand only."""
        if write.known is not None:
            known = write.known
            return Pushed(Outcome.UNCHANGED, known.external_id, known.external_type, sync_token=known.sync_token)
        body = refund(record, write.refs, self.books)
        found = self._found(record, body) if write.in_doubt else None
        if found is not None:
            return found
        believe_absence(write, self.books.config, self.now)
        return self._create(write, record, body)

    def find(self, write: Write, record: Refund) -> Pushed | None:
        return self._found(record, refund(record, write.refs, self.books))

    def _create(self, write: Write, record: Refund, body: dict[str, Any]) -> Pushed:
        entity, order = entity_of(self.books), Ref("Order", record.order_id)
        rate = {} if record.exchange_rate else invoice_rate(self.client, self.books, record.currency, write.refs[order])
        try:
            got = self.client.create(MODELS[entity], entity, {**body, **rate}, write.key(f"create{entity}"))
        except NameTaken as taken:
            found = self._found(record, body)
            if found is not None:
                return found
            raise number_taken(taken, f"refund {record.id}") from None
        return pushed(Outcome.CREATED, got.doc, got.request_id)

    def _found(self, record: Refund, body: Mapping[str, Any]) -> Pushed | None:
        """Among both kinds: the tenant may want the other one since it was sent."""
        number = body.get("DocNumber")
        where = f"DocNumber = {self.client.quoted(number)}" if number else same_day(self.client, body)
        rows = [row for entity, model in MODELS.items() for row in self.client.query(model, entity, where)]
        found = only([row for row in rows if text.carries(row.private_note, record.id)], "refund", self.books.config)
        if found is None:
            return None
        return replace(
            pushed(Outcome.ADOPTED, found), void=is_void(found.total_amt, found.private_note, self.books.config)
        )
