"""Before a bulk sync: every record is mapped and the ERP asked what stands in the way. Nothing is queued or sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.commerce import records
from erp_pipelines.connectors.base import Candidate, Known, Ref
from erp_pipelines.delivery import bulk, job
from erp_pipelines.delivery.job import Job
from erp_pipelines.delivery.reports import Tally
from erp_pipelines.delivery.wanted import unwanted
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import Conflict, ErpError, NotFound, RecordInvalid
from erp_pipelines.domain.events import CanonicalRecord, EntityType
from erp_pipelines.domain.idempotency import fingerprint
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.outcomes import Explained, explain
from erp_pipelines.domain.payments import Payment
from erp_pipelines.storage import mappings
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.mappings import Mapping as StoredMapping

CHUNK = 100
MOST_NAMED = 20
NOT_THERE = "0"  # in bodies that are never sent: the id of what the sync itself would bring


@dataclass(frozen=True)
class Problem:
    """Records that would fail for one reason. `entity_type` is empty where it is the whole connection's."""

    why: Explained
    entity_type: str
    count: int
    entity_ids: tuple[str, ...]


@dataclass(frozen=True)
class Preflight:
    """What a sync would do now. `total` is what it would queue.

    `to_send` counts what that requires too; the `failing` ones are among them, each counted once.
    """

    total: int
    to_send: int
    unchanged: int
    skipped: int
    failing: int
    problems: tuple[Problem, ...]


def preflight(
    runtime: Runtime, key: ConnectionKey, entity_types: Sequence[str], *, entity_ids: Sequence[str] | None = None
) -> Preflight:
    """Look at what `bulk.request` would queue, and at what it requires.

    A record that would fail does not hide what is wrong with others. Raises NotFound and RecordInvalid as `bulk.request`,
    Conflict when the connection has to wait for a person or a pause, and the ErpErrors of an ERP that cannot be asked.
    """
    kinds = bulk.kinds_of(entity_types)
    found = _Found()
    with runtime.db.onlooker() as session:
        tally = Tally(key)
        look = job.start(runtime, session, key, tally)
        if look is None:
            raise Conflict(
                f"{key} cannot be asked: {tally.parked}", mend="Mend that first, or wait for the pause to end."
            )
        for page in bulk.pages(runtime, key, kinds, entity_ids, CHUNK):
            found.total += len(page)
            _look_at(look, [Ref(*one) for one in page], found)
        required = sorted(found.required - found.seen)
        for start in range(0, len(required), CHUNK):
            _look_at(look, required[start : start + CHUNK], found)
    return found.result()


@dataclass
class _Found:
    total: int = 0
    unchanged: int = 0
    skipped: int = 0
    seen: set[Ref] = field(default_factory=set)
    required: set[Ref] = field(default_factory=set)
    sent: set[Ref] = field(default_factory=set)
    errors: dict[tuple[Explained, str], list[Ref | None]] = field(default_factory=dict)

    def note(self, error: ErpError | RecordInvalid, ref: Ref | None) -> None:
        """Grouped by what a person has to do; records differ in the words of the message."""
        why = explain(error)
        group = next((key for key in self.errors if _same(key, why, ref)), (why, ref.entity_type if ref else ""))
        named = self.errors.setdefault(group, [])
        if ref not in named:
            named.append(ref)

    def result(self) -> Preflight:
        problems = [
            Problem(why, kind, len(refs), tuple(ref.entity_id for ref in refs[:MOST_NAMED] if ref))
            for (why, kind), refs in self.errors.items()
        ]
        failing = {ref for refs in self.errors.values() for ref in refs if ref}
        return Preflight(self.total, len(self.sent), self.unchanged, self.skipped, len(failing), tuple(problems))


def _same(group: tuple[Explained, str], why: Explained, ref: Ref | None) -> bool:
    known, kind = group
    return (known.cause, known.mend, kind) == (why.cause, why.mend, ref.entity_type if ref else "")


def _look_at(look: Job, page: Sequence[Ref], found: _Found) -> None:
    found.seen.update(page)
    with look.transaction() as conn:
        loaded = {ref: _load(conn, look, ref) for ref in page}
        known = _mapped(conn, look, page)
        wanted = {ref: record for ref, record in loaded.items() if ref in known or _wanted(conn, look, record)}
    found.skipped += len(page) - len(wanted)
    candidates = list(_candidates(look, wanted, known, found))
    for finding in look.erp.preflight(candidates) if candidates else ():
        found.note(finding.error, finding.ref)


def _load(conn: Connection, look: Job, ref: Ref) -> CanonicalRecord:
    record = records.load(conn, look.key.tenant_id, ref.entity_type, ref.entity_id)
    if record is None:
        raise NotFound(f"There is no {ref.entity_type.lower()} {ref.entity_id!r}.")
    return record


def _mapped(conn: Connection, look: Job, refs: Sequence[Ref]) -> dict[Ref, StoredMapping]:
    kinds = sorted({ref.entity_type for ref in refs})
    return {
        Ref(kind, entity_id): mapping
        for kind in kinds
        for entity_id, mapping in mappings.find(
            conn, look.key, kind, [ref.entity_id for ref in refs if ref.entity_type == kind]
        ).items()
    }


def _wanted(conn: Connection, look: Job, record: CanonicalRecord) -> bool:
    """A payment is, when its orders are; one that stands there already counts as that."""
    if isinstance(record, Payment):
        orders = [Ref(EntityType.ORDER, part.order_id) for part in record.parts]
        there = _mapped(conn, look, orders)
        return all(one in there or _wanted(conn, look, _load(conn, look, one)) for one in orders)
    return unwanted(record, look.row.settings) is None


def _candidates(
    look: Job, wanted: Mapping[Ref, CanonicalRecord], known: Mapping[Ref, StoredMapping], found: _Found
) -> Iterator[Candidate]:
    """Those that would be sent and can be mapped; what they require and is not there yet is kept in mind."""
    for ref, record in wanted.items():
        refs = _required(look, record)
        there = {one: mapping.external_id for one, mapping in refs.items() if mapping}
        found.required |= refs.keys() - there.keys()
        mapping = known.get(ref)
        try:
            body = fingerprint(look.erp.body(record, {one: there.get(one, NOT_THERE) for one in refs}))
        except (ErpError, RecordInvalid) as error:
            found.sent.add(ref)
            found.note(error, ref)
            continue
        if mapping and mapping.fingerprint == body:
            found.unchanged += 1
            continue
        found.sent.add(ref)
        yield Candidate(ref, record, there, Known(mapping.external_id, mapping.sync_token) if mapping else None)


def _required(look: Job, record: CanonicalRecord) -> dict[Ref, StoredMapping | None]:
    refs = list(look.erp.requirements(record))
    with look.transaction() as conn:
        if isinstance(record, Payment):
            order = _load(conn, look, Ref(EntityType.ORDER, record.order_id))
            refs += [Ref(EntityType.CUSTOMER, order.customer_id)] if isinstance(order, Order) else []
        mapped = _mapped(conn, look, refs)
    return {ref: mapped.get(ref) for ref in refs}
