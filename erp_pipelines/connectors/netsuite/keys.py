"""What tells our documents in NetSuite: an external id of ours, or another field where external ids are somebody else's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from erp_pipelines.connectors.netsuite import external_ids
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.text import clean
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.payments import Payment


@dataclass(frozen=True)
class Key:
    """`external_id` goes into the address of an upsert; where it is None, `fields` go into the body and `column` is searched."""

    external_id: str | None
    fields: Mapping[str, str]
    column: str
    value: str


def external_id(kind: str, record_id: str, books: Books) -> str:
    return external_ids.external_id(books.own.external_id_prefix, kind, record_id, books.config.external_id_length)


def own_external_id(kind: str, record_id: str, books: Books) -> str | None:
    """None where external ids belong to another integration."""
    return external_id(kind, record_id, books) if books.own.natural_key == "externalId" else None


def order_key(order: Order, books: Books) -> Key:
    return _key("order", order.id, order.number, "otherRefNum", books)


def payment_key(payment: Payment, books: Books) -> Key:
    return _key("payment", payment.id, payment.id, "checkNumber", books)


def _key(kind: str, record_id: str, number: str, reference_field: str, books: Books) -> Key:
    """A payment's other reference is the number of its cheque; one column of SuiteQL holds both."""
    ours, shown = external_id(kind, record_id, books), clean(number, books.config.po_length)
    match books.own.natural_key:
        case "tranId":
            return Key(None, {"tranId": shown}, "tranid", shown)
        case "otherRefNum":
            return Key(None, {reference_field: shown}, "otherrefnum", shown)
        case "customField":
            field = books.own.natural_key_field or ""
            return Key(None, {field: ours}, field.lower(), ours)
    return Key(ours, {}, "externalid", ours)


def payment_column(books: Books) -> str:
    """The column of SuiteQL that tells our payments."""
    columns = {"externalId": "externalid", "tranId": "tranid", "otherRefNum": "otherrefnum"}
    return columns.get(books.own.natural_key) or (books.own.natural_key_field or "").lower()


def payment_of(value: str, books: Books) -> str | None:
    """Our id of a payment by what stands in that column. Numbers may be anybody's: whoever asks must know the id."""
    if books.own.natural_key in {"tranId", "otherRefNum"}:
        return value or None
    return external_ids.record_of(books.own.external_id_prefix, "payment", value)
