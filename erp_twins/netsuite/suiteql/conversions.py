"""Literals, and Oracle's conversions from one kind of value to another."""

from __future__ import annotations

from collections.abc import Sequence

from erp_twins.netsuite.suiteql import datetimes, numerals
from erp_twins.netsuite.suiteql.functions import SCALARS, Function
from erp_twins.netsuite.suiteql.model import ColumnType, Dialect, unsupported
from erp_twins.netsuite.suiteql.scope import NULL, Value
from erp_twins.netsuite.suiteql.values import FAMILY, Type, key_of, text_of

_LARGEST = 2**63 - 1  # of SQLite's integers


def quoted(text: str) -> str:
    if "\0" in text:
        raise unsupported()
    return "'" + text.replace("'", "''") + "'"


def text_literal(text: str) -> Value:
    """A text of the query; an empty one is NULL."""
    return Value(quoted(text), "text", text) if text else NULL


def number_literal(text: str) -> Value:
    """Whole numbers stay integers, so that comparing an id needs no conversion."""
    number = numerals.to_number(text)
    if number == number.to_integral_value() and abs(number) <= _LARGEST:
        return Value(str(int(number)), "integer", text)
    return Value(quoted(key_of(number)), "number", text)


def shown_model(kind: Type, dialect: Dialect) -> str:
    """The format of a date or date-time that no TO_CHAR shapes."""
    model = datetimes.account_model(dialect.date_format)
    return datetimes.with_time(model) if kind == "datetime" and dialect.raw_times else model


def call(name: str, given: Sequence[Value], dialect: Dialect) -> Value:
    """A function of `functions.py`; of several with one name, that of the first argument's kind."""
    function = _fitting(name, given)
    values = [coerced(value, kind, dialect).sql for value, kind in zip(given, function.takes, strict=False)]
    return Value(f"{function.name}({', '.join(values)})", function.gives)


def _fitting(name: str, given: Sequence[Value]) -> Function:
    fitting = [one for one in SCALARS.get(name, ()) if one.least <= len(given) <= len(one.takes)]
    if not fitting:
        raise unsupported()
    family = FAMILY[given[0].type]
    return next((one for one in fitting if FAMILY[one.takes[0]] == family), fitting[0])


def coerced(value: Value, kind: ColumnType, dialect: Dialect) -> Value:
    """The value as one of the kind's family. A text that Oracle could not convert is refused, now or when it is met."""
    family, wanted = FAMILY[value.type], FAMILY[kind]
    if value.type in {kind, "null"} or (family == wanted and family != "number"):
        return value
    if wanted == "text":
        return _as_text(value, dialect)
    return _as_number(value, dialect) if wanted == "number" else _as_datetime(value, dialect)


def _as_text(value: Value, dialect: Dialect) -> Value:
    if value.literal is not None:
        return text_literal(numerals.written(numerals.to_number(value.literal)))
    if value.type == "integer":
        return Value(f"CAST({value.sql} AS TEXT)", "text")
    if value.type == "number":
        return call("TO_CHAR", [value], dialect)
    return call("TO_CHAR", [value, text_literal(shown_model(value.type, dialect))], dialect)


def _as_number(value: Value, dialect: Dialect) -> Value:
    if value.literal is not None:
        return Value(quoted(key_of(numerals.to_number(value.literal))), "number", value.literal)
    if value.type == "integer":
        return Value(f"as_number_integer({value.sql})", "number")
    if FAMILY[value.type] != "text":
        raise unsupported()
    return call("TO_NUMBER", [value], dialect)


def _as_datetime(value: Value, dialect: Dialect) -> Value:
    if FAMILY[value.type] != "text":
        raise unsupported()
    if value.literal is not None:
        return Value(quoted(text_of(datetimes.from_account(value.literal, dialect.date_format))), "datetime")
    return call("FROM_ACCOUNT", [value, text_literal(dialect.date_format)], dialect)


def aligned(values: Sequence[Value], dialect: Dialect) -> list[Value]:
    """The values as they can be compared: texts give way to numbers and dates, which do not mix."""
    families = {FAMILY[value.type] for value in values} - {"null"}
    if len(families) < 2 and families != {"number"}:
        return list(values)
    if "datetime" in families:
        return [coerced(value, "datetime", dialect) for value in values]
    numbers = [_numeric(value, dialect) for value in values]
    if all(value.type != "number" for value in numbers):
        return numbers
    return [coerced(value, "number", dialect) for value in numbers]


def _numeric(value: Value, dialect: Dialect) -> Value:
    if FAMILY[value.type] == "text" and value.literal is not None:
        return number_literal(value.literal)
    return value if FAMILY[value.type] == "number" else coerced(value, "number", dialect)


def unified(values: Sequence[Value], dialect: Dialect, *, lenient: bool = False) -> tuple[list[Value], Type]:
    """The values as results of one expression, and their kind. A mix of families is refused, or, where Oracle is
    lenient, becomes the first one's.
    """
    kinds = [value.type for value in values if value.type != "null"]
    if not kinds:
        return list(values), "null"
    family = FAMILY[kinds[0]]
    if not lenient and any(FAMILY[kind] != family for kind in kinds):
        raise unsupported()
    kind = kinds[0] if len(set(kinds)) == 1 else _general(kinds[0])
    return [coerced(value, kind, dialect) for value in values], kind


def _general(kind: Type) -> ColumnType:
    """The kind that holds all of its family."""
    family = FAMILY[kind]
    return "text" if family == "null" else family
