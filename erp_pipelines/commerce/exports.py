"""A tenant's own data as CSV or JSON. The CSV files of customers, products and orders can be imported without a map."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TextIO, TypeVar

from pydantic.alias_generators import to_camel

from erp_pipelines.commerce.candidates import line_fields
from erp_pipelines.commerce.fields import fields_of, nearest, value_at
from erp_pipelines.commerce.saving import require_tenant
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.products import Product
from erp_pipelines.storage import commerce, commerce_exports, commerce_orders
from erp_pipelines.storage.commerce_exports import LOGS, MAPPINGS, Listing
from erp_pipelines.storage.engine import Connection, Database

T = TypeVar("T")

PAGE = 200
# A spreadsheet runs a cell that begins so. Numbers may: they are what they look like.
RUNNABLE = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)

Rows = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class _Kind:
    header: tuple[str, ...]
    rows: Callable[[Database, str], Rows]


def write(db: Database, tenant_id: str, kind: str, form: str, stream: TextIO) -> int:
    """Write all of a kind to the stream, as it is read, page by page; how many rows there were.

    `form` is `csv`, where text that a spreadsheet would run is disarmed by an apostrophe, or `json`: one array.
    Of orders the CSV has no lines: they are the kind `order-lines`.
    Raises NotFound for an unknown tenant, RecordInvalid for an unknown kind or form.
    """
    if kind not in KINDS:
        raise RecordInvalid(f"{kind!r} cannot be exported; the nearest that can is {nearest(kind, KINDS)!r}.")
    if form not in {"csv", "json"}:
        raise RecordInvalid(f"{form!r} is no format.", mend="Known are csv and json.")
    with db.tenant(tenant_id) as conn:
        require_tenant(conn, tenant_id)
    rows = KINDS[kind].rows(db, tenant_id)
    return _write_json(rows, stream) if form == "json" else _write_csv(KINDS[kind].header, rows, stream)


def _write_csv(header: tuple[str, ...], rows: Rows, stream: TextIO) -> int:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007  the last count is the result
        writer.writerow([_cell(value_at(row, name)) for name in header])
    return count


def _write_json(rows: Rows, stream: TextIO) -> int:
    stream.write("[")
    count = 0
    for count, row in enumerate(rows, 1):
        stream.write("\n" if count == 1 else ",\n")
        stream.write(json.dumps({name: value for name, value in row.items() if value is not None}, ensure_ascii=False))
    stream.write("\n]\n" if count else "]\n")
    return count


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return disarmed(str(value))


def disarmed(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would run it; numbers stay as they are."""
    return f"'{text}" if RUNNABLE.match(text) and not NUMBER.fullmatch(text) else text


def _pages(db: Database, tenant_id: str, fetch: Callable[[Connection, T | None], list[T]]) -> Iterator[T]:
    """Each page in a transaction of its own, so that a slow reader holds none open."""
    last: T | None = None
    while True:
        with db.tenant(tenant_id) as conn:
            found = fetch(conn, last)
        yield from found
        if len(found) < PAGE:
            return
        last = found[-1]


def _customers(db: Database, tenant_id: str) -> Rows:
    def fetch(conn: Connection, last: Customer | None) -> list[Customer]:
        return commerce.page(conn, Customer, tenant_id, last.id if last else None, PAGE)

    return (record.payload() for record in _pages(db, tenant_id, fetch))


def _products(db: Database, tenant_id: str) -> Rows:
    def fetch(conn: Connection, last: Product | None) -> list[Product]:
        return commerce.page(conn, Product, tenant_id, last.id if last else None, PAGE)

    return (record.payload() for record in _pages(db, tenant_id, fetch))


def _all_orders(db: Database, tenant_id: str) -> Iterator[Order]:
    def fetch(conn: Connection, last: Order | None) -> list[Order]:
        return commerce_orders.page(conn, tenant_id, last.id if last else None, PAGE)

    return _pages(db, tenant_id, fetch)


def _orders(db: Database, tenant_id: str) -> Rows:
    return (order.payload() for order in _all_orders(db, tenant_id))


def _order_lines(db: Database, tenant_id: str) -> Rows:
    for order in _all_orders(db, tenant_id):
        for line in order.lines:
            yield {"orderId": order.id, **line.payload()}


def _listed(listing: Listing) -> Callable[[Database, str], Rows]:
    def rows(db: Database, tenant_id: str) -> Rows:
        def fetch(conn: Connection, last: dict[str, Any] | None) -> list[dict[str, Any]]:
            after = [last[name] for name in listing.key] if last else None
            return commerce_exports.page(conn, listing, tenant_id, after, PAGE)

        return (_camel(row) for row in _pages(db, tenant_id, fetch))

    return rows


def _camel(row: Mapping[str, Any]) -> dict[str, Any]:
    return {to_camel(name): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def _camel_names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(to_camel(name) for name in names)


KINDS = {
    "customers": _Kind(tuple(fields_of(Customer)), _customers),
    "products": _Kind(tuple(fields_of(Product)), _products),
    "orders": _Kind(tuple(fields_of(Order)), _orders),
    "order-lines": _Kind(tuple(line_fields()), _order_lines),
    "logs": _Kind(_camel_names(LOGS.columns), _listed(LOGS)),
    "mappings": _Kind(_camel_names(MAPPINGS.columns), _listed(MAPPINGS)),
}
