"""Unique keys of a company: names, item names and document numbers, compared without case and outer blanks."""

from __future__ import annotations

from erp_twins.jsonio import Doc
from erp_twins.quickbooks.entities import FORMS, NAMES


def key_of(entity: str, doc: Doc) -> tuple[str, str] | None:
    """Namespace and key under which a document is unique, or None."""
    if entity in NAMES:
        return "names", _fold(doc.get("DisplayName", ""))
    if entity == "Item":
        return "items", _fold(doc.get("FullyQualifiedName", ""))
    if entity in FORMS and doc.get("DocNumber"):
        return f"numbers:{entity}", _fold(doc["DocNumber"])
    return None


class UniqueIndex:
    """Who holds which key; the first holder keeps a key that others share (document numbers may repeat)."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], list[tuple[str, str]]] = {}

    def holder(self, namespace: str, name: str) -> tuple[str, str] | None:
        held = self._held.get((namespace, _fold(name)))
        return held[0] if held else None

    def ids(self, entity: str, namespace: str, name: str) -> list[str]:
        """Ids of one entity's documents that have this key."""
        return [ident for kind, ident in self._held.get((namespace, _fold(name)), []) if kind == entity]

    def move(self, entity: str, old: Doc | None, new: Doc | None) -> None:
        """Follow a document's change; `new` None removes it."""
        before = key_of(entity, old) if old else None
        after = key_of(entity, new) if new else None
        if before == after:
            return
        if before and old:
            self._held[before].remove((entity, old["Id"]))
        if after and new:
            self._held.setdefault(after, []).append((entity, new["Id"]))


def _fold(name: str) -> str:
    return name.strip().casefold()
