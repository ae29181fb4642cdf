"""Bringing customers and products into QuickBooks' name lists.

They are sent without looking first. A name that is taken is looked up: what is ours or nobody's is adopted as it
stands, never overwritten; what belongs to somebody else makes one other name, always the same for the record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from erp_pipelines.connectors.base import Pushed, Write
from erp_pipelines.connectors.quickbooks import mapper_names, text
from erp_pipelines.connectors.quickbooks.client import Got, QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.pushing import pushed, updated
from erp_pipelines.connectors.quickbooks.wire import CustomerDoc, ItemDoc
from erp_pipelines.connectors.text import clean
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import NameTaken, Rejected
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.products import Product

N = TypeVar("N", CustomerDoc, ItemDoc)


@dataclass(frozen=True)
class NameList(Generic[N]):
    """One record and the list it belongs in.

    `is_ours` says of an active holder of its name whether it may be adopted, `other_suffix` what to append to the
    name when it may not (None: nothing helps).
    """

    entity: str
    name_field: str
    model: type[N]
    wanted_active: bool
    body: Callable[[str], dict[str, Any]]
    is_ours: Callable[[N], bool]
    other_suffix: Callable[[N | None], str | None]


def push_customer(client: QuickBooksClient, books: Books, write: Write, record: Customer) -> Pushed:
    return _push(client, _customers(books, record), write)


def find_customer(client: QuickBooksClient, books: Books, record: Customer) -> Pushed | None:
    return _find(client, _customers(books, record))


def push_item(client: QuickBooksClient, books: Books, write: Write, record: Product) -> Pushed:
    return _push(client, _items(books, record), write)


def find_item(client: QuickBooksClient, books: Books, record: Product) -> Pushed | None:
    return _find(client, _items(books, record))


def name_list(books: Books, record: Customer | Product) -> NameList[Any]:
    """The record's place in its list, to be looked at without sending anything."""
    return _customers(books, record) if isinstance(record, Customer) else _items(books, record)


def name_of(row: CustomerDoc | ItemDoc) -> str:
    return row.display_name if isinstance(row, CustomerDoc) else row.name


def taken_for_good(names: NameList[N], holder: N | None) -> NameTaken | None:
    """The error that a new record would meet over its name: the holder can't be adopted, and no other name would help."""
    if holder is None or holder.active or names.other_suffix(holder) is not None:
        return None
    return NameTaken(f"{names.entity} {holder.id} has the name {name_of(holder)!r}.", mend=_inactive(names, holder))


def _inactive(names: NameList[N], holder: N) -> str:
    return (
        f"{names.entity} {holder.id} has this name and is inactive: make it active again in QuickBooks, or rename it."
    )


def _customers(books: Books, record: Customer) -> NameList[CustomerDoc]:
    def is_ours(holder: CustomerDoc) -> bool:
        return text.carries(holder.notes, record.id) or not text.is_marked(holder.notes)

    def other_suffix(holder: CustomerDoc | None) -> str | None:
        if holder is None:  # a vendor's or employee's: the three lists share their names
            return books.config.name_suffix
        return None if is_ours(holder) else f" ({text.document_number(record.id)})"

    return NameList(
        "Customer",
        "DisplayName",
        CustomerDoc,
        record.active,
        lambda suffix: mapper_names.customer(record, books, suffix=suffix),
        is_ours,
        other_suffix,
    )


def _items(books: Books, record: Product) -> NameList[ItemDoc]:
    sku = clean(record.sku, mapper_names.SKU_LENGTH)

    def is_ours(holder: ItemDoc) -> bool:
        """Variants share a name and differ in their SKU; a category cannot be sold."""
        return holder.type != "Category" and (not sku or not holder.sku or holder.sku == sku)

    def other_suffix(holder: ItemDoc | None) -> str | None:
        return None if holder is None or is_ours(holder) else f" ({text.document_number(sku or record.id)})"

    return NameList(
        "Item",
        "Name",
        ItemDoc,
        record.active,
        lambda suffix: mapper_names.item(record, books, suffix=suffix),
        is_ours,
        other_suffix,
    )


def _find(client: QuickBooksClient, names: NameList[N]) -> Pushed | None:
    """Under its own name, or under the one other name that a stranger would have left it."""
    holder = _holder(client, names, "")
    suffix = names.other_suffix(holder)
    if holder is not None and suffix is not None:
        holder = _holder(client, names, suffix)
    return pushed(Outcome.ADOPTED, holder) if holder is not None and names.is_ours(holder) else None


def _push(client: QuickBooksClient, names: NameList[N], write: Write) -> Pushed:
    """Under its own name, or under the one other name that the holder of its own leaves."""
    try:
        return _send(client, names, write, "")
    except NameTaken as taken:
        holder = _holder(client, names, "")
        suffix = names.other_suffix(holder)
        if suffix is None:
            return _adopted(names, write, holder, taken)
    try:
        return _send(client, names, write, suffix)
    except NameTaken as taken:
        return _adopted(names, write, _holder(client, names, suffix), taken)


def _send(client: QuickBooksClient, names: NameList[N], write: Write, suffix: str) -> Pushed:
    body = names.body(suffix)
    if write.known is None:
        created: Got[N] = client.create(names.model, names.entity, body, write.key(f"create{suffix}"))
        return pushed(Outcome.CREATED, created.doc, created.request_id)
    got = updated(
        client,
        names.model,
        names.entity,
        mapper_names.changes(body),
        write,
        write.known,
        may_change=lambda doc: _refuse_inactive(names, doc),
        purpose=suffix,
    )
    return pushed(Outcome.UPDATED, got.doc, got.request_id)


def _holder(client: QuickBooksClient, names: NameList[N], suffix: str) -> N | None:
    """Who has the name: asked for active and inactive ones, since inactive rows are hidden otherwise."""
    name = client.quoted(names.body(suffix)[names.name_field])
    rows = client.query(names.model, names.entity, f"{names.name_field} = {name} and Active in (true, false)")
    return next((row for row in rows if row.active), rows[0] if rows else None)


def _adopted(names: NameList[N], write: Write, holder: N | None, taken: NameTaken) -> Pushed:
    if write.known is None and holder is not None and holder.active and names.is_ours(holder):
        return pushed(Outcome.ADOPTED, holder)
    if holder is not None and not holder.active:
        mend = _inactive(names, holder)
    else:
        mend = "Another customer, vendor, employee or item has this name: rename one of the two."
    raise NameTaken(
        taken.message,
        mend=mend,
        candidate=holder.id if holder else taken.candidate,
        erp_code=taken.erp_code,
        request_id=taken.request_id,
    )


def _refuse_inactive(names: NameList[N], doc: N) -> None:
    """What a bookkeeper switched off stays off, unless the shop's record is inactive too."""
    if doc.active or not names.wanted_active:
        return
    raise Rejected(
        f"{names.entity} {doc.id} was made inactive in QuickBooks.",
        cause="inactive",
        mend="Make it active again in QuickBooks, or set the shop's record inactive.",
    )
