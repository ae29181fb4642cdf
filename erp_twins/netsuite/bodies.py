"""Reading request bodies: field names without regard to case, unknown ones by header, values by kind (reference 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from erp_twins.jsonio import Doc
from erp_twins.netsuite import values
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.errors import bad_content, user_error
from erp_twins.netsuite.record_fields import ADDRESS
from erp_twins.netsuite.schema import Field, RecordType, Sublist

Validation = Literal["warning", "error", "ignore"]
_OUTPUT_ONLY = {"links", "refname", "id"}  # what a client sends back after a GET


@dataclass
class Reader:
    """Reads bodies of one request. `dropped` collects the names that were not known."""

    account: Account
    validation: Validation = "warning"
    dropped: list[str] = field(default_factory=list)

    def record(self, kind: RecordType, body: Doc) -> Doc:
        """Changes to a record: None for what is to be cleared, lists of lines for sublists."""
        return self._fields(kind.fields, body, "", kind.sublists)

    def _fields(
        self, known: Mapping[str, Field], body: Doc, path: str, sublists: Mapping[str, Sublist] | None = None
    ) -> Doc:
        by_lower = {name.lower(): one for name, one in known.items()}
        read: Doc = {}
        for name, value in body.items():
            one = by_lower.get(name.lower())
            here = f"{path}{name}"
            if self._custom(name):
                read[name.lower()] = value
            elif one is None or not self._on(one):
                self._unknown(name, here, off=one is not None)
            elif not one.readonly:
                read[one.name] = None if value is None else self._value(one, value, here, sublists or {})
        return read

    def _custom(self, name: str) -> bool:
        return name.lower() in self.account.settings.custom_fields

    def _on(self, one: Field) -> bool:
        return not one.feature or self.account.has(one.feature)

    def _unknown(self, name: str, path: str, *, off: bool) -> None:
        if off and name.lower() == "subsidiary":
            raise user_error("feature", path, field=name)
        if name.lower() in _OUTPUT_ONLY or self.validation == "ignore":
            return
        if self.validation == "error":
            raise bad_content(path, "unknown_field", field=name)
        self.dropped.append(path)

    def _value(self, one: Field, value: Any, path: str, sublists: Mapping[str, Sublist]) -> Any:
        if one.kind == "sublist":
            return self._lines(sublists[one.name], value, path)
        if one.kind == "refs":
            rows = _items(value, path)
            return [values.reference(self.account, one, row, f"{path}.items[{n}]") for n, row in enumerate(rows)]
        if one.kind == "subrecord":
            return self._subrecord(one, value, path)
        return values.read(self.account, one, value, path)

    def _subrecord(self, one: Field, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise bad_content(path, "value", field=one.name)
        if one.name == "quantity":  # of a price: the least quantity it holds for
            return values.read(self.account, Field("value", "number"), value.get("value", 0), f"{path}.value")
        return {name: part for name, part in self._fields(ADDRESS, value, f"{path}.").items() if part is not None}

    def _lines(self, sublist: Sublist, value: Any, path: str) -> list[Doc] | None:
        """The lines sent; None when the sublist is to be emptied."""
        if isinstance(value, dict) and value.get("items", ...) is None:
            return None
        rows = _items(value, path)
        for number, row in enumerate(rows):
            if not isinstance(row, dict):
                raise bad_content(f"{path}.items[{number}]")
        return [self._fields(sublist.fields, row, f"{path}.items[{number}].") for number, row in enumerate(rows)]


def _items(value: Any, path: str) -> list[Any]:
    rows = value.get("items") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        raise bad_content(path)
    return rows
