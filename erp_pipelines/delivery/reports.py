"""What a worker did, for those who show it: run metadata, the command line, the demo."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from erp_pipelines.connectors.base import CallCounter
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.outcomes import Explained

MOST_DOCUMENTS = 200
MOST_FAILURES = 100
NOTICES = "Notices"
PULLED = "Pulled"  # changes that a pull has found, whoever they belong to
SENT = frozenset({"Created", "Updated", "Adopted"})
SKIPPED = frozenset({"Unchanged", "Superseded", "NotWanted"})


@dataclass(frozen=True)
class Document:
    """A record that was brought into the ERP, or found there."""

    entity_type: str
    entity_id: str
    outcome: str
    external_type: str
    external_id: str
    number: str | None
    url: str | None


@dataclass(frozen=True)
class Failure:
    """A try that did not end well. `status` is Failed (again later), Pending (waits) or Abandoned (a person's turn)."""

    entity_type: str
    entity_id: str
    status: str
    message: str
    cause: str
    mend: str


@dataclass(frozen=True)
class Report:
    """One worker's time on one connection.

    `busy`: another worker holds it, nothing was done. `parked`: why it stopped before the work did.
    `more`: due work is left, the budget was spent. `counts` is by outcome, `calls` by kind.
    """

    key: ConnectionKey
    busy: bool
    counts: Mapping[str, int]
    documents: tuple[Document, ...]
    failures: tuple[Failure, ...]
    reads: int
    writes: int
    calls: Mapping[str, int]
    seconds: float
    parked: str | None
    more: bool

    @property
    def handled(self) -> int:
        """Events and notices that were looked at."""
        return sum(self.counts.values())

    @property
    def sent(self) -> int:
        return sum(count for outcome, count in self.counts.items() if outcome in SENT)

    @property
    def skipped(self) -> int:
        return sum(count for outcome, count in self.counts.items() if outcome in SKIPPED)


@dataclass
class Counted:
    """The calls of a worker that the database has heard of."""

    reads: int = 0
    writes: int = 0


@dataclass(frozen=True)
class Standing:
    """When the connection last brought something over or gave it up; `error`: why it gave up."""

    at: dt.datetime
    error: str | None


@dataclass
class Tally:
    """A report in the making."""

    key: ConnectionKey
    calls: CallCounter = field(default_factory=CallCounter)
    counted: Counted = field(default_factory=Counted)
    counts: Counter[str] = field(default_factory=Counter)
    tries: int = 0  # at events, those that ended with the connection having to wait included
    stored: Counter[str] = field(default_factory=Counter)  # of the totals, what the database has heard of
    standing: Standing | None = None
    standing_stored: Standing | None = None
    documents: list[Document] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    parked: str | None = None
    more: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def handled(self) -> int:
        return self.counts.total()

    def count(self, word: str, times: int = 1) -> None:
        with self._lock:  # several threads of a worker share it
            self.counts[word] += times

    def tried(self) -> None:
        with self._lock:
            self.tries += 1

    def document(self, document: Document) -> None:
        if len(self.documents) < MOST_DOCUMENTS:
            self.documents.append(document)

    def failure(self, entity_type: str, entity_id: str, status: str, why: Explained) -> None:
        if len(self.failures) < MOST_FAILURES:
            self.failures.append(Failure(entity_type, entity_id, status, why.message, why.cause, why.mend))

    def report(self, *, seconds: float, busy: bool = False) -> Report:
        return Report(
            key=self.key,
            busy=busy,
            counts=dict(self.counts),
            documents=tuple(self.documents),
            failures=tuple(self.failures),
            reads=self.calls.reads,
            writes=self.calls.writes,
            calls=dict(self.calls.by_kind),
            seconds=seconds,
            parked=self.parked,
            more=self.more,
        )
