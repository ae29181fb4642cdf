"""Answers queries from a company's documents (reference section 5)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults, seed
from erp_twins.quickbooks.checks import at
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.entities import BY_PATH, FORMS, NAMES, SINGLETONS
from erp_twins.quickbooks.faults import QboFault
from erp_twins.quickbooks.operations import shown
from erp_twins.quickbooks.parser import Condition, Query, Value, parse
from erp_twins.quickbooks.schema import Schema

_DEFAULT_PAGE, _LARGEST_PAGE = 100, 1000
_SERVER_ZONE = ZoneInfo("America/Los_Angeles")
_INNER = ("value", "Address", "FreeFormNumber", "URI")
_INDEXED = {
    **{("displayname", name): "names" for name in NAMES},
    **{("docnumber", name): f"numbers:{name}" for name in FORMS},
}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def entity_of(statement: str) -> str:
    """The entity a statement asks for, for the call log; empty when it cannot be told."""
    found = re.search(r"\bfrom\s+(\w+)", statement, re.IGNORECASE)
    schema = BY_PATH.get(found[1].lower()) if found else None
    return schema.name if schema else ""


def run(company: Company, statement: str) -> Doc:
    """The `QueryResponse` object; empty when no row matches."""
    asked = parse(statement)
    schema = BY_PATH.get(asked.entity.lower())
    if schema is None:
        raise _invalid(f"Entity {asked.entity} not found")
    _validate(schema, asked)
    rows = [row for row in _rows(company, schema, asked) if all(_holds(company, row, one) for one in asked.conditions)]
    if asked.count:
        return {"totalCount": len(rows)}
    return _page(company, schema, asked, rows)


def _invalid(detail: str) -> QboFault:
    return faults.fault(4001, "Invalid query", f"QueryValidationError: {detail}")


def _validate(schema: Schema, asked: Query) -> None:
    known = {name.lower() for name in schema.queryable}
    for name in [one.prop for one in asked.conditions] + [prop for prop, _ in asked.order]:
        if name.lower() not in known:
            raise _invalid(f"Property {name} not found for Entity {schema.name}")
    for one in asked.conditions:
        if one.prop.lower() == "id" and one.operator not in {"=", "IN"}:
            raise _invalid(f"Operator {one.operator} is not supported for property Id")
    for word, number in (("startPosition", asked.start), ("maxResults", asked.limit)):
        if number is not None and number < 1:
            raise _invalid(f"{word} value {number} is too small. Min allowed value is 1")


def _rows(company: Company, schema: Schema, asked: Query) -> list[Doc]:
    """Candidates: inactive rows of name lists hide unless the statement speaks of Active."""
    if schema.name in SINGLETONS:
        return [seed.singleton(company, schema.name)]
    rows = _candidates(company, schema, asked)
    if schema.soft_delete and not any(one.prop.lower() == "active" for one in asked.conditions):
        return [row for row in rows if row.get("Active", True)]
    return rows


def _candidates(company: Company, schema: Schema, asked: Query) -> list[Doc]:
    """Rows that can match: found by Id or unique key where the statement allows it, all of them otherwise."""
    for one in asked.conditions:
        ids = _keyed(company, schema, one) if one.operator in {"=", "IN"} else None
        if ids is not None:
            found = (company.get(schema.name, ident) for ident in dict.fromkeys(ids))
            return [row for row in found if row]
    return company.rows(schema.name)


def _keyed(company: Company, schema: Schema, condition: Condition) -> list[str] | None:
    values = [str(value) for value in condition.values]
    if condition.prop.lower() == "id":
        return sorted(values, key=lambda value: (len(value), value))
    namespace = _INDEXED.get((condition.prop.lower(), schema.name))
    if namespace is None or not all(value.strip() for value in values):
        return None
    return [ident for value in values for ident in company.index.ids(schema.name, namespace, value)]


def _page(company: Company, schema: Schema, asked: Query, rows: list[Doc]) -> Doc:
    for prop, down in reversed(asked.order):
        name = _cased(schema, prop)
        rows = sorted(rows, key=partial(_sort_key, prop=name), reverse=down)
    limit = min(asked.limit or _DEFAULT_PAGE, _LARGEST_PAGE)
    page = rows[asked.start - 1 : asked.start - 1 + limit]
    if not page:
        return {}
    return {
        schema.name: [shown(company, schema.name, row) for row in page],
        "startPosition": asked.start,
        "maxResults": len(page),
    }


def _cased(schema: Schema, prop: str) -> str:
    """The property's own spelling."""
    return next(name for name in schema.queryable if name.lower() == prop.lower())


def _sort_key(row: Doc, prop: str) -> tuple[int, Any]:
    value = _stored(row, prop)
    if value is None:
        return 0, ""
    if prop == "Id" and str(value).isdigit():
        return 1, int(value)
    return (
        (1, _moment(value))
        if prop.startswith("MetaData.")
        else (1, value.casefold() if isinstance(value, str) else value)
    )


def _stored(row: Doc, prop: str) -> Any:
    """What a filter compares: the Id of a reference, the address of an e-mail, else the value itself."""
    value = at(row, prop)
    if isinstance(value, dict):
        return next((value[name] for name in _INNER if name in value), None)
    return value


def _holds(company: Company, row: Doc, condition: Condition) -> bool:
    schema_name = next((name for name in _spellings(row, condition.prop)), condition.prop)
    stored = _stored(row, schema_name)
    if condition.operator == "LIKE":
        return stored is not None and _like(str(condition.values[0]), str(stored))
    test = _TESTS["=" if condition.operator == "IN" else condition.operator]
    return any(_compare(company, schema_name, stored, value, test) for value in condition.values)


def _spellings(row: Doc, prop: str) -> list[str]:
    if prop.lower().startswith("metadata."):
        return [f"MetaData.{name}" for name in row["MetaData"] if f"metadata.{name}".lower() == prop.lower()]
    return [name for name in row if name.lower() == prop.lower()]


def _like(pattern: str, text: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("%"))
    return re.fullmatch(".*".join(parts), text, re.IGNORECASE | re.DOTALL) is not None


def _compare(company: Company, prop: str, stored: Any, value: Value, test: Callable[[Any, Any], bool]) -> bool:
    if stored is None:  # a single blank asks for rows without a value
        return value == " " and test is operator.eq
    if value == "CURRENT_DATE":
        value = company.today()
    if prop.startswith("MetaData."):
        return test(_moment(stored), _moment(str(value)))
    if isinstance(stored, bool):
        return test(stored, str(value).lower() == "true")
    if isinstance(stored, int | Decimal):
        return test(Decimal(stored), _decimal(prop, value))
    return test(str(stored).casefold(), str(value).casefold())


def _decimal(prop: str, value: Value) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise _invalid(f"Value {value} is not valid for property {prop}") from error


def _moment(text: str) -> datetime:
    """An instant; a value without offset is read in the server's zone, which is Pacific."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise _invalid(f"Value {text} is not a valid date") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=_SERVER_ZONE)
