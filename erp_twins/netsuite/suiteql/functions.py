"""The functions of SuiteQL that take values and give one: what they accept and what they do.

Each body sees Python's own values (Decimal, str, datetime); it is not asked when an argument is NULL, but for those
that say so.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from erp_twins.netsuite.suiteql import datetimes, numerals
from erp_twins.netsuite.suiteql.model import ColumnType, unsupported
from erp_twins.netsuite.suiteql.values import DECODE, ENCODE, EXACT

_DAY = Decimal(86400)
_LONGEST = 4000  # signs of a text in Oracle


@dataclass(frozen=True)
class Function:
    """`name` is SQLite's; `takes` the kinds of its arguments, of which the first `least` must be given."""

    name: str
    takes: tuple[ColumnType, ...]
    gives: ColumnType
    body: Callable[..., Any]
    least: int
    nulls: bool = False

    def stored(self, *values: Any) -> Any:
        """The body asked with values as they lie in SQLite."""
        if None in values and not self.nulls:
            return None
        given = (
            value if value is None else DECODE[kind](value) for kind, value in zip(self.takes, values, strict=False)
        )
        result = self.body(*given)
        return None if result is None else ENCODE[self.gives](result)


# By SuiteQL's name; the first whose first argument fits is the one.
SCALARS: dict[str, list[Function]] = {}


def _scalar(
    name: str, takes: str, gives: ColumnType, least: int | None = None, *, nulls: bool = False
) -> Callable[[Any], Any]:
    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        kinds: Any = tuple(takes.split())
        unique = f"{name.lower()}_{kinds[0]}"
        made = Function(unique, kinds, gives, body, len(kinds) if least is None else least, nulls)
        SCALARS.setdefault(name, []).append(made)
        return body

    return register


# --- texts ---------------------------------------------------------------------------------

_scalar("UPPER", "text", "text")(str.upper)
_scalar("LOWER", "text", "text")(str.lower)
_scalar("CHR", "number", "text")(lambda code: chr(int(code)))
_scalar("ASCII", "text", "number")(lambda text: Decimal(ord(text[0])))
_scalar("LENGTH", "text", "number")(lambda text: Decimal(len(text)))
_scalar("LTRIM", "text text", "text", least=1)(lambda text, marks=" ": text.lstrip(marks))
_scalar("RTRIM", "text text", "text", least=1)(lambda text, marks=" ": text.rstrip(marks))
_scalar("LPAD", "text number text", "text", least=2)(
    lambda text, size, pad=" ": _padding(text, size, pad) + text[: int(size)]
)
_scalar("RPAD", "text number text", "text", least=2)(
    lambda text, size, pad=" ": text[: int(size)] + _padding(text, size, pad)
)


def _padding(text: str, size: Decimal, pad: str) -> str:
    if size > _LONGEST:
        raise unsupported()
    lacking = max(int(size) - len(text), 0)
    return (pad * lacking)[:lacking]


@_scalar("REPLACE", "text text text", "text", least=2, nulls=True)
def _replace(text: str | None, old: str | None, new: str | None = None) -> str | None:
    return text.replace(old, new or "") if text and old else text


@_scalar("INITCAP", "text", "text")
def _initcap(text: str) -> str:
    before = [" ", *text[:-1]]
    return "".join(mark.lower() if last.isalnum() else mark.upper() for last, mark in zip(before, text, strict=True))


@_scalar("SUBSTR", "text number number", "text", least=2)
def _substr(text: str, start: Decimal, size: Decimal | None = None) -> str | None:
    first = int(start)
    if -first > len(text) or (size is not None and size < 1):
        return None
    at = first - 1 if first > 0 else (len(text) + first if first else 0)
    return text[at:] if size is None else text[at : at + int(size)]


@_scalar("INSTR", "text text number number", "number", least=2)
def _instr(text: str, part: str, start: Decimal = Decimal(1), turn: Decimal = Decimal(1)) -> Decimal:
    if start < 1 or turn < 1:
        raise unsupported()
    at = int(start) - 2
    for _ in range(int(turn)):
        at = text.find(part, at + 1)
        if at < 0:
            break
    return Decimal(at + 1)


@_scalar("TRANSLATE", "text text text", "text")
def _translate(text: str, old: str, new: str) -> str:
    table = {ord(mark): new[at] if at < len(new) else None for at, mark in reversed(list(enumerate(old)))}
    return text.translate(table)


# --- numbers -------------------------------------------------------------------------------

_scalar("ABS", "number", "number")(EXACT.abs)
_scalar("NEGATE", "number", "number")(EXACT.minus)
_scalar("ADD", "number number", "number")(EXACT.add)
_scalar("SUBTRACT", "number number", "number")(EXACT.subtract)
_scalar("MULTIPLY", "number number", "number")(EXACT.multiply)
_scalar("DIVIDE", "number number", "number")(EXACT.divide)
_scalar("POWER", "number number", "number")(EXACT.power)
_scalar("SQRT", "number", "number")(EXACT.sqrt)
_scalar("CEIL", "number", "number")(lambda number: number.to_integral_value(ROUND_CEILING))
_scalar("FLOOR", "number", "number")(lambda number: number.to_integral_value(ROUND_FLOOR))
_scalar("SIGN", "number", "number")(lambda number: Decimal((number > 0) - (number < 0)))
_scalar("MOD", "number number", "number")(lambda number, by: EXACT.remainder(number, by) if by else number)


def _rounded(number: Decimal, places: Decimal, how: str) -> Decimal:
    unit = Decimal(1).scaleb(-int(places))
    return number if unit.adjusted() <= number.adjusted() - EXACT.prec else number.quantize(unit, how, EXACT)


@_scalar("ROUND", "number number", "number", least=1)
def _round(number: Decimal, places: Decimal = Decimal(0)) -> Decimal:
    return _rounded(number, places, ROUND_HALF_UP)


@_scalar("TRUNC", "number number", "number", least=1)
def _trunc(number: Decimal, places: Decimal = Decimal(0)) -> Decimal:
    return _rounded(number, places, ROUND_DOWN)


# --- dates ---------------------------------------------------------------------------------


@_scalar("TRUNC", "datetime text", "date", least=1)
def _trunc_date(moment: datetime, unit: str = "DD") -> datetime:
    day = moment.replace(hour=0, minute=0, second=0)
    starts: dict[str, Callable[[], datetime]] = {
        "DD": lambda: day,
        "DAY": lambda: day - timedelta(days=day.isoweekday() % 7),
        "IW": lambda: day - timedelta(days=day.weekday()),
        "MM": lambda: day.replace(day=1),
        "Q": lambda: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
        "YYYY": lambda: day.replace(month=1, day=1),
        "HH": lambda: moment.replace(minute=0, second=0),
        "MI": lambda: moment.replace(second=0),
    }
    names = {"DDD": "DD", "J": "DD", "D": "DAY", "DY": "DAY", "MON": "MM", "MONTH": "MM", "YEAR": "YYYY", "YY": "YYYY"}
    wanted = names.get(unit.upper(), unit.upper()).replace("HH24", "HH").replace("HH12", "HH")
    if wanted not in starts:
        raise unsupported()
    return starts[wanted]()


@_scalar("ADD_MONTHS", "datetime number", "datetime")
def _add_months(moment: datetime, months: Decimal) -> datetime:
    """The last day of a month leads to the last day of the other."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + int(months), 12)
    last = calendar.monthrange(year, month + 1)[1]
    ends = moment.day == calendar.monthrange(moment.year, moment.month)[1]
    return moment.replace(year=year, month=month + 1, day=last if ends else min(moment.day, last))


@_scalar("LAST_DAY", "datetime", "datetime")
def _last_day(moment: datetime) -> datetime:
    return moment.replace(day=calendar.monthrange(moment.year, moment.month)[1])


@_scalar("ADD_DAYS", "datetime number", "datetime")
def _add_days(moment: datetime, days: Decimal) -> datetime:
    return moment + timedelta(seconds=int(EXACT.multiply(days, _DAY).to_integral_value(ROUND_HALF_UP)))


@_scalar("DAYS_BETWEEN", "datetime datetime", "number")
def _days_between(later: datetime, earlier: datetime) -> Decimal:
    apart = later - earlier
    return EXACT.divide(Decimal(apart.days * 86400 + apart.seconds), _DAY)


@_scalar("MONTHS_BETWEEN", "datetime datetime", "number")
def _months_between(later: datetime, earlier: datetime) -> Decimal:
    """Whole when both are the same day of the month or both the last; else the rest counts as days of 31."""
    months = Decimal((later.year - earlier.year) * 12 + later.month - earlier.month)
    if later.day == earlier.day or (_last_day(later) == later and _last_day(earlier) == earlier):
        return months
    days = [Decimal(moment.day) + Decimal(_second(moment)) / _DAY for moment in (later, earlier)]
    return EXACT.add(months, EXACT.divide(days[0] - days[1], Decimal(31)))


def _second(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


@_scalar("EXTRACT", "datetime text", "number")
def _extract(moment: datetime, part: str) -> Decimal:
    if part not in {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}:
        raise unsupported()
    return Decimal(getattr(moment, part.lower()))


# --- from one kind to another ----------------------------------------------------------------

_scalar("TO_CHAR", "number text", "text", least=1)(
    lambda number, model=None: numerals.to_char(number, model) if model else numerals.written(number)
)
_scalar("TO_CHAR", "datetime text", "text")(datetimes.to_char)
_scalar("TO_CHAR", "text", "text")(str)
_scalar("TO_NUMBER", "text", "number")(numerals.to_number)
_scalar("TO_NUMBER", "number", "number")(EXACT.plus)
_scalar("TO_DATE", "text text", "date")(datetimes.to_date)
_scalar("TO_TIMESTAMP", "text text", "datetime")(datetimes.to_date)
_scalar("AS_NUMBER", "integer", "number")(Decimal)
_scalar("FROM_ACCOUNT", "text text", "datetime")(datetimes.from_account)

# Names that the compiler alone uses.
INNER = frozenset("NEGATE ADD SUBTRACT MULTIPLY DIVIDE ADD_DAYS DAYS_BETWEEN EXTRACT AS_NUMBER FROM_ACCOUNT".split())
