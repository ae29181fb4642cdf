"""How records are answered: links, references with names, enumerations, sublists in place or as links (reference 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from erp_twins.jsonio import Doc
from erp_twins.netsuite import entities, enums, settlements, values
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.record_fields import ADDRESS
from erp_twins.netsuite.record_types import APPLYING
from erp_twins.netsuite.schema import Field, RecordType, Sublist

ROOT = "/services/rest/record/v1"


@dataclass(frozen=True)
class View:
    """What a reader asked for. `base` is the URL of the request's host."""

    account: Account
    base: str
    expand: bool = False
    simple_enums: bool = False
    fields: frozenset[str] = frozenset()

    def link(self, path: str) -> list[Doc]:
        return [{"rel": "self", "href": f"{self.base}{ROOT}/{path}"}]

    def record(self, kind: RecordType, doc: Doc) -> Doc:
        """The record as GET answers it; empty fields are absent."""
        shown = _worked_out(self.account, kind, doc)
        path = f"{kind.name}/{doc['id']}"
        body = {
            one.name: self._value(kind, one, shown[one.name], path)
            for one in kind.fields.values()
            if shown.get(one.name) is not None and self._wanted(one) and self._on(one)
        }
        custom = {name: shown[name] for name in self.account.settings.custom_fields if name in shown}
        return {"links": self.link(path), **body, **custom, "id": doc["id"]}

    def _wanted(self, one: Field) -> bool:
        return not self.fields or (one.name.lower() in self.fields and one.kind not in {"sublist", "subrecord"})

    def _on(self, one: Field) -> bool:
        return not one.feature or self.account.has(one.feature)

    def _value(self, kind: RecordType, one: Field, value: Any, path: str) -> Any:
        below = f"{path}/{one.name}"
        if one.kind == "sublist":
            return self.sublist(kind.sublists[one.name], value, below) if self.expand else {"links": self.link(below)}
        if one.kind == "refs":
            rows = [self._reference(one, ident) for ident in value]
            return self._collection(rows, below) if self.expand else {"links": self.link(below)}
        if one.kind == "subrecord":
            return self._subrecord(value, below) if self.expand else {"links": self.link(below)}
        return self._plain(one, value)

    def _plain(self, one: Field, value: Any) -> Any:
        if one.kind == "ref":
            return self._reference(one, value)
        if one.kind == "enum" and not self.simple_enums:
            return {"id": value, "refName": enums.shown(one.target, value)}
        return value

    def _reference(self, one: Field, ident: str) -> Doc:
        found = values.target_of(self.account, one.target, ident) if one.target != "address" else None
        if found is None:  # the custom price level and its like: known to the form, in no list
            return {"id": ident}
        name, doc = found
        return {"links": self.link(f"{name}/{ident}"), "id": ident, "refName": values.name_of(doc)}

    def _collection(self, rows: list[Doc], path: str) -> Doc:
        return {"links": self.link(path), "items": rows, "totalResults": len(rows)}

    def sublist(self, sublist: Sublist, lines: list[Doc], path: str) -> Doc:
        return self._collection([self.line(sublist, line, path) for line in lines], path)

    def line(self, sublist: Sublist, line: Doc, path: str) -> Doc:
        here = f"{path}/{line_key(sublist, line)}"
        shown: Doc = {"links": self.link(here)}
        for one in sublist.fields.values():
            if line.get(one.name) is None or not self._on(one):
                continue
            nested = one.kind == "subrecord"
            value = line[one.name]
            shown[one.name] = self._nested(one, value, f"{here}/{one.name}") if nested else self._plain(one, value)
        return shown

    def _nested(self, one: Field, value: Any, path: str) -> Doc:
        return {"value": value} if one.name == "quantity" else self._subrecord(value, path)

    def _subrecord(self, value: Doc, path: str) -> Doc:
        shown = {one.name: self._plain(one, value[one.name]) for one in ADDRESS.values() if one.name in value}
        return {"links": self.link(path), **shown}


def line_key(sublist: Sublist, line: Doc) -> str:
    """The last part of a line's URL: one key, or all of a composite one."""
    if sublist.name == "price":
        return ",".join(f"{key.lower()}={line[key]}" for key in sublist.keys)
    return str(line.get(sublist.keys[0], ""))


def _worked_out(account: Account, kind: RecordType, doc: Doc) -> Doc:
    if kind.name == "customer":
        return entities.shown(account, doc)
    return settlements.shown(account, doc) if kind.name in APPLYING else doc
