"""What every push has in common: an update that survives a newer version, doubt, and the result as the engine reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from erp_pipelines.connectors.base import Known, Pushed, Write
from erp_pipelines.connectors.doubt import wait_out
from erp_pipelines.connectors.quickbooks.client import Got, QuickBooksClient
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.wire import CustomerDoc, Entity, InvoiceDoc, ItemDoc, PaymentDoc
from erp_pipelines.domain.errors import StaleVersion
from erp_pipelines.domain.outcomes import Outcome

E = TypeVar("E", bound=Entity)


def updated(
    client: QuickBooksClient,
    model: type[E],
    entity: str,
    body: Mapping[str, Any],
    write: Write,
    known: Known,
    *,
    may_change: Callable[[E], None],
    purpose: str = "",
) -> Got[E]:
    """Send an update; if somebody changed the document meanwhile, once more over the version that stands now.

    `may_change` sees every version that was read and raises where it must be left alone. Each version has a key of
    its own, since under the old one QuickBooks would repeat its refusal.
    """

    def send(token: str) -> Got[E]:
        key = write.key(f"update:{token}{purpose}")
        return client.update(model, entity, body, key, external_id=known.external_id, sync_token=token)

    def current() -> str:
        doc = client.read(model, entity, known.external_id).doc
        may_change(doc)
        return doc.sync_token

    try:
        return send(known.sync_token if known.sync_token is not None else current())
    except StaleVersion:
        return send(current())


def believe_absence(write: Write, config: QuickBooksConfig, now: dt.datetime) -> None:
    """Return if a document that was looked for and not found may be sent.

    With keys honoured the same key makes it safe at any time. Without, or when it went in a batch, an earlier try may be at work in QuickBooks
    for up to 120 s: until then, or when nobody knows since when, AnswerLost.
    """
    if write.in_doubt and not (config.honour_requestid and write.keyed):
        wait_out(write, config.doubt_seconds, now)


def pushed(outcome: Outcome, doc: Entity, request_id: str = "") -> Pushed:
    """A document that stands in QuickBooks. Adopted ones were found by a query and have no request id."""
    plain = Pushed(
        outcome,
        doc.id,
        type(doc).__name__.removesuffix("Doc"),
        sync_token=doc.sync_token,
        updated_at=doc.updated_at,
        request_id=request_id,
    )
    match doc:
        case CustomerDoc():
            return replace(plain, external_number=doc.display_name)
        case ItemDoc():
            return replace(plain, external_number=doc.name)
        case InvoiceDoc():
            return replace(plain, external_number=doc.doc_number, total=doc.total_amt, balance=doc.balance)
        case PaymentDoc():
            return replace(plain, external_number=doc.payment_ref_num, total=doc.total_amt)
    return plain
