"""Which of the ERP's records stands for which of ours: read before a push, committed right after it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from erp_pipelines.connectors.base import ExternalRef, Pushed, Ref
from erp_pipelines.delivery.job import Job
from erp_pipelines.delivery.reports import Document
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.storage import binding, drifts, inbox_intake, mappings
from erp_pipelines.storage.binding import Pair
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.inbox_intake import NewNotice
from erp_pipelines.storage.mappings import Mapping as StoredMapping


def find(job: Job, ref: Ref) -> StoredMapping | None:
    with job.statements() as conn:
        return mappings.find(conn, job.key, ref.entity_type, [ref.entity_id]).get(ref.entity_id)


def find_all(job: Job, refs: Collection[Ref]) -> dict[Ref, str]:
    """The ERP's ids of those that stand there."""
    if not refs:
        return {}
    with job.statements() as conn:
        return {ref: row.external_id for ref, row in known_of(conn, job, refs).items()}


def known_of(conn: Connection, job: Job, refs: Collection[Ref]) -> dict[Ref, StoredMapping]:
    """The mappings of those that have one, in a query for each kind of record."""
    found: dict[Ref, StoredMapping] = {}
    for kind in sorted({ref.entity_type for ref in refs}):
        ids = sorted({ref.entity_id for ref in refs if ref.entity_type == kind})
        found |= {Ref(kind, one): row for one, row in mappings.find(conn, job.key, kind, ids).items()}
    return found


def requirement(ref: Ref) -> str:
    """What an event waits for when this record is missing in the ERP."""
    return binding.requirement(ref.entity_type, ref.entity_id)


@dataclass(frozen=True)
class Binding:
    """A record that stands in the ERP. `body` is the fingerprint of what was sent; None: send it again next time."""

    ref: Ref
    pushed: Pushed
    body: str | None


def bind(job: Job, *bindings: Binding) -> None:
    """Commit the ERP's ids before anything else happens; any doubt about the records ends, and what waited for them is due.

    All or none. Raises Rejected when one of the ERP's records stands for another of ours already.
    """
    alone = len(bindings) == 1 and not _tells_more(bindings[0].pushed)
    with job.statements() if alone else job.transaction() as conn:
        _bind(conn, job, bindings)
    for one in bindings:
        there = ExternalRef(one.pushed.external_type, one.pushed.external_id)
        show(job, one.ref, one.pushed.outcome, there, one.pushed.external_number)


def _tells_more(pushed: Pushed) -> bool:
    """Whether there is more to store than the pair."""
    return bool(pushed.moved) or pushed.outcome is not Outcome.CREATED


def _bind(conn: Connection, job: Job, bindings: Sequence[Binding]) -> None:
    now = job.now()
    for group in _as_they_happened(bindings):
        binding.bind(conn, job.key, job.row.id, [_pair(one) for one in group], now=now)
        _note_moved(conn, job, group[-1].pushed)
    for one in bindings:
        _note_standing(conn, job, one, now)


def _as_they_happened(bindings: Sequence[Binding]) -> Iterator[list[Binding]]:
    """Groups, each of which ends with what has moved other documents: the next one's answers know of it."""
    group: list[Binding] = []
    for one in bindings:
        group.append(one)
        if one.pushed.moved:
            yield group
            group = []
    if group:
        yield group


def _pair(one: Binding) -> Pair:
    ref, pushed = one.ref, one.pushed
    return Pair(
        entity_type=ref.entity_type,
        entity_id=ref.entity_id,
        external_id=pushed.external_id,
        external_type=pushed.external_type,
        number=pushed.external_number,
        sync_token=None if pushed.void else pushed.sync_token,  # it is looked at before it is written to
        fingerprint=one.body,
        snapshot=None if pushed.snapshot is None else dict(pushed.snapshot),
        balance=pushed.balance,
        total=pushed.total,
        updated_at=pushed.updated_at,
    )


def _note_standing(conn: Connection, job: Job, one: Binding, now: dt.datetime) -> None:
    ref, pushed = one.ref, one.pushed
    if pushed.outcome is Outcome.UPDATED:  # what was written says what we say
        drifts.put(conn, job.key, ref.entity_type, ref.entity_id, pushed.external_id, {}, now=now)
    if pushed.outcome is Outcome.ADOPTED:
        _look_again(conn, job, pushed)


def _note_moved(conn: Connection, job: Job, pushed: Pushed) -> None:
    """So that the ERP's news of it is known for our own. Without the ERP's stamp nobody could tell."""
    if pushed.updated_at is None:
        return
    for one in pushed.moved:
        mappings.moved(
            conn, job.key, entity_type=job.kinds.entities[one.ref.external_type], external_type=one.ref.external_type,
            external_id=one.ref.external_id, amount=one.amount, versions=one.versions, at=pushed.updated_at,
        )  # fmt: skip


def _look_again(conn: Connection, job: Job, pushed: Pushed) -> None:
    """Nobody knew the document until now: what the ERP has told of it meanwhile, payments too, was told in vain."""
    notice = NewNotice(
        key=job.key,
        event_id=f"adopted:{pushed.external_type}:{pushed.external_id}:{pushed.sync_token}",
        company_id=job.facts.company_id,
        external_type=pushed.external_type,
        external_id=pushed.external_id,
        operation="Adopted",
        occurred_at=None,
    )
    inbox_intake.insert(conn, [notice])


def show(job: Job, ref: Ref, outcome: Outcome, there: ExternalRef, number: str | None) -> None:
    """For the worker's report."""
    document = Document(
        ref.entity_type, ref.entity_id, outcome, there.external_type, there.external_id, number, job.url(there)
    )
    job.tally.document(document)
