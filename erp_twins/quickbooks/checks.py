"""Checks that hold for every entity: known properties, required ones, lengths, enums, dates, references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.entities import FORMS
from erp_twins.quickbooks.faults import Error, QboFault
from erp_twins.quickbooks.schema import DETAIL_PROPERTIES, LINE_PROPERTIES, Schema

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_BREAKS = re.compile(r"[:\t\r\n]")
_NAME_PARTS = ("DisplayName", "Title", "GivenName", "MiddleName", "FamilyName", "Suffix", "PrintOnCheckName")
_DATES = ("TxnDate", "DueDate", "ShipDate", "InvStartDate")


def pruned(value: Any) -> Any:
    """Without empty texts, nulls and what is empty after that: clients send them for everything that is not set."""
    if isinstance(value, dict):
        kept = {key: pruned(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if not _empty(item)}
    return [pruned(item) for item in value] if isinstance(value, list) else value


def _empty(value: Any) -> bool:
    return value is None or value in ("", {})


def properties(schema: Schema, sent: Doc) -> None:
    """Fault 2010 for a property the entity does not have."""
    names = [name for name in sent if name not in schema.known]
    if schema.name in FORMS:
        names += [name for line in lines_of(sent) for name in _strange(line)]
    if names:
        raise QboFault(*[faults.unknown_property(name) for name in names])


def lines_of(sent: Doc) -> list[Doc]:
    """The Line array; fault 2010 when it is not one."""
    lines = sent.get("Line") or []
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise QboFault(faults.unknown_property("Line"))
    return lines


def _strange(line: Doc) -> Iterator[str]:
    yield from (name for name in line if name not in LINE_PROPERTIES)
    for name, known in DETAIL_PROPERTIES.items():
        detail = line.get(name)
        yield from (key for key in detail if key not in known) if isinstance(detail, dict) else ()


def document(company: Company, schema: Schema, doc: Doc, old: Doc | None) -> None:
    """Every field check at once, so that one fault carries all of them; references only where they changed."""
    errors = [*_required(schema, doc), *_lengths(schema, doc), *_formats(schema, doc)]
    if not errors:
        errors = list(references(company, schema, doc, old))
    if errors:
        raise QboFault(*errors)


def _required(schema: Schema, doc: Doc) -> Iterator[Error]:
    for name in schema.required:
        if _empty(doc.get(name)) or doc.get(name) == []:
            yield faults.missing(name)


def _lengths(schema: Schema, doc: Doc) -> Iterator[Error]:
    for path, longest in schema.lengths.items():
        value = at(doc, path)
        if isinstance(value, str) and len(value) > longest:
            yield faults.bad_length(path, 0, longest, len(value))


def _formats(schema: Schema, doc: Doc) -> Iterator[Error]:
    for name, allowed in schema.enums.items():
        if doc.get(name) and doc[name] not in allowed:
            yield faults.bad_value(2170, "Invalid Enumeration", name)
    for name in _DATES:
        if doc.get(name) and not _is_date(doc[name]):
            yield faults.bad_value(2060, "Invalid Date Format", name)
    for name in ("PrimaryEmailAddr", "BillEmail"):
        address = at(doc, f"{name}.Address")
        if address and not all(_EMAIL.fullmatch(one.strip()) for one in str(address).split(",")):
            yield faults.bad_value(2210, "Invalid Email Address format", f"{name}.Address")
    if "DisplayName" in schema.writable:
        yield from (faults.bad_characters(name) for name in _NAME_PARTS if _BREAKS.search(str(doc.get(name, ""))))


def _is_date(value: Any) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def references(company: Company, schema: Schema, doc: Doc, old: Doc | None) -> Iterator[Error]:
    """2500 for an Id that is not there, 610 for one that was made inactive."""
    for path, entity in schema.references.items():
        pointer = at(doc, path)
        if pointer and pointer != at(old or {}, path):
            yield from reference(company, path, pointer, entity)


def reference(company: Company, path: str, pointer: Any, entity: str) -> Iterator[Error]:
    """Check one reference, and write the name of its target beside the Id."""
    value = str(pointer.get("value", "")) if isinstance(pointer, dict) else str(pointer)
    target = company.get(entity, value)
    if target is None:
        yield faults.bad_reference(path, value)
    elif target.get("Active") is False:
        yield faults.inactive_reference(path, target.get("DisplayName") or target.get("Name", ""))
    elif isinstance(pointer, dict):
        pointer["value"] = value
        pointer["name"] = target.get("DisplayName") or target.get("FullyQualifiedName") or target.get("Name", "")


def at(doc: Doc, path: str) -> Any:
    """What stands at a dotted path, or None."""
    value: Any = doc
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
