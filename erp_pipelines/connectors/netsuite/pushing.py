"""What every push has in common: a record that is made once and read back, and the result as the engine reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from erp_pipelines.connectors.base import Pushed
from erp_pipelines.connectors.netsuite.client import NetSuiteClient, field_dropped
from erp_pipelines.connectors.netsuite.keys import Key
from erp_pipelines.connectors.netsuite.wire import CustomerDoc, ItemDoc, PaymentDoc, RecordDoc, SaleDoc
from erp_pipelines.domain.errors import AnswerLost, ErpError, NameTaken, Rejected, StaleVersion
from erp_pipelines.domain.outcomes import Outcome

D = TypeVar("D", bound=RecordDoc)
# Codes that may say that a record exists already: NetSuite's text says which, in the language of the account.
MAY_EXIST = "USER_ERROR"


@dataclass(frozen=True)
class Kept(Generic[D]):
    """A record as it stands after a write, and NetSuite's id of the call that made it so."""

    doc: D
    request_id: str = ""


@dataclass(frozen=True)
class Form(Generic[D]):
    """How records of one type are sent: where to, which sublists are as sent, what is read back, what must not get lost."""

    model: type[D]
    record_type: str
    fields: tuple[str, ...]
    replaced: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()


def made(client: NetSuiteClient, form: Form[D], key: Key, body: Mapping[str, Any]) -> Kept[D]:
    """A record that is not known yet: an upsert by its external id, which can be repeated; else a create, which cannot."""
    if key.external_id is not None:
        request_id = client.upsert(form.record_type, key.external_id, body, _replaced(form, body))
        ident = f"eid:{key.external_id}"
    else:
        ident, request_id = client.create(form.record_type, body)
    with _done_anyway():
        doc = _read_back(client, form, ident)
    _check_kept(form, doc, body)
    return Kept(doc, request_id)


def updated(
    client: NetSuiteClient, form: Form[D], ident: str, body: Callable[[D], Mapping[str, Any]], *, whole: bool = False
) -> Kept[D]:
    """Read a record, see by `body` what to change or that it must be left alone, change it, and read it back.

    Once more where somebody has saved it in between. `whole`: `body` must see sublists too.
    """

    def send() -> tuple[str, Mapping[str, Any]]:
        wanted = body(client.read(form.model, form.record_type, ident, () if whole else _read_fields(form)))
        return client.update(form.record_type, ident, wanted, _replaced(form, wanted)), wanted

    try:
        request_id, sent = send()
    except StaleVersion:
        request_id, sent = send()
    with _done_anyway():
        doc = _read_back(client, form, ident)
    _check_kept(form, doc, sent)
    return Kept(doc, request_id)


def may_exist(error: Rejected) -> bool:
    """Whether a refused create may have been refused because the record stands there already."""
    return isinstance(error, NameTaken) or error.erp_code == MAY_EXIST


def version(record_type: str, stamp: str) -> str:
    """What is kept of a record beside its id: its type, which decides its address, and when it was saved last."""
    return f"{record_type} {stamp}"


def pushed(outcome: Outcome, record_type: str, kept: Kept[Any]) -> Pushed:
    """A record that stands in NetSuite."""
    doc = kept.doc
    plain = Pushed(
        outcome,
        doc.id,
        record_type,
        sync_token=version(record_type, doc.stamp),
        updated_at=doc.updated_at,
        request_id=kept.request_id,
    )
    match doc:
        case CustomerDoc():
            return replace(plain, external_number=doc.entity_id)
        case ItemDoc():
            return replace(plain, external_number=doc.item_id)
        case SaleDoc():
            balance = doc.total if doc.amount_remaining is None else doc.amount_remaining
            return replace(plain, external_number=doc.tran_id, total=doc.total, balance=balance)
        case PaymentDoc():
            return replace(plain, external_number=doc.tran_id, total=doc.payment)
    return plain


def _replaced(form: Form[Any], body: Mapping[str, Any]) -> tuple[str, ...]:
    """A sublist that is not sent must not be emptied."""
    return tuple(name for name in form.replaced if name in body)


def _read_fields(form: Form[Any]) -> Sequence[str]:
    return tuple(dict.fromkeys(("externalId", "lastModifiedDate", *form.fields, *form.watched)))


def _read_back(client: NetSuiteClient, form: Form[D], ident: str) -> D:
    return client.read(form.model, form.record_type, ident, _read_fields(form))


def _check_kept(form: Form[Any], doc: RecordDoc, sent: Mapping[str, Any]) -> None:
    """A role that may not write a field has it dropped without a word."""
    present = {name.lower() for name, value in _fields_of(doc).items() if value not in (None, "")}
    lost = [name for name in form.watched if sent.get(name) and name.lower() not in present]
    if lost:
        raise field_dropped(", ".join(lost))


def _fields_of(doc: RecordDoc) -> dict[str, Any]:
    return doc.model_dump(by_alias=True)


@contextmanager
def _done_anyway() -> Iterator[None]:
    """The write before was done: whatever fails now, its effect must be found out before it is repeated."""
    try:
        yield
    except ErpError as error:
        raise AnswerLost(
            f"The record was saved, but could not be read back: {error.message}",
            mend=error.mend,
            erp_code=error.erp_code,
            request_id=error.request_id,
        ) from None
