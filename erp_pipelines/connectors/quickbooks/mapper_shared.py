"""What several mappers need: references, addresses, currency. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.text import clean
from erp_pipelines.domain.errors import Rejected
from erp_pipelines.domain.records import Address

NOTE_LENGTH = 4000
LINE_LENGTH, PART_LENGTH, POSTAL_CODE_LENGTH = 500, 255, 30


def reference(value: str) -> dict[str, str]:
    return {"value": value}


def address(place: Address | None) -> dict[str, str] | None:
    """A physical address; the name of who receives is its first line. None for an empty one."""
    if place is None:
        return None
    lines = [line for line in (clean(part, LINE_LENGTH) for part in (place.name, place.line1, place.line2)) if line]
    parts = {f"Line{number}": line for number, line in enumerate(lines, 1)} | {
        "City": clean(place.city, PART_LENGTH),
        "CountrySubDivisionCode": clean(place.region, PART_LENGTH),
        "PostalCode": clean(place.postal_code, POSTAL_CODE_LENGTH),
        "Country": clean(place.country, PART_LENGTH),
    }
    return {name: part for name, part in parts.items() if part} or None


def currency(code: str, rate: Decimal | None, books: Books) -> dict[str, Any]:
    """CurrencyRef, and the rate of a foreign one (home units per foreign unit); nothing where one currency is all."""
    if not books.multi_currency:
        if code != books.home_currency:
            raise Rejected(
                f"The document is in {code}, but the company keeps its books in {books.home_currency} only.",
                cause="currency",
                mend="Switch Multicurrency on in QuickBooks and reconnect, or correct the currency in the shop.",
                definitive=False,
            )
        return {}
    foreign = code != books.home_currency and rate is not None
    return {"CurrencyRef": reference(code), **({"ExchangeRate": rate} if foreign else {})}


def dimensions(books: Books) -> dict[str, Any]:
    """The class and the department that the tenant books its sales under."""
    chosen = {"ClassRef": books.own.class_id, "DepartmentRef": books.own.department_id}
    return {name: reference(value) for name, value in chosen.items() if value}
