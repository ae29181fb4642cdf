"""How values lie in SQLite, so that it compares and sorts them exactly.

Numbers are texts in the order of the numbers, because SQLite's own fractions are binary. Dates and date-times are
`YYYY-MM-DD HH:MM:SS`, local to the account. Ids and counts are SQLite's integers; booleans are T and F.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from erp_twins.netsuite.suiteql.model import ColumnType

Type = ColumnType | Literal["null"]
Family = Literal["number", "text", "datetime", "null"]

FAMILY: dict[Type, Family] = {
    "integer": "number",
    "number": "number",
    "text": "text",
    "boolean": "text",
    "date": "datetime",
    "datetime": "datetime",
    "null": "null",
}
EXACT = Context(prec=40, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero, Overflow])
_MIDDLE = 500  # exponents of Oracle's numbers end at 126, so three digits hold them
_NINES = str.maketrans("0123456789", "9876543210")


@lru_cache(maxsize=1 << 16)
def key_of(number: Decimal) -> str:
    """A text that sorts as the number does: sign, exponent, digits; of a negative number the complements."""
    number = number.normalize(EXACT)
    if not number:
        return "0"
    digits = "".join(map(str, number.as_tuple().digits))
    size = number.adjusted() + _MIDDLE
    if not 0 <= size < 2 * _MIDDLE:
        raise OverflowError(number)
    if number > 0:
        return f"1{size:03d}{digits}"
    return f"-{2 * _MIDDLE - 1 - size:03d}{digits.translate(_NINES)}~"


@lru_cache(maxsize=1 << 16)
def number_of(key: str) -> Decimal:
    if key == "0":
        return Decimal(0)
    size, digits = int(key[1:4]), key[4:]
    if key[0] == "-":
        size, digits = 2 * _MIDDLE - 1 - size, "-" + digits[:-1].translate(_NINES)
    return Decimal(f"{digits}E{size - _MIDDLE + 1 - len(digits.lstrip('-'))}")


def shown(number: Decimal) -> str:
    """Plain notation without trailing zeros."""
    return f"{number.normalize(EXACT):f}" if number else "0"


def moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def text_of(moment: date) -> str:
    """A date is its midnight; fractions of seconds are cut off."""
    if not isinstance(moment, datetime):
        return f"{moment.isoformat()} 00:00:00"
    return moment.isoformat(" ", "seconds")


DECODE: dict[Type, Callable[[Any], Any]] = {
    "integer": Decimal,
    "number": number_of,
    "text": str,
    "boolean": "T".__eq__,
    "date": moment_of,
    "datetime": moment_of,
}
ENCODE: dict[Type, Callable[[Any], Any]] = {
    "integer": int,
    "number": key_of,
    "text": lambda text: text or None,  # to Oracle an empty text is NULL
    "boolean": lambda flag: "T" if flag else "F",
    "date": text_of,
    "datetime": text_of,
}


def encoder(kind: ColumnType, zone: ZoneInfo) -> Callable[[Any], Any]:
    """Turns a table's value into what is stored; date-times become local to the account."""
    if kind == "datetime":
        return lambda moment: text_of(moment.astimezone(zone).replace(tzinfo=None))
    if kind == "number":
        return lambda number: key_of(Decimal(number))
    return ENCODE[kind]
