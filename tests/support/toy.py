"""A whole tiny provider, kept only as a test subject: an ERP in memory that can refuse, lose answers and forget keys."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.commerce import tenants
from erp_pipelines.connectors.base import (
    Candidate,
    ChangePage,
    ConnectionFacts,
    DocumentState,
    ExternalRef,
    Finding,
    Lent,
    Pushed,
    Ref,
    Truth,
    Write,
)
from erp_pipelines.connectors.provider import InFlight, Kinds
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import AnswerLost
from erp_pipelines.domain.events import CanonicalRecord, EntityType
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.payments import Payment
from erp_pipelines.security.cipher import Cipher
from erp_pipelines.storage import connections
from erp_pipelines.storage.engine import Database

KEY = ConnectionKey("acme", "toy")
KINDS = {"Customer": "Customer", "Product": "Item", "Order": "Invoice", "Payment": "Payment"}
TOY_KINDS = Kinds({there: EntityType(ours) for ours, there in KINDS.items()}, frozenset({"Invoice", "Payment"}))


@dataclass
class ToyErp:
    """Documents by (type, our id), the answers remembered per request key, and every write that arrived."""

    documents: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    answers: dict[str, Pushed] = field(default_factory=dict)
    arrived: list[tuple[str, str, str]] = field(default_factory=list)  # (purpose, entity type, id)
    before: list[Callable[[Write], None]] = field(default_factory=list)  # each spent on one push, before it counts
    after: list[Callable[[Write], None]] = field(default_factory=list)  # the same, after the document stands
    always: Callable[[Write], None] | None = None
    finding: Callable[[Write], None] | None = None  # before every look for what an earlier try left
    findings: tuple[Finding, ...] = ()
    looked_at: list[Candidate] = field(default_factory=list)
    truth: Truth = field(default_factory=lambda: Truth((), ()))
    truths: list[Sequence[ExternalRef]] = field(default_factory=list)
    truth_error: Exception | None = None
    company: Callable[[], str] = lambda: "A company"
    in_flight: InFlight = field(default_factory=InFlight)
    pages: dict[str, list[ChangePage | Exception]] = field(default_factory=dict)  # by stream; the cursor counts them
    asked: list[tuple[str, str | None, dt.datetime]] = field(default_factory=list)
    honours_keys: bool = True
    unwanted: dict[str, str] = field(default_factory=dict)  # by our kind of record: why the ERP is to have none
    void: set[str] = field(default_factory=set)  # orders whose document a person has voided
    off_by: Decimal = Decimal(0)
    telling: dict[str, Any] = field(default_factory=dict)  # what every answer says besides
    ids: Any = field(default_factory=lambda: itertools.count(1))

    def doubles(self) -> list[tuple[str, str]]:
        return [key for key, found in self.documents.items() if len(found) > 1]

    def of(self, entity_type: str) -> list[str]:
        return [key[1] for key in self.documents if key[0] == entity_type]


@dataclass
class ToySession:
    erp: ToyErp
    lent: Lent

    def unwanted(self, record: CanonicalRecord) -> str | None:
        return self.erp.unwanted.get(type(record).__name__)

    def requirements(self, record: CanonicalRecord) -> tuple[Ref, ...]:
        if isinstance(record, Order):
            products = dict.fromkeys(line.product for line in record.lines)
            return (Ref("Customer", record.customer_id), *(Ref("Product", product) for product in products))
        return (Ref("Order", record.order_id),) if isinstance(record, Payment) else ()

    def body(self, record: CanonicalRecord, refs: Mapping[Ref, str]) -> dict[str, Any]:
        return {**record.payload(), "refs": sorted(refs.values())}

    def push(self, write: Write) -> Pushed:
        if self.erp.always:
            self.erp.always(write)
        if self.erp.before:
            self.erp.before.pop(0)(write)
        with self.lent.pacer.turn():
            self.lent.calls.count(write.ref.entity_type, write=True)
            done = self._write(write)
            if self.erp.after:
                self.erp.after.pop(0)(write)
        return done

    def _write(self, write: Write) -> Pushed:
        place = (write.ref.entity_type, write.ref.entity_id)
        if write.in_doubt and write.known is None and self.erp.documents.get(place):
            return self._pushed(write, self.erp.documents[place][0]["id"], Outcome.ADOPTED)
        purpose = "create" if write.known is None else f"update:{write.known.sync_token}"
        key = write.key(purpose)
        if self.erp.honours_keys and key in self.erp.answers:
            return self.erp.answers[key]
        self.erp.arrived.append((purpose, *place))
        if write.known:
            done = self._pushed(write, write.known.external_id, Outcome.UPDATED, int(write.known.sync_token or 0) + 1)
        else:
            external_id = str(next(self.erp.ids))
            self.erp.documents.setdefault(place, []).append({"id": external_id})
            done = self._pushed(write, external_id, Outcome.CREATED)
        self.erp.answers[key] = done
        return done

    def _pushed(self, write: Write, external_id: str, outcome: Outcome, token: int = 0) -> Pushed:
        total = write.record.amount_due + self.erp.off_by if isinstance(write.record, Order) else None
        number = write.record.number if isinstance(write.record, Order) else None
        pushed = Pushed(
            outcome,
            external_id,
            KINDS[write.ref.entity_type],
            number,
            str(token),
            total=total,
            balance=total,
            void=write.ref.entity_id in self.erp.void,
        )
        return replace(pushed, **self.erp.telling)

    def find(self, write: Write) -> Pushed | None:
        if self.erp.finding:
            self.erp.finding(write)
        place = (write.ref.entity_type, write.ref.entity_id)
        left = self.erp.documents.get(place)
        return self._pushed(write, left[0]["id"], Outcome.ADOPTED) if left else None

    def preflight(self, candidates: Sequence[Candidate]) -> tuple[Finding, ...]:
        self.erp.looked_at += candidates
        refs = {candidate.ref for candidate in candidates}
        return tuple(finding for finding in self.erp.findings if finding.ref is None or finding.ref in refs)

    def truth(self, refs: Sequence[ExternalRef]) -> Truth:
        if self.erp.truth_error:
            raise self.erp.truth_error
        self.erp.truths.append(list(refs))
        return self.erp.truth

    def company_name(self) -> str:
        with self.lent.pacer.turn():
            self.lent.calls.count("company", write=False)
            return self.erp.company()

    def streams(self) -> tuple[str, ...]:
        return tuple(self.erp.pages)

    def changes(self, stream: str, cursor: str | None, since: dt.datetime) -> ChangePage:
        self.erp.asked.append((stream, cursor, since))
        pages = self.erp.pages[stream]
        page = pages[int(cursor or 0)] if int(cursor or 0) < len(pages) else ChangePage((), cursor or "0")
        if isinstance(page, Exception):
            raise page
        return page


@dataclass
class ToyConnector:
    erp: ToyErp
    provider: str = "toy"
    display_name: str = "Toy"
    oauth: None = None
    credentials: None = None
    webhooks: None = None
    settings_model: None = None
    check_settings: None = None
    choices: None = None
    documents_when: str = "paid"
    kinds: Kinds = TOY_KINDS

    def in_flight(self, connection: ConnectionFacts) -> InFlight:
        del connection
        return self.erp.in_flight

    def session(self, connection: ConnectionFacts, lent: Lent) -> ToySession:
        del connection
        return ToySession(self.erp, lent)

    def document_url(self, connection: ConnectionFacts, ref: ExternalRef) -> str | None:
        del connection
        return f"https://erp.example.com/{ref.external_type}/{ref.external_id}"


def lose_answer(_: Write) -> None:
    raise AnswerLost("The answer was lost.")


def toy_runtime(database: Database, clock: Any, erp: ToyErp, **changes: Any) -> Runtime:
    ring = "k1:" + base64.b64encode(bytes(32)).decode()
    parts = {
        "db": database, "cipher": Cipher.from_keys(ring), "connectors": {"toy": ToyConnector(erp)}, "clock": clock,
        "public_url": "http://localhost", "requests_per_minute": {"toy": 6000.0}, "jitter": lambda: 0.0,
    }  # fmt: skip
    return Runtime(**{**parts, **changes})


def connect(database: Database, key: ConnectionKey = KEY, company: str = "company-1", **settings: Any) -> str:
    """A tenant with a connected account; its connection id."""
    with database.tenant(key.tenant_id) as conn:
        tenants.add(conn, key.tenant_id, key.tenant_id.title())
        row = connections.upsert_connected(
            conn,
            key,
            external_company_id=company,
            company_name="A company",
            company={},
            environment="sandbox",
            connected_by="test",
        )
        if settings:
            connections.save_settings(conn, key, row.settings.model_copy(update=settings))
    return row.id


def document(
    external_id: str, total: str, balance: str, *, gone: bool = False, updated_at: Any = None
) -> DocumentState:
    return DocumentState(ExternalRef("Invoice", external_id), Decimal(total), Decimal(balance), gone, updated_at, "9")
