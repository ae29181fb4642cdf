"""What several mappers need: references, addresses, currency. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pycountry

from erp_pipelines.connectors.mapping import set_only
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.text import clean
from erp_pipelines.domain.errors import Rejected
from erp_pipelines.domain.records import Address

# What people write of countries that ISO 3166 calls otherwise.
_ALSO = {"uk": "GB", "england": "GB", "great britain": "GB", "u.s.": "US", "u.s.a.": "US", "usa": "US", "holland": "NL"}
CITY_LENGTH, STATE_LENGTH, ZIP_LENGTH = 50, 50, 36


def reference(ident: str | None) -> dict[str, str] | None:
    return {"id": ident} if ident else None


def country_code(text: str | None) -> str | None:
    """ISO 3166 alpha-2, as NetSuite names countries; None for what is no country."""
    plain = clean(text, 100)
    if not plain:
        return None
    try:
        return _ALSO.get(plain.lower()) or str(pycountry.countries.lookup(plain).alpha_2)
    except LookupError:
        return None


def address(place: Address | None, books: Books) -> dict[str, Any] | None:
    """An address subrecord; a country that is none is kept as the third line. None for an empty one."""
    if place is None:
        return None
    length, code = books.config.address_line_length, country_code(place.country)
    parts = {
        "addressee": clean(place.name, length),
        "addr1": clean(place.line1, length),
        "addr2": clean(place.line2, length),
        "addr3": "" if code else clean(place.country, length),
        "city": clean(place.city, CITY_LENGTH),
        "state": clean(place.region, STATE_LENGTH),
        "zip": clean(place.postal_code, ZIP_LENGTH),
        "country": reference(code),
    }
    return set_only(parts) or None


def currency(code: str, books: Books) -> dict[str, Any]:
    """The reference to a currency; nothing where the account has only one."""
    if books.currencies:
        if code in books.currencies:
            return {"currency": reference(books.currencies[code])}
        known = ", ".join(sorted(books.currencies))
    elif not books.home_currency or code == books.home_currency:
        return {}
    else:
        known = books.home_currency
    raise Rejected(
        f"The record is in {code}, but the account's currencies are {known}.",
        cause="currency",
        mend="Add the currency in NetSuite (Lists, Accounting, Currencies) and reconnect, or correct it in the shop.",
        definitive=False,
    )


def exchange_rate(code: str, rate: Decimal | None, books: Books) -> dict[str, Any]:
    """Home units per unit of a foreign currency; NetSuite's own rate of the day where none is given."""
    return {"exchangeRate": rate} if rate is not None and books.currencies and code != books.home_currency else {}
