"""What the settings of a connection may name: the company's own accounts, items, tax codes and lists, for forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from erp_pipelines.connectors.provider import Choice
from erp_pipelines.connectors.quickbooks.client import MOST_ROWS, QuickBooksClient
from erp_pipelines.connectors.quickbooks.settings_check import (
    ACCOUNT_TYPES,
    DEPOSITS,
    INCOME,
    INCOMES,
    ITEMS,
    LINE_ITEMS,
    MONEY,
)
from erp_pipelines.connectors.quickbooks.wire import AccountDoc, ItemDoc, Listed, TaxCodeDoc, Wire
from erp_pipelines.domain.errors import Rejected

D = TypeVar("D", bound=Wire)
# The list of each setting that names a row of it by its id alone.
LISTS = {
    "providerSettings.classId": "Class",
    "providerSettings.classes": "Class",
    "providerSettings.departmentId": "Department",
    "providerSettings.terms": "Term",
    "providerSettings.paymentMethods": "PaymentMethod",
}
CODES = ("taxCodeId", "exemptTaxCodeId", "providerSettings.taxCodes")


def choices(client: QuickBooksClient, *, in_the_us: bool) -> dict[str, tuple[Choice, ...]]:
    """By the JSON path of the setting. A read for each list: six, seven outside the US, where lines take tax codes."""
    return {path: tuple(sorted(found, key=_by_name)) for path, found in _lists(client, in_the_us=in_the_us) if found}


def _lists(client: QuickBooksClient, *, in_the_us: bool) -> Iterator[tuple[str, list[Choice]]]:
    accounts = _rows(client, AccountDoc, "Account")
    for path, kinds in {**ACCOUNT_TYPES, INCOMES: INCOME, DEPOSITS: MONEY}.items():
        yield path, [Choice(one.id, one.fully_qualified_name) for one in accounts if one.account_type in kinds]
    items = [Choice(one.id, one.name) for one in _rows(client, ItemDoc, "Item") if one.type != "Category"]
    yield from ((path, items) for path in (*ITEMS, LINE_ITEMS))
    for path, entity in LISTS.items():
        yield path, _named(_rows(client, Listed, entity))
    if not in_the_us:
        codes = _named(_rows(client, TaxCodeDoc, "TaxCode"))
        yield from ((path, codes) for path in CODES)


def _rows(client: QuickBooksClient, model: type[D], entity: str) -> Sequence[D]:
    """The active rows; none of a list that goes on beyond a page."""
    try:
        rows = client.query(model, entity)
    except Rejected:
        return ()
    return () if len(rows) == MOST_ROWS else rows


def _named(rows: Iterable[Listed | TaxCodeDoc]) -> list[Choice]:
    return [Choice(row.id, row.name) for row in rows if row.active]


def _by_name(choice: Choice) -> tuple[str, str]:
    return choice.name.casefold(), choice.id
