"""Telling our documents from others, by our mark in their notes; and which of several is the one that counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from erp_pipelines.connectors.quickbooks.client import QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.truth import is_void
from erp_pipelines.connectors.quickbooks.wire import InvoiceDoc, PaymentDoc
from erp_pipelines.domain.errors import Rejected

T = TypeVar("T", bound=InvoiceDoc | PaymentDoc)


def same_day(client: QuickBooksClient, body: Mapping[str, Any]) -> str:
    """The condition of a query for all of the customer's documents of that day."""
    customer, day = client.quoted(body["CustomerRef"]["value"]), client.quoted(body["TxnDate"])
    return f"CustomerRef = {customer} and TxnDate = {day}"


def only(marked: Sequence[T], entity: str, config: QuickBooksConfig) -> T | None:
    """The one that stands, else one that a person has voided since. Several: no program can say which is right."""
    standing = [row for row in marked if not is_void(row.total_amt, row.private_note, config)]
    if len(standing) > 1:
        ids = ", ".join(row.id for row in standing)
        raise Rejected(
            f"QuickBooks holds several documents for this record: {entity} {ids}.",
            cause="duplicate-documents",
            mend="Void all but one of them in QuickBooks, then retry.",
            definitive=False,
        )
    return standing[0] if standing else next(iter(marked), None)


def invoice_rate(client: QuickBooksClient, books: Books, currency: str, invoice_id: str) -> dict[str, Any]:
    """The invoice's exchange rate for foreign money that belongs to it: left out, QuickBooks would book it at 1."""
    if not books.multi_currency or currency == books.home_currency:
        return {}
    rate = client.read(InvoiceDoc, "Invoice", invoice_id).doc.exchange_rate
    return {"ExchangeRate": rate} if rate else {}
