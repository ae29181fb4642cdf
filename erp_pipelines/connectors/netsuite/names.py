"""Bringing customers and products into NetSuite, where their names are unique too.

They are sent without looking first. One that is refused is looked up: what is ours or nobody's is adopted as it stands,
never overwritten; what belongs to somebody else makes one other name, always the same for the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from erp_pipelines.connectors.base import Known, Pushed, Write
from erp_pipelines.connectors.netsuite import mapper_names
from erp_pipelines.connectors.netsuite.addresses import with_addresses
from erp_pipelines.connectors.netsuite.client import NetSuiteClient, Row
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.keys import Key, external_id, own_external_id
from erp_pipelines.connectors.netsuite.pushing import Form, made, may_exist, pushed, updated, version
from erp_pipelines.connectors.netsuite.wire import CustomerDoc, ItemDoc
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import NameTaken, Rejected
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.products import Product

N = TypeVar("N", CustomerDoc, ItemDoc)
NAMES_AT_ONCE = 100
CUSTOMER_FIELDS, ITEM_FIELDS = ("entityId", "companyName", "isInactive"), ("itemId", "isInactive")
# SuiteQL's types of items that can be sold, and what REST calls them.
ITEM_TYPES = {
    "InvtPart": "inventoryItem",
    "NonInvtPart": "nonInventorySaleItem",
    "NonInvtPart/Sale": "nonInventorySaleItem",
    "NonInvtPart/Resale": "nonInventoryResaleItem",
    "Service": "serviceSaleItem",
    "Service/Sale": "serviceSaleItem",
    "Service/Resale": "serviceResaleItem",
    "OthCharge": "otherChargeSaleItem",
    "OthCharge/Sale": "otherChargeSaleItem",
    "OthCharge/Resale": "otherChargeResaleItem",
    "Kit": "kitItem",
    "Assembly": "assemblyItem",
}


@dataclass(frozen=True)
class Holder:
    """A record of NetSuite that has the name, or the external id, of ours."""

    id: str
    name: str
    external_id: str
    inactive: bool
    record_type: str


@dataclass(frozen=True)
class NameList(Generic[N]):
    """One record and the list it belongs in. `search` is a SELECT whose first `?` is the name and second the external id.

    `names_of` is one for the upper-case names that somebody has, of those that `{names}` stands for.
    """

    form: Form[N]
    name_field: str
    search: str
    names_of: str
    key: Key
    ours: str
    other_suffix: str
    wanted_active: bool
    look_first: bool
    with_sublists: bool
    body: Callable[[str], dict[str, Any]]
    change: Callable[[N, Mapping[str, Any]], Mapping[str, Any]]
    record_type_of: Callable[[Row], str]

    def may_adopt(self, holder: Holder) -> bool:
        """What carries our external id or none; where external ids are somebody else's, they say nothing."""
        return bool(holder.record_type) and (
            self.key.external_id is None or holder.external_id.lower() in {"", self.ours}
        )


class Names:
    """Pushes for one account."""

    def __init__(self, client: NetSuiteClient, books: Books) -> None:
        self._client, self._books = client, books

    def push_customer(self, write: Write, record: Customer) -> Pushed:
        return self._push(self._customers(record), write)

    def find_customer(self, record: Customer) -> Pushed | None:
        return self._find(self._customers(record))

    def push_item(self, write: Write, record: Product) -> Pushed:
        return self._push(self._items(record, write.known), write)

    def find_item(self, record: Product) -> Pushed | None:
        return self._find(self._items(record, None))

    def unheld(self, records: Sequence[Customer | Product]) -> set[str]:
        """The ids of the records, all of one kind, whose names nobody has: a query for each hundred."""
        names = {one.id: self._list_of(one) for one in records}
        wanted = {ident: str(one.body("")[one.name_field]).upper() for ident, one in names.items()}
        statement = next((one.names_of for one in names.values()), "")
        held: set[str] = set()
        for start in range(0, len(wanted), NAMES_AT_ONCE):
            chunk = sorted(set(wanted.values()))[start : start + NAMES_AT_ONCE]
            places = ", ".join("?" for _ in chunk)
            held |= (
                {row["name"] for row in self._client.query(statement.format(names=places), chunk)} if chunk else set()
            )
        return {ident for ident, name in wanted.items() if name not in held}

    def _list_of(self, record: Customer | Product) -> NameList[Any]:
        return self._customers(record) if isinstance(record, Customer) else self._items(record, None)

    def taken(self, record: Customer | Product) -> NameTaken | None:
        """The refusal that a new record would end in: its name belongs to an inactive one, or both its names to others."""
        names = self._list_of(record)
        for suffix in ("", names.other_suffix):
            holder = self._holder(names, suffix)
            if holder is None or (names.may_adopt(holder) and not holder.inactive):
                return None
            if holder.inactive or suffix:
                return _taken(holder, Rejected(f"{holder.name} is taken.", cause="name-taken", mend=""))
        return None

    def _customers(self, record: Customer) -> NameList[CustomerDoc]:
        books = self._books
        by_name = books.own.customer_numbering == "name"
        column = "entityid" if by_name else "companyname"
        watched = tuple(books.own.customer_fields)
        return NameList(
            form=Form(CustomerDoc, "customer", CUSTOMER_FIELDS, ("addressBook",), watched),
            name_field="entityId" if by_name else "companyName",
            search=f"SELECT id, {column} AS name, externalid, isinactive FROM customer WHERE UPPER({column}) = UPPER(?) OR externalid = ? ORDER BY id",  # noqa: S608 - constants
            names_of=f"SELECT UPPER({column}) AS name FROM customer WHERE UPPER({column}) IN ({{names}}) ORDER BY id",  # noqa: S608 - constants
            key=_key("customer", record.id, books),
            ours=external_id("customer", record.id, books),
            other_suffix=f" ({record.id})",
            wanted_active=record.active,
            look_first=not by_name,  # numbers are always free: nothing would be refused
            with_sublists=True,
            body=lambda suffix: mapper_names.customer(record, books, suffix=suffix),
            change=lambda doc, body: with_addresses(body, doc.address_book),
            record_type_of=lambda _: "customer",
        )

    def _items(self, record: Product, known: Known | None) -> NameList[ItemDoc]:
        """A product whose kind has changed stays the item that it is: NetSuite changes no item's type."""
        books = self._books
        record_type = self._type_of(known) if known else mapper_names.record_type(record)
        column = books.config.item_type_column
        return NameList(
            form=Form(ItemDoc, record_type, ITEM_FIELDS, watched=tuple(books.own.item_fields)),
            name_field="itemId",
            search=f"SELECT id, itemid AS name, externalid, isinactive, {column} AS type, subtype FROM item WHERE UPPER(itemid) = UPPER(?) OR externalid = ? ORDER BY id",  # noqa: S608 - constants
            names_of="SELECT UPPER(itemid) AS name FROM item WHERE UPPER(itemid) IN ({names}) ORDER BY id",
            key=_key("product", record.id, books),
            ours=external_id("product", record.id, books),
            other_suffix=f" ({record.id})",
            wanted_active=record.active,
            look_first=False,
            with_sublists=False,
            body=lambda suffix: mapper_names.item(record, books, suffix=suffix),
            change=lambda _, body: body,
            record_type_of=_item_type,
        )

    def _type_of(self, known: Known) -> str:
        if known.sync_token:
            return known.sync_token.partition(" ")[0]
        column = self._books.config.item_type_column
        rows = self._client.by_ids(f"SELECT id, {column} AS type, subtype FROM item WHERE id IN ({{ids}}) ORDER BY id", [known.external_id])  # noqa: S608 # fmt: skip
        return next((_item_type(row) for row in rows), "") or "nonInventorySaleItem"

    # --- the steps ---

    def _find(self, names: NameList[N]) -> Pushed | None:
        """By our external id, or under its own name, or under the one other name that a stranger would have left it."""
        for suffix in ("", names.other_suffix):
            holder = self._holder(names, suffix)
            if holder is not None and names.may_adopt(holder):
                return self._adopted(holder)
            if holder is None:
                return None
        return None

    def _push(self, names: NameList[N], write: Write) -> Pushed:
        if write.known is not None:
            return self._update(names, write.known)
        found = self._find(names) if write.in_doubt or names.look_first else None
        return found or self._create(names, "")

    def _create(self, names: NameList[N], suffix: str) -> Pushed:
        try:
            kept = made(self._client, names.form, names.key, names.body(suffix))
        except Rejected as refused:
            if not may_exist(refused):
                raise
            return self._settled(names, suffix, refused)
        return pushed(Outcome.CREATED, names.form.record_type, kept)

    def _settled(self, names: NameList[N], suffix: str, refused: Rejected) -> Pushed:
        """A refused create: adopted, sent under another name, or refused for good."""
        holder = self._holder(names, suffix)
        if holder is None:
            raise refused
        if names.may_adopt(holder) and not holder.inactive:
            return self._adopted(holder)
        if holder.inactive or suffix:
            raise _taken(holder, refused)
        return self._create(names, names.other_suffix)

    def _update(self, names: NameList[N], known: Known) -> Pushed:
        """Under its own name, or under the one other name where that is somebody else's."""
        try:
            return self._change(names, known, "")
        except Rejected as refused:
            holder = self._holder(names, "", known) if may_exist(refused) else None
            if holder is None or holder.id == known.external_id:
                raise
        return self._change(names, known, names.other_suffix)

    def _change(self, names: NameList[N], known: Known, suffix: str) -> Pushed:
        wanted = mapper_names.changes(names.body(suffix))

        def body(doc: N) -> Mapping[str, Any]:
            _refuse_inactive(names, doc, known)
            return names.change(doc, wanted)

        kept = updated(self._client, names.form, known.external_id, body, whole=names.with_sublists)
        return pushed(Outcome.UPDATED, names.form.record_type, kept)

    def _holder(self, names: NameList[N], suffix: str, known: Known | None = None) -> Holder | None:
        """Who carries our external id, else who has the name; active ones first, and of a known record others first."""
        name = names.body(suffix)[names.name_field]
        rows = self._client.query(names.search, (name, names.ours))
        found = [
            Holder(
                row["id"],
                row.get("name", ""),
                row.get("externalid", ""),
                row.get("isinactive") == "T",
                names.record_type_of(row),
            )
            for row in rows
        ]
        own = known.external_id if known else ""
        return min(found, key=lambda one: (one.id == own, one.external_id.lower() != names.ours, one.inactive), default=None)  # fmt: skip

    def _adopted(self, holder: Holder) -> Pushed:
        """As it stands; it is read when it is next written to."""
        return Pushed(
            Outcome.ADOPTED,
            holder.id,
            holder.record_type,
            external_number=holder.name,
            sync_token=version(holder.record_type, ""),
        )


def _key(kind: str, record_id: str, books: Books) -> Key:
    """Without external ids, the name itself keeps a record from standing there twice."""
    return Key(own_external_id(kind, record_id, books), {}, "", "")


def _item_type(row: Row) -> str:
    """Empty for an item that cannot be sold."""
    kind, subtype = row.get("type", ""), row.get("subtype", "")
    return ITEM_TYPES.get(f"{kind}/{subtype}" if subtype else kind) or (
        ITEM_TYPES.get(kind, "") if kind == "InvtPart" else ""
    )


def _refuse_inactive(names: NameList[N], doc: N, known: Known) -> None:
    """What a bookkeeper switched off since our last write stays off, unless the shop's record is inactive too."""
    own_write = known.sync_token == version(names.form.record_type, doc.stamp)
    if not doc.is_inactive or not names.wanted_active or own_write:
        return
    raise Rejected(
        f"{names.form.record_type} {doc.id} was made inactive in NetSuite.",
        cause="inactive",
        mend="Make it active again in NetSuite, or set the shop's record inactive.",
    )


def _taken(holder: Holder, refused: Rejected) -> NameTaken:
    if holder.inactive:
        mend = f"{holder.record_type or 'Record'} {holder.id} has this name and is inactive: make it active again in NetSuite, or rename it."
    else:
        mend = f"{holder.record_type or 'Record'} {holder.id} has this name: rename one of the two."
    return NameTaken(
        refused.message, mend=mend, candidate=holder.id, erp_code=refused.erp_code, request_id=refused.request_id
    )
