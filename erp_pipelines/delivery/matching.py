"""Day one: the customers and products that stand in an ERP already, matched with ours so that none is made twice.

What is certain is bound without a write; what looks alike is asked, and waits; what is like nothing there goes its way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import structlog

from erp_pipelines.access import connections as access
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.commerce import records
from erp_pipelines.connectors.base import ExternalRef, NameReader, NameState, Ref
from erp_pipelines.connectors.calling import lent_for_once
from erp_pipelines.delivery import names, worker
from erp_pipelines.delivery.bring import question
from erp_pipelines.delivery.job import Job
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import Conflict, NotFound, RecordInvalid
from erp_pipelines.domain.events import CanonicalRecord, EntityType
from erp_pipelines.domain.idempotency import fingerprint
from erp_pipelines.domain.matching import Match, Named, match
from erp_pipelines.storage import binding, connections, inbox_intake, mappings, questions, requeue
from erp_pipelines.storage.binding import Pair
from erp_pipelines.storage.connections import ConnectionRow
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.inbox_intake import NewNotice
from erp_pipelines.storage.questions import Question

log = structlog.get_logger("erp.delivery")
KINDS = (EntityType.CUSTOMER, EntityType.PRODUCT)


@dataclass
class Matched:
    """How many of our records of one kind, which stood for none of the ERP's, were bound, asked about, or like none."""

    bound: int = 0
    asked: int = 0
    new: int = 0


def is_possible(runtime: Runtime, row: ConnectionRow) -> bool:
    """Whether the provider's customers and products can be listed. No call is made."""
    connector = runtime.connectors.get(row.provider)
    if connector is None or not row.external_company_id:
        return False
    return isinstance(connector.session(access.facts(row), lent_for_once("", runtime.clock)), NameReader)


def run(runtime: Runtime, key: ConnectionKey) -> dict[EntityType, Matched]:
    """Match everything that is not bound yet. May be repeated: what a person has decided stays.

    Raises NotFound for a connection that does not exist, Conflict where it is served at this moment, has to wait or its
    provider cannot be read so, and what its calls may raise.
    """
    found: dict[EntityType, Matched] = {}

    def work(job: Job) -> None:
        reader = job.erp
        if not isinstance(reader, NameReader):
            raise Conflict(f"{runtime.display_name(key.provider)} cannot be matched with.")
        found.update({kind: _match(job, reader, kind) for kind in KINDS})

    report = worker.holding(runtime, key, work)
    if report.busy or not found:
        why = "A worker serves it at this moment." if report.busy else report.parked or ""
        raise Conflict(f"{key} cannot be matched now. {why}".strip(), mend="Try again in a moment.")
    return found


def _match(job: Job, reader: NameReader, kind: EntityType) -> Matched:
    there = {state.ref.external_id: state for state in _listing(job, reader, kind)}
    with job.transaction() as conn:
        taken = set(mappings.find_external(conn, job.key, kind, sorted(there)))
        ours = _unbound(conn, job, kind)
    matches = match(
        [_ours(one) for one in ours.values()],
        [_theirs(one) for one in there.values() if one.ref.external_id not in taken],
    )
    counts = Matched()
    asked: list[str] = []
    for one in matches:
        with job.transaction() as conn:
            word = _settle(conn, job, kind, ours[one.id], one, there)
        setattr(counts, word, getattr(counts, word) + 1)
        asked += [one.id] if word == "asked" else []
    with job.transaction() as conn:
        withdrawn = [question(Ref(kind, entity_id)) for entity_id in questions.withdraw(conn, job.key, kind, asked)]
        requeue.requirements_met(conn, job.row.id, withdrawn, now=job.now())
    log.info("matched", connection=str(job.key), kind=kind, **asdict(counts))
    return counts


def _listing(job: Job, reader: NameReader, kind: EntityType) -> Iterator[NameState]:
    [external_type] = [name for name, ours in job.kinds.entities.items() if ours is kind]
    start = 1
    while page := reader.listing(external_type, start):
        yield from page
        start += len(page)


def _unbound(conn: Connection, job: Job, kind: EntityType) -> dict[str, CanonicalRecord]:
    """Our records that stand for none of the ERP's, and about which nobody has decided."""
    known, decided = dict[str, CanonicalRecord](), questions.decided(conn, job.key, kind)
    after: str | None = None
    while page := records.ids(conn, job.key.tenant_id, kind, after):
        bound = mappings.find(conn, job.key, kind, page)
        for entity_id in page:
            record = records.load(conn, job.key.tenant_id, kind, entity_id)
            if record is not None and entity_id not in bound and entity_id not in decided:
                known[entity_id] = record
        after = page[-1]
    return known


def _ours(record: CanonicalRecord) -> Named:
    told = record.payload()
    return Named(told["id"], told["name"], told.get("email"), told.get("sku"))


def _theirs(state: NameState) -> Named:
    told = state.fields
    return Named(state.ref.external_id, told["name"], told.get("email"), told.get("sku"), active=told["active"])


def _settle(
    conn: Connection, job: Job, kind: EntityType, ours: CanonicalRecord, found: Match, there: Mapping[str, NameState]
) -> str:
    if found.certain is not None:
        state = there[found.certain]
        _bind(conn, job, Ref(kind, found.id), ours, state)
        return "bound"
    if not found.candidates:
        return "new"
    told: Sequence[dict[str, Any]] = [asdict(candidate) for candidate in found.candidates]
    questions.ask(conn, job.key, kind, found.id, _ours(ours).name, told, now=job.now())
    return "asked"


def _bind(conn: Connection, job: Job, ref: Ref, ours: CanonicalRecord, state: NameState) -> None:
    """Without a write: what stands there is the bookkeeper's, and where it differs from ours is drift."""
    body, now = fingerprint(job.erp.body(ours, {})), job.now()
    _link(conn, job.key, job.row.id, ref, state.ref, str(state.fields["name"]), body, now)
    names.compare(conn, job, state, mappings.find(conn, job.key, ref.entity_type, [ref.entity_id])[ref.entity_id])


def _link(
    conn: Connection,
    key: ConnectionKey,
    connection_id: str,
    ref: Ref,
    there: ExternalRef,
    name: str,
    body: str,
    now: dt.datetime,
) -> None:
    pair = Pair(ref.entity_type, ref.entity_id, there.external_id, there.external_type, name, fingerprint=body)
    binding.bind(conn, key, connection_id, [pair], now=now)


# --- what a person decides ---------------------------------------------------------------


def decide(runtime: Runtime, key: ConnectionKey, ref: Ref, external_id: str | None, by: str) -> Question:
    """It is that one of the ERP's, or with None none of them. What waited for the answer goes on.

    Raises NotFound where nothing was asked, Conflict where it is decided already or the ERP's record stands for another of
    ours, RecordInvalid for one that is no candidate.
    """
    now = runtime.clock.now()
    with runtime.db.tenant(key.tenant_id) as conn:
        row = connections.get(conn, key)
        asked = questions.find(conn, key, ref.entity_type, ref.entity_id)
        if asked is None:
            raise NotFound(f"Nothing is asked about {ref.entity_type} {ref.entity_id!r}.")
        if asked.decided_at is not None:
            raise Conflict(f"{ref.entity_type} {ref.entity_id!r} was decided about by {asked.decided_by}.")
        if external_id is not None:
            _choose(conn, runtime, row, ref, asked, external_id)
        requeue.requirements_met(conn, row.id, [question(ref)], now=now)
        return questions.decide(conn, key, ref.entity_type, ref.entity_id, external_id, by=by, now=now)


def _choose(
    conn: Connection, runtime: Runtime, row: ConnectionRow, ref: Ref, asked: Question, external_id: str
) -> None:
    chosen = next((one for one in asked.candidates if one["id"] == external_id), None)
    if chosen is None:
        raise RecordInvalid(f"{external_id!r} is none of the candidates.", field="externalId")
    connector, now = runtime.connector(row.provider), runtime.clock.now()
    kinds = connector.kinds.entities
    there = ExternalRef(next(name for name, ours in kinds.items() if ours == ref.entity_type), external_id)
    if mappings.find_external(conn, row.key, ref.entity_type, [external_id]):
        raise Conflict(f"{there.external_type} {external_id} stands for another {ref.entity_type} of yours already.")
    ours = records.load(conn, row.tenant_id, ref.entity_type, ref.entity_id)
    if ours is None:
        raise NotFound(f"There is no {ref.entity_type.lower()} {ref.entity_id!r}.")
    session = connector.session(access.facts(row), lent_for_once("", runtime.clock))
    _link(conn, row.key, row.id, ref, there, chosen["name"], fingerprint(session.body(ours, {})), now)
    inbox_intake.insert(conn, [_compared(row, there)])


def _compared(row: ConnectionRow, there: ExternalRef) -> NewNotice:
    """So that the next worker compares the two."""
    return NewNotice(
        key=row.key,
        event_id=f"matched:{there.external_type}:{there.external_id}",
        company_id=row.external_company_id or "",
        external_type=there.external_type,
        external_id=there.external_id,
        operation="Adopted",
        occurred_at=None,
    )
