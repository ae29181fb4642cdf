"""What a provider must offer, and what it is lent.

The engine (`delivery`) and the consent flow (`access`) know these Protocols only. A provider
package implements them; `registry` lists it. A connector never touches the database: tokens,
pace and known ids are handed to it.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.connections import ConnectionKey, ConnectionSettings
from erp_pipelines.domain.errors import ErpError
from erp_pipelines.domain.events import CanonicalRecord
from erp_pipelines.domain.outcomes import Outcome

# --- what a connector is lent ------------------------------------------------------------


class TokenSource(Protocol):
    def access_token(self, *, rejected: str | None = None) -> str:
        """A token that is good for some minutes.

        `rejected` is a token the provider has just refused: a newer one is returned, refreshed
        in single flight. Raises ConnectionLost when the grant is gone, Unavailable when the token
        host does not answer.
        """
        ...


class Pacer(Protocol):
    """The pace of one connection, shared by all processes that speak for it, and its circuit breaker."""

    def turn(self) -> AbstractContextManager[None]:
        """One call's turn: entered when the call may leave, left when it was answered, or never will be.

        Raises Throttled while the circuit is open.
        """
        ...

    def throttled(self) -> None:
        """The provider refused a call for going too fast: have fewer under way for a while."""
        ...

    def answered(self) -> None:
        """The provider answered sensibly (a refusal counts): close the circuit."""
        ...

    def failed(self) -> None:
        """The provider did not answer or answered 5xx: enough of these in a row open the circuit."""
        ...


@dataclass
class CallCounter:
    """Calls that left for the provider, repeats included, and how many of them it throttled. Token calls are neither.

    `unclassified` holds, by code, how often the provider said something that its catalogue lacks, and its last words.
    """

    reads: int = 0
    writes: int = 0
    throttled: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    unclassified: dict[str, tuple[int, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def count(self, kind: str, *, write: bool) -> None:
        with self._lock:
            self.writes += write
            self.reads += not write
            self.by_kind[kind] = self.by_kind.get(kind, 0) + 1

    def note_throttled(self) -> None:
        with self._lock:
            self.throttled += 1

    def note_unclassified(self, code: str, message: str) -> None:
        with self._lock:
            times, _ = self.unclassified.get(code, (0, ""))
            self.unclassified[code] = (times + 1, message)


@dataclass(frozen=True)
class Lent:
    tokens: TokenSource
    pacer: Pacer
    clock: Clock
    calls: CallCounter
    jitter: Callable[[], float] = random.random
    # One batch's turn among batches, for a provider that rations those besides.
    batch_turn: Callable[[], AbstractContextManager[None]] = nullcontext


@dataclass(frozen=True)
class ConnectionFacts:
    """A connection as a connector sees it. `company` holds the facts that were found when it was connected."""

    id: str
    key: ConnectionKey
    company_id: str
    company: Mapping[str, Any]
    settings: ConnectionSettings


# --- pushing -----------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Ref:
    """One of our records: entity type and id."""

    entity_type: str
    entity_id: str


@dataclass(frozen=True)
class Known:
    """The mapping of a record that stands in the ERP already; `snapshot` is what `Pushed` had of it at the last write."""

    external_id: str
    sync_token: str | None
    external_type: str = ""
    snapshot: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Write:
    """One record to bring into the ERP.

    `refs` holds the ERP ids of everything `requirements` named. `known` is None for a record that
    has no mapping yet. `key(purpose)` gives the request key of one write: the same purpose gives the
    same key in every repeat. `in_doubt`: an earlier try may have reached the ERP, so look first;
    `doubt_since` is when its answer was lost, where that is known. `keyed` False: that try went under a key that it shared
    with other records, so a repeat under its own key would not be told as one.
    """

    ref: Ref
    record: CanonicalRecord
    refs: Mapping[Ref, str]
    known: Known | None
    key: Callable[[str], str]
    in_doubt: bool = False
    doubt_since: dt.datetime | None = None
    keyed: bool = True


@dataclass(frozen=True)
class Moved:
    """What a write has done to another document besides: its balance lowered by `amount`, its version raised by `versions`."""

    ref: ExternalRef
    amount: Decimal
    versions: int


@dataclass(frozen=True)
class Pushed:
    """The record stands in the ERP. `total` is the document's total as the ERP has it, where it has one.

    `void`: it was adopted, and a person has voided it meanwhile. `note` is what a person should know of it, for the log.
    `snapshot`, where there is one, is kept until the next write: how the connector tells then what others have changed.
    It holds no personal data. `moved` spares the reads that the ERP's news of those documents would ask for otherwise.
    """

    outcome: Outcome
    external_id: str
    external_type: str
    external_number: str | None = None
    sync_token: str | None = None
    total: Decimal | None = None
    balance: Decimal | None = None
    updated_at: dt.datetime | None = None
    request_id: str = ""
    void: bool = False
    note: str = ""
    snapshot: Mapping[str, str] | None = None
    moved: tuple[Moved, ...] = ()


# --- before a sync ---


@dataclass(frozen=True)
class Candidate:
    """A record that a sync would send. `refs` are the ERP ids of what it requires, as far as that stands there."""

    ref: Ref
    record: CanonicalRecord
    refs: Mapping[Ref, str]
    known: Known | None


@dataclass(frozen=True)
class Finding:
    """The error that a push would meet now; `ref` is None where every record of the connection would."""

    error: ErpError
    ref: Ref | None = None


# --- reading the truth -------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class ExternalRef:
    """One of the ERP's records: its type in the ERP's words, and its id."""

    external_type: str
    external_id: str


@dataclass(frozen=True)
class DocumentState:
    """A sales document as it stands in the ERP now. `gone`: deleted or voided. `customer` is whom it is made out to."""

    ref: ExternalRef
    total: Decimal
    balance: Decimal
    gone: bool
    updated_at: dt.datetime | None
    sync_token: str | None
    customer: ExternalRef | None = None


@dataclass(frozen=True)
class NameState:
    """A customer or product as it stands in the ERP now. `gone`: it exists no more, since it was merged into another.

    `fields` are in our words: the JSON names of the canonical record, and values that are JSON.
    """

    ref: ExternalRef
    gone: bool
    fields: Mapping[str, Any]
    updated_at: dt.datetime | None = None
    sync_token: str | None = None


@dataclass(frozen=True)
class PaymentState:
    """A payment as it stands in the ERP now; `applied` says how much of it went to which document.

    `record_id` is our id of it, where the document says that we made it.
    """

    ref: ExternalRef
    date: dt.date | None
    method: str | None
    reference: str | None
    gone: bool
    applied: Mapping[ExternalRef, Decimal]
    updated_at: dt.datetime | None
    record_id: str | None = None


@dataclass(frozen=True)
class Truth:
    """What the ERP says about the records asked for, the documents behind them, and all payments of those.

    `behind` names, for a record that is no such document itself, the documents that it tells of (an invoice that was
    made from a sales order tells of that). A record of which nothing is known any more may be missing there.
    """

    documents: tuple[DocumentState, ...]
    payments: tuple[PaymentState, ...]
    behind: Mapping[ExternalRef, frozenset[ExternalRef]] = field(default_factory=dict)


# --- what changed there ------------------------------------------------------------------


@dataclass(frozen=True)
class Changed:
    """A record that was changed in the ERP, as a pull finds it; `at` is the ERP's own stamp, in UTC.

    `sync_token` and `balance` are what it has now, where finding it has told that already.
    """

    ref: ExternalRef
    at: dt.datetime
    deleted: bool = False
    sync_token: str | None = None
    balance: Decimal | None = None


@dataclass(frozen=True)
class ChangePage:
    """A page of changes. `cursor` (up to 500 characters, the connector's own) is where the next one begins.

    `more`: another page is there already. A record may come again on a later page or in a later pull, with the same stamp.
    """

    changed: tuple[Changed, ...]
    cursor: str
    more: bool = False


class ErpSession(Protocol):
    """One connection, spoken to by one worker at a time. Every method may raise the errors of `domain.errors`."""

    def unwanted(self, record: CanonicalRecord) -> str | None:
        """Why the ERP is to have no such record, by the provider's own settings; None where it is to have it. Pure."""
        ...

    def requirements(self, record: CanonicalRecord) -> tuple[Ref, ...]:
        """Our records that must stand in the ERP before this one, in the order to push them. Pure."""
        ...

    def body(self, record: CanonicalRecord, refs: Mapping[Ref, str]) -> dict[str, Any]:
        """The mapped body, without ids and versions of the record itself: equal bodies need no second call. Pure.

        Raises RequirementMissing when a setting is needed that nobody made, Rejected when the company
        cannot take such a record.
        """
        ...

    def push(self, write: Write) -> Pushed:
        """Create or update the record; at most one document ever stands for it.

        Raises AnswerLost when the write may have happened, NameTaken when its natural key belongs to
        something that cannot be adopted, and the other errors of `domain.errors`.
        """
        ...

    def find(self, write: Write) -> Pushed | None:
        """The document that an earlier try of exactly this record has left; None when it is certain that there is none.

        Looks only. Raises AnswerLost while the earlier try may still be at work in the ERP.
        """
        ...

    def preflight(self, candidates: Sequence[Candidate]) -> tuple[Finding, ...]:
        """What pushes of these would meet now, as far as reading shows it: a few calls for each hundred. Sends nothing.

        Whatever `body` refuses is left to the caller.
        """
        ...

    def truth(self, refs: Sequence[ExternalRef]) -> Truth:
        """Read these records and the documents behind them as they stand now, in as few calls as possible.

        Unknown types are ignored. A record that is not there any more comes back as `gone`.
        """
        ...

    def company_name(self) -> str:
        """The company's name as it is now: one cheap read, which shows that the company lets us in."""
        ...

    def streams(self) -> tuple[str, ...]:
        """The kinds of changes that are pulled apart from each other, each with a cursor of its own. Pure."""
        ...

    def changes(self, stream: str, cursor: str | None, since: dt.datetime) -> ChangePage:
        """The next page of what changed after `cursor`; where there is none yet, after `since`.

        Complete: what is committed late, shares a stamp or falls on a page's edge comes with a later page at the latest.
        """
        ...


@runtime_checkable
class NameReader(Protocol):
    """A session of a provider whose customers and products can be compared with ours."""

    def names(self, refs: Sequence[ExternalRef]) -> tuple[NameState, ...]:
        """These customers and products as they stand now, in as few calls as possible. Other types are ignored."""
        ...

    def listing(self, external_type: str, start: int) -> tuple[NameState, ...]:
        """The customers or products that stand there, inactive ones too, from the `start`th (from 1) on; empty: no more."""
        ...

    def as_there(self, record: CanonicalRecord) -> Mapping[str, Any]:
        """How a customer or product of ours reads there as long as nobody changes it: like `NameState.fields`. Pure."""
        ...


@runtime_checkable
class BatchSession(ErpSession, Protocol):
    """A session of a provider that takes several records in one call, each with a verdict of its own."""

    @property
    def batch_size(self) -> int:
        """How many writes go in one call at most."""
        ...

    @property
    def batch_least(self) -> int:
        """With fewer at hand each goes alone: a lost answer of its own is settled sooner than one of a batch."""
        ...

    def may_batch(self, write: Write) -> bool:
        """Whether it needs nothing but to be sent: no look before, no reading of an older version. Pure."""
        ...

    def push_batch(self, writes: Sequence[Write]) -> list[Pushed | ErpError]:
        """What became of each, in order. No two of them are of one record, and none requires another.

        A call that fails as a whole is every write's error. After AnswerLost a write is not `keyed` any more.
        NameTaken and StaleVersion: nothing was done, and it may be pushed alone at once.
        """
        ...
