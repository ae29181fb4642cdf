"""Several records in one call: what may go so, and what was answered to each.

QuickBooks knows a key for the whole batch only (`requestid` and the bIds together). So a batch is repeated as it was, or not
at all: once its answer is lost for good, each of its records is looked up under its own name, see `Write.keyed`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from erp_pipelines.connectors import exchanges
from erp_pipelines.connectors.base import Pushed, Write
from erp_pipelines.connectors.exchanges import Exchange
from erp_pipelines.connectors.http import Answer, encode
from erp_pipelines.connectors.quickbooks import mapper, mapper_names
from erp_pipelines.connectors.quickbooks.client import BatchAnswer, Got, QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.faults import refusal
from erp_pipelines.connectors.quickbooks.pushing import pushed
from erp_pipelines.connectors.quickbooks.rounding import made_up
from erp_pipelines.connectors.quickbooks.snapshots import snapshot
from erp_pipelines.connectors.quickbooks.truth import moved_by
from erp_pipelines.connectors.quickbooks.wire import CustomerDoc, Entity, InvoiceDoc, ItemDoc, PaymentDoc
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import AnswerLost, ErpError
from erp_pipelines.domain.idempotency import batch_key
from erp_pipelines.domain.orders import Order, OrderStatus
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.products import Product

ENTITIES = {"Customer": "Customer", "Product": "Item", "Order": "Invoice", "Payment": "Payment"}
MODELS: Mapping[str, type[Entity]] = {
    "Customer": CustomerDoc,
    "Item": ItemDoc,
    "Invoice": InvoiceDoc,
    "Payment": PaymentDoc,
}


@dataclass(frozen=True)
class Item:
    """One write as an item of a batch."""

    write: Write
    entity: str
    body: Mapping[str, Any]
    key: str

    @property
    def outcome(self) -> Outcome:
        return Outcome.CREATED if self.write.known is None else Outcome.UPDATED

    def wire(self, number: int) -> dict[str, Any]:
        operation = "create" if self.write.known is None else "update"
        return {"bId": str(number), "operation": operation, self.entity: self.body}


def may_batch(write: Write, books: Books) -> bool:
    """New records and known names. A document that stands, a doubt and a foreign payment without a rate are looked at first."""
    record, known = write.record, write.known
    if write.in_doubt:
        return False
    if isinstance(record, (Customer, Product)):
        return known is None or known.sync_token is not None
    if isinstance(record, Order):
        return known is None and record.status is not OrderStatus.CANCELLED
    if not isinstance(record, Payment) or books.own.overpayments == "unapplied":
        return False  # a refused payment may be sent again in part
    foreign = books.multi_currency and record.currency != books.home_currency
    return known is None and not (foreign and record.exchange_rate is None)


def push(client: QuickBooksClient, books: Books, writes: Sequence[Write]) -> list[Pushed | ErpError]:
    """What became of each. A failure of the call is everybody's: nothing of it was done, or nobody knows what."""
    try:
        items = [_item(write, books) for write in writes]
        key = batch_key([item.key for item in items])
        answer = client.batch([item.wire(number) for number, item in enumerate(items)], key)
    except ErpError as error:
        return [error for _ in writes]
    return [_told(client, books, item, answer, str(number)) for number, item in enumerate(items)]


def _item(write: Write, books: Books) -> Item:
    entity = ENTITIES[write.ref.entity_type]
    body = mapper.body(write.record, write.refs, books)
    known = write.known
    if known is None:
        return Item(write, entity, body, write.key("create"))
    version = {"Id": known.external_id, "SyncToken": known.sync_token, "sparse": True}
    return Item(write, entity, {**mapper_names.changes(body), **version}, write.key(f"update:{known.sync_token}"))


def _told(client: QuickBooksClient, books: Books, item: Item, answer: BatchAnswer, number: str) -> Pushed | ErpError:
    row, request_id = answer.rows.get(number, {}), answer.answer.request_id
    _note(item, answer, row, number)
    refused = refusal(answer.call, Answer(400, body=row, request_id=request_id)) if row.get("Fault") else None
    if refused is not None:
        return client.noted(refused, answer.call)
    try:
        doc = MODELS[item.entity].model_validate(row.get(item.entity))
    except ValidationError:
        return AnswerLost("QuickBooks, batch: an item's answer is not what was asked for.", request_id=request_id)
    try:
        return _pushed(client, books, item, doc, request_id)
    except ErpError as error:
        return error


def _note(item: Item, answer: BatchAnswer, row: Mapping[str, Any], number: str) -> None:
    """Of the batch, what concerns this record."""
    asked = replace(answer.call, body=encode({"BatchItemRequest": [item.wire(int(number))]}))
    told = replace(answer.answer, body=row, text=encode({"BatchItemResponse": [row]}).decode())
    exchanges.note(Exchange(asked, told, ref=item.write.ref))


def _pushed(client: QuickBooksClient, books: Books, item: Item, doc: Entity, request_id: str) -> Pushed:
    if isinstance(doc, PaymentDoc):
        return replace(pushed(item.outcome, doc, request_id), moved=moved_by(doc, books.config))
    if not isinstance(doc, InvoiceDoc) or not isinstance(item.write.record, Order):
        return pushed(item.outcome, doc, request_id)
    got, note = made_up(client, books, item.write, item.write.record, item.body, Got(doc, request_id))
    return replace(pushed(item.outcome, got.doc, got.request_id), note=note, snapshot=snapshot(got.doc))
