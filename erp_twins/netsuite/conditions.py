"""The `q` of a collection: conditions on body fields, joined with AND and OR (reference 3.5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from erp_twins.jsonio import Doc
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.errors import Refused, bad_parameter
from erp_twins.netsuite.schema import Field, RecordType

Test = Callable[[Doc], bool]
_TOKENS = re.compile(r'"([^"]*)"|([()\[\],])|([^\s()\[\],"]+)')
_UNFILTERABLE = {"sublist", "subrecord", "refs"}
_PARTS = {"MM": "%m", "DD": "%d", "YYYY": "%Y"}


def parsed(account: Account, kind: RecordType, text: str) -> Test:
    """Whether a record is among those asked for; without a `q` every one is. Raises Refused."""
    if not text.strip():
        return lambda _doc: True
    words = [(found[1] or found[2] or found[3] or "", bool(found[2])) for found in _TOKENS.finditer(text)]
    parser = _Parser(account, kind, words)
    test = parser.alternatives()
    parser.end()
    return test


def filterable(account: Account, kind: RecordType, field: Field) -> bool:
    """Whether `q` knows a field: what is a list of its own, or switched off, it does not."""
    if field.kind in _UNFILTERABLE or f"{kind.name}.{field.name}" in account.settings.unfilterable:
        return False
    return not field.feature or account.has(field.feature)


@dataclass
class _Parser:
    """Recursive descent; AND binds tighter than OR."""

    account: Account
    kind: RecordType
    words: list[tuple[str, bool]]
    place: int = 0

    def alternatives(self) -> Test:
        tests = [self._all()]
        while self._takes("OR"):
            tests.append(self._all())
        return lambda doc: any(test(doc) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._takes("AND"):
            tests.append(self._one())
        return lambda doc: all(test(doc) for test in tests)

    def _one(self) -> Test:
        if self._takes("("):
            inner = self.alternatives()
            self._must(")")
            return inner
        field = self._field(self._next())
        operator = self._next().upper()
        turned = operator.endswith("_NOT")
        test = self._test(field, operator.removesuffix("_NOT"))
        return lambda doc: test(doc.get(field.name)) is not turned

    def _field(self, name: str) -> Field:
        field = self.kind.by_lower.get(name.lower())
        if field is None or not filterable(self.account, self.kind, field):
            raise Refused(400, "NONEXISTENT_FIELD", "no_filter", pointer=("errorQueryParam", "q"), field=name)
        return field

    def _test(self, field: Field, operator: str) -> Callable[[Any], bool]:
        if operator == "EMPTY":
            return lambda value: value in (None, "")
        known = _OPERATORS.get(_kind(field), {})
        if operator not in known:
            raise bad_parameter("q", "filter", near=f"{field.name} {operator}")
        return known[operator](self.account, self._values(operator))

    def _values(self, operator: str) -> list[str]:
        if self._takes("["):
            values = [self._next()]
            while self._takes(","):
                values.append(self._next())
            self._must("]")
            return values
        first = self._next()
        return [first, self._next()] if operator in {"BETWEEN", "WITHIN"} else [first]

    def _next(self) -> str:
        if self.place >= len(self.words):
            raise bad_parameter("q", "filter", near="its end")
        self.place += 1
        return self.words[self.place - 1][0]

    def _takes(self, word: str) -> bool:
        if self.place < len(self.words) and self.words[self.place][0].upper() == word:
            self.place += 1
            return True
        return False

    def _must(self, word: str) -> None:
        if not self._takes(word):
            raise bad_parameter("q", "filter", near=self._next())

    def end(self) -> None:
        if self.place < len(self.words):
            raise bad_parameter("q", "filter", near=self.words[self.place][0])


def _kind(field: Field) -> str:
    if field.name == "id":
        return "number"
    return {"integer": "number", "rate": "number", "ref": "ref", "enum": "text", "datetime": "date"}.get(
        field.kind, field.kind
    )


# --- tests by kind: each takes the account and the values of the query ---

Maker = Callable[[Account, list[str]], Callable[[Any], bool]]


def _number(text: str) -> Decimal:
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        raise bad_parameter("q", "filter", near=text)
    return Decimal(text)


def _by_number(holds: Callable[[Decimal, list[Decimal]], bool]) -> Maker:
    def make(_account: Account, values: list[str]) -> Callable[[Any], bool]:
        numbers = [_number(text) for text in values]
        return lambda value: value is not None and holds(Decimal(value), numbers)

    return make


def _by_text(holds: Callable[[str, str], bool]) -> Maker:
    def make(_account: Account, values: list[str]) -> Callable[[Any], bool]:
        wanted = values[0].casefold()
        return lambda value: value is not None and holds(str(value).casefold(), wanted)

    return make


def _by_date(holds: Callable[[datetime, datetime, datetime], bool]) -> Maker:
    """`holds` gets the record's moment and the day that was named, from its midnight to the next, in the account's zone."""

    def make(account: Account, values: list[str]) -> Callable[[Any], bool]:
        start = _midnight(account, values[0])
        return lambda value: value is not None and holds(_moment(account, value), start, _next_day(account, start))

    return make


def _midnight(account: Account, text: str) -> datetime:
    """Dates of a query are written as the account writes them, never as ISO."""
    form = account.settings.date_format
    pattern = form
    for part, code in _PARTS.items():
        pattern = pattern.replace(part, code)
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=ZoneInfo(account.settings.zone))
    except ValueError as error:
        raise bad_parameter("q", "date_format", value=text, format=form) from error


def _next_day(account: Account, start: datetime) -> datetime:
    return (start.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=ZoneInfo(account.settings.zone))


def _moment(account: Account, value: str) -> datetime:
    if "T" in value:
        return datetime.fromisoformat(value).astimezone(UTC)
    return datetime.fromisoformat(value).replace(tzinfo=ZoneInfo(account.settings.zone))


def _truth(_account: Account, values: list[str]) -> Callable[[Any], bool]:
    wanted = values[0].lower() in {"true", "t"}
    return lambda value: bool(value) is wanted


_OPERATORS: dict[str, dict[str, Maker]] = {
    "number": {
        "ANY_OF": _by_number(lambda value, given: value in given),
        "EQUAL": _by_number(lambda value, given: value == given[0]),
        "GREATER": _by_number(lambda value, given: value > given[0]),
        "GREATER_OR_EQUAL": _by_number(lambda value, given: value >= given[0]),
        "LESS": _by_number(lambda value, given: value < given[0]),
        "LESS_OR_EQUAL": _by_number(lambda value, given: value <= given[0]),
        "BETWEEN": _by_number(lambda value, given: given[0] <= value <= given[-1]),
        "WITHIN": _by_number(lambda value, given: given[0] <= value <= given[-1]),
    },
    "text": {
        "IS": _by_text(lambda value, wanted: value == wanted),
        "CONTAIN": _by_text(lambda value, wanted: wanted in value),
        "START_WITH": _by_text(lambda value, wanted: value.startswith(wanted)),
        "ENDWITH": _by_text(lambda value, wanted: value.endswith(wanted)),
    },
    "date": {
        "ON": _by_date(lambda value, start, stop: start <= value < stop),
        "BEFORE": _by_date(lambda value, start, _stop: value < start),
        "ON_OR_BEFORE": _by_date(lambda value, _start, stop: value < stop),
        "AFTER": _by_date(lambda value, _start, stop: value >= stop),
        "ON_OR_AFTER": _by_date(lambda value, start, _stop: value >= start),
    },
    "boolean": {"IS": _truth},
    "ref": {
        "ANY_OF": _by_number(lambda value, given: value in given),
        "EQUAL": _by_number(lambda value, given: value == given[0]),
    },
}
