"""Unique keys of an account: external ids and names, compared without case."""

from __future__ import annotations

from collections.abc import Iterator

from erp_twins.jsonio import Doc
from erp_twins.netsuite.record_types import space
from erp_twins.netsuite.schema import RecordType

UNIQUE = {"entity": "entityId", "item": "itemId"}
Key = tuple[str, str, str]


class Index:
    """Who holds which key: (space, field, value) to (record type, id)."""

    def __init__(self) -> None:
        self._held: dict[Key, tuple[str, str]] = {}

    def holder(self, of_space: str, field: str, value: str) -> tuple[str, str] | None:
        return self._held.get((of_space, field, value.strip().casefold()))

    def move(self, kind: RecordType, old: Doc | None, new: Doc | None) -> None:
        """Follow a record's change; `new` None removes it."""
        for key in _keys(kind, old):
            self._held.pop(key, None)
        for key in _keys(kind, new):
            self._held[key] = (kind.name, (new or {})["id"])


def _keys(kind: RecordType, doc: Doc | None) -> Iterator[Key]:
    for field in ("externalId", UNIQUE.get(kind.group, "")):
        value = (doc or {}).get(field)
        if value:
            yield space(kind), field, str(value).strip().casefold()
