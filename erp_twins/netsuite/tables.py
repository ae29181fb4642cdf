"""The tables of SuiteQL, from an account's records as others see them (reference 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp_twins.jsonio import Doc
from erp_twins.netsuite import table_lines
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.record_types import ITEMS, TRANSACTIONS, TYPES
from erp_twins.netsuite.roles import Role
from erp_twins.netsuite.suiteql import ColumnType, Dialect, Table
from erp_twins.netsuite.table_columns import COLUMNS, DISPLAYED, FEATURES, LISTS
from erp_twins.netsuite.values import name_of, target_of

CUSTOM = {"transaction": "custbody", "customer": "custentity", "item": "custitem"}  # how the ids of own fields begin
_READ: dict[ColumnType, Callable[[Any], Any]] = {
    "integer": int,
    "number": Decimal,
    "text": str,
    "boolean": bool,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


def of(account: Account, role: Role) -> dict[str, Table]:
    """The tables that there are for a role; what is off in the account has neither table nor column."""
    account.settle()
    transactions = tuple(one.name for one in TRANSACTIONS if role.may(one.name, "view"))
    items = tuple(one.name for one in ITEMS if role.may(one.name, "view"))
    made = _Maker(account)
    tables = {name: made.table(name, (record,), _plain(account, record)) for name, record in LISTS.items()}
    tables |= {
        "customer": made.table("customer", ("customer",), _customers(account)),
        "customeraddressbook": made.table("customeraddressbook", ("customer",), _addresses(account), "internalid"),
        "customeraddressbookentityaddress": made.table(
            "customeraddressbookentityaddress", ("customer",), _addresses(account), "nkey"
        ),
        "item": made.table("item", items, _of_kinds(account, items)),
        "pricing": made.table("pricing", items, _prices(account, items), "item"),
        "transaction": made.table("transaction", transactions, table_lines.headers(account, transactions)),
        "transactionline": made.table(
            "transactionline", transactions, table_lines.lines(account, transactions), "uniquekey"
        ),
        "nexttransactionlinelink": made.table(
            "nexttransactionlinelink", transactions, table_lines.links(account, transactions), "nextdoc"
        ),
        "deletedrecord": made.table("deletedrecord", tuple(TYPES), account.seen_deletions, "recordid"),
    }
    return {
        name: table for name, table in tables.items() if account.has(FEATURES.get(name, "")) or name not in FEATURES
    }


def hidden(role: Role) -> frozenset[str]:
    """Tables that the role may not see."""
    lists = {name for name, record in LISTS.items() if not role.may(record, "view")}
    if not role.may("customer", "view"):
        lists |= {"customer", "customeraddressbook", "customeraddressbookentityaddress"}
    if not any(role.may(one.name, "view") for one in ITEMS):
        lists |= {"item", "pricing"}
    if not any(role.may(one.name, "view") for one in TRANSACTIONS):
        lists |= {"transaction", "transactionline", "nexttransactionlinelink"}
    return frozenset(lists if role.opens("deleted_records") else lists | {"deletedrecord"})


def dialect(account: Account, role: Role, *, crashing: frozenset[str] = frozenset()) -> Dialect:
    settings = account.settings

    def display(column: str, value: Any) -> str | None:
        return _displayed(account, column, value)

    return Dialect(
        settings.zone, settings.date_format, settings.raw_times, display, hidden=hidden(role), crashing=crashing
    )


def _displayed(account: Account, column: str, value: Any) -> str | None:
    """The name of what a column refers to."""
    if column == "transaction.type":
        return next((kind.title for kind in TRANSACTIONS if kind.code == value), None)
    record = DISPLAYED.get(column.rpartition(".")[2])
    found = target_of(account, record, str(value)) if record else None
    return name_of(found[1]) if found else None


class _Maker:
    """Makes tables whose rows are converted when they are asked for."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def table(self, name: str, kinds: tuple[str, ...], rows: Callable[[], Iterable[Doc]], key: str = "id") -> Table:
        columns: Mapping[str, tuple[ColumnType, str]] = {
            column: spec for column, spec in COLUMNS[name].items() if self._on(f"{name}.{column}")
        } | self._custom(name)
        version = sum(self._account.versions[kind] for kind in kinds)

        def converted() -> Iterator[Mapping[str, Any]]:
            return (_row(columns, row) for row in rows())

        return Table(name, {column: kind for column, (kind, _) in columns.items()}, converted, version, key)

    def _custom(self, name: str) -> dict[str, tuple[ColumnType, str]]:
        """The account's own fields are columns too."""
        prefix = CUSTOM.get(name)
        fields = self._account.settings.custom_fields if prefix else ()
        return {field: ("text", field) for field in fields if prefix and field.startswith(prefix)}

    def _on(self, place: str) -> bool:
        feature = FEATURES.get(place) or FEATURES.get(place.rpartition(".")[2])
        return not feature or self._account.has(feature)


def _row(columns: Mapping[str, tuple[ColumnType, str]], row: Doc) -> dict[str, Any]:
    found = ((column, kind, row.get(source)) for column, (kind, source) in columns.items())
    return {column: _READ[kind](value) for column, kind, value in found if value not in (None, "")}


# --- where the rows come from ---


def _plain(account: Account, record: str) -> Callable[[], Iterable[Doc]]:
    return lambda: account.seen_rows(record)


def _of_kinds(account: Account, kinds: tuple[str, ...]) -> Callable[[], Iterable[Doc]]:
    return lambda: (row for kind in kinds for row in account.seen_rows(kind))


def _customers(account: Account) -> Callable[[], Iterable[Doc]]:
    def rows() -> Iterator[Doc]:
        for doc in account.seen_rows("customer"):
            yield {**doc, **_defaults(doc), "altname": doc.get("companyName", "")}

    return rows


def _defaults(doc: Doc) -> Doc:
    book = doc.get("addressBook", [])
    flags = {"defaultbillingaddress": "defaultBilling", "defaultshippingaddress": "defaultShipping"}
    return {column: line["internalId"] for column, flag in flags.items() for line in book if line.get(flag)}


def _addresses(account: Account) -> Callable[[], Iterable[Doc]]:
    def rows() -> Iterator[Doc]:
        for doc in account.seen_rows("customer"):
            for line in doc.get("addressBook", []):
                yield {**line["addressBookAddress"], **line, "entity": doc["id"]}

    return rows


def _prices(account: Account, kinds: tuple[str, ...]) -> Callable[[], Iterable[Doc]]:
    docs = _of_kinds(account, kinds)
    return lambda: ({**line, "item": doc["id"]} for doc in docs() for line in doc.get("price", []))
