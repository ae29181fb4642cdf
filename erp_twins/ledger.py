"""What a twin remembers for those who check it: the calls it got and the documents it holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from erp_twins.jsonio import Doc

CallKind = Literal["write", "read", "auth", "other"]


@dataclass(frozen=True)
class Call:
    """One call to a twin. `status` 0 means that no answer left it; `fault` names the rule that struck."""

    method: str
    path: str
    kind: CallKind
    seq: int = 0
    time: str = ""
    realm: str = ""
    entity: str = ""
    operation: str = ""
    status: int = 0
    requestid: str = ""
    replayed: bool = False
    fault: str = ""
    intuit_tid: str = ""


class CallLog:
    """Calls in the order in which they were answered. Guarded by its owner's lock."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._last = 0

    def next_seq(self) -> int:
        self._last += 1
        return self._last

    def add(self, call: Call) -> None:
        self._calls.append(call)

    def since(self, seq: int = 0, realm: str = "") -> list[Call]:
        return [call for call in self._calls if call.seq > seq and (not realm or call.realm == realm)]

    def clear(self) -> None:
        self._calls.clear()

    def summary(self) -> Doc:
        """Totals by kind, status, entity and operation, and how many were replays or faults."""
        calls = self._calls
        return {
            "total": len(calls),
            "kinds": dict(Counter(call.kind for call in calls)),
            "statuses": dict(Counter(str(call.status) for call in calls)),
            "operations": dict(Counter(f"{call.entity} {call.operation}".strip() for call in calls)),
            "replayed": sum(call.replayed for call in calls),
            "faults": dict(Counter(call.fault for call in calls if call.fault)),
        }

    def listing(self, seq: int = 0, realm: str = "") -> list[Doc]:
        return [asdict(call) for call in self.since(seq, realm)]


@dataclass(frozen=True)
class Ledger:
    """A snapshot of one company or account: live documents by type, and every committed change in order.

    `double_keys` names the fields by which documents of a type would be doubles of each other; `number` those of the rest.
    """

    realm: str
    documents: Mapping[str, list[Doc]]
    history: list[Doc] = field(default_factory=list)
    double_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    number: str = "DocNumber"

    @property
    def counts(self) -> dict[str, int]:
        return {entity: len(rows) for entity, rows in self.documents.items() if rows}

    def doubles(self, entity: str, *keys: str) -> list[list[Doc]]:
        """Groups of two or more live documents that share these fields (an absent or empty first field never groups).

        Without keys: the ledger's own for this type.
        """
        keys = keys or self.double_keys.get(entity, (self.number,))
        groups: defaultdict[tuple[str, ...], list[Doc]] = defaultdict(list)
        for row in self.documents.get(entity, []):
            if row.get(keys[0]):
                groups[tuple(str(row.get(key)) for key in keys)].append(row)
        return [group for group in groups.values() if len(group) > 1]

    def to_json(self) -> Doc:
        return {
            "realm": self.realm,
            "counts": self.counts,
            "documents": dict(self.documents),
            "history": self.history,
        }
