"""Taking over what the ERP says of a customer or product: field by field where the tenant wants it, else shown as drift.

What is taken over is not told back: no event is written, and the body that says the same counts as sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from erp_pipelines.commerce import customers, records
from erp_pipelines.connectors.base import ExternalRef, NameReader, NameState, Truth
from erp_pipelines.delivery.apply import Applied, known_as, log_applied
from erp_pipelines.delivery.job import Job
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import DatabaseDown, LockLost, RecordInvalid
from erp_pipelines.domain.events import CanonicalRecord, EntityType
from erp_pipelines.domain.idempotency import fingerprint
from erp_pipelines.domain.outcomes import Explained, explain
from erp_pipelines.storage import alerts, binding, deliveries, drifts, inbox_intake, mappings
from erp_pipelines.storage.binding import Pair
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.inbox import StoredNotice
from erp_pipelines.storage.inbox_intake import NewNotice
from erp_pipelines.storage.mappings import Mapping as StoredMapping

log = structlog.get_logger("erp.delivery")
NAMES = frozenset({EntityType.CUSTOMER, EntityType.PRODUCT})
DELETIONS = frozenset({"Delete", "Deleted"})
Differences = dict[str, tuple[Any, Any]]


def is_read(job: Job, external_type: str) -> bool:
    """Whether records of this type are compared with ours."""
    return isinstance(job.erp, NameReader) and job.kinds.entities.get(external_type) in NAMES


def read(job: Job, refs: Sequence[ExternalRef]) -> tuple[NameState, ...]:
    """The customers and products among these, as they stand in the ERP now."""
    wanted = [ref for ref in refs if is_read(job, ref.external_type)]
    return job.erp.names(wanted) if wanted and isinstance(job.erp, NameReader) else ()


def witnesses(conn: Connection, job: Job, notice: StoredNotice) -> set[ExternalRef]:
    """A document that says who a customer is now that has vanished: those of a merged one have moved to the other."""
    if notice.operation not in DELETIONS or job.kinds.entities.get(notice.external_type) is not EntityType.CUSTOMER:
        return set()
    known = known_as(conn, job, ExternalRef(notice.external_type, notice.external_id))
    document = mappings.newest_document(conn, job.key, known.entity_id) if known else None
    return {ExternalRef(document.external_type, document.external_id)} if document else set()


def apply(job: Job, truth: Truth, state: NameState) -> Applied:
    """Take over one record's state in one transaction; one that can't be taken doesn't hold up the others."""
    try:
        with job.transaction() as conn:
            known = known_as(conn, job, state.ref)
            if known is None:
                return Applied(None)
            changed = _gone(conn, job, truth, known) if state.gone else compare(conn, job, state, known)
            return Applied(known.entity_id, changed)
    except (LockLost, DatabaseDown):
        raise
    except Exception as error:
        log.exception("a record's state could not be applied", connection=str(job.key), record=state.ref.external_id)
        return Applied(None, error=explain(error))


def compare(conn: Connection, job: Job, state: NameState, known: StoredMapping) -> bool:
    """Take over the fields that follow the ERP, and note what differs besides; whether there was anything."""
    started_at = job.now()
    ours = records.load(conn, job.key.tenant_id, known.entity_type, known.entity_id)
    found = _differences(job, ours, state, known) if ours else {}
    taken = _take(conn, job, known, ours, found) if isinstance(ours, Customer) else None
    if taken is not None:
        found = _differences(job, taken, state, known)
    mappings.seen(
        conn, job.key, entity_type=known.entity_type, external_id=known.external_id, sync_token=state.sync_token,
        balance=None, updated_at=state.updated_at, number=taken.name if taken and taken.name == state.fields.get("name") else None,
    )  # fmt: skip
    drifted = drifts.put(conn, job.key, known.entity_type, known.entity_id, known.external_id, found, now=started_at)
    if taken or drifted:
        log_applied(conn, job, known, started_at, "Applied" if taken else "Drifted", None)
    return bool(taken) or drifted


def _differences(job: Job, ours: CanonicalRecord, state: NameState, known: StoredMapping) -> Differences:
    """Ours and theirs where they differ. A name that we gave it there is no difference, whatever suffix it needed."""
    assert isinstance(job.erp, NameReader)  # noqa: S101 - nothing else gives a NameState
    here = job.erp.as_there(ours)
    differs = {
        name: (here[name], theirs) for name, theirs in state.fields.items() if here.get(name) != theirs and name in here
    }
    if state.fields.get("name") == known.external_number:
        differs.pop("name", None)
    return differs


def _take(conn: Connection, job: Job, known: StoredMapping, ours: Customer, found: Differences) -> Customer | None:
    """The customer with the fields that follow the ERP. None: none of them differs, or our own news has yet to go there."""
    fields: dict[str, Any] = {
        name: theirs for name, (_, theirs) in found.items() if name in job.row.settings.customer_fields_from_erp
    }
    if not fields or deliveries.has_open(conn, job.row.id, known.entity_type, known.entity_id):
        return None
    try:
        after = customers.apply_from_erp(conn, job.key.tenant_id, known.entity_id, _placed(ours, fields))
    except RecordInvalid:
        return None  # it stays visible as drift
    if after is not None:
        before = fingerprint(job.erp.body(ours, {}))
        mappings.as_sent(
            conn, job.key, known.entity_type, known.entity_id, before=before, after=fingerprint(job.erp.body(after, {}))
        )
    return after


def _placed(ours: Customer, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Addresses with the name of who receives where ours has it: in the ERP it is a line like the others."""
    held = ours.payload()
    return {
        name: _address(held.get(name), value) if name.endswith("Address") else value for name, value in fields.items()
    }


def _address(ours: Mapping[str, str] | None, theirs: Mapping[str, str] | None) -> Mapping[str, str] | None:
    if not ours or not theirs or "name" in theirs or theirs.get("line1") != ours.get("name"):
        return theirs
    moved = {"name": theirs["line1"], **({"line1": theirs["line2"]} if "line2" in theirs else {})}
    return moved | {name: value for name, value in theirs.items() if name not in {"line1", "line2"}}


def _gone(conn: Connection, job: Job, truth: Truth, known: StoredMapping) -> bool:
    """Merged into another record: that one stands for ours from now on, unless it stands for another of ours already."""
    started_at, there = job.now(), _merged_into(conn, job, truth, known)
    if there is not None:
        _follow(conn, job, known, there, started_at)
        return True
    gone = {drifts.GONE: (False, True)}
    if drifts.put(conn, job.key, known.entity_type, known.entity_id, known.external_id, gone, now=started_at):
        why = _merged_away(known)
        log_applied(conn, job, known, started_at, "Merged", why)
        alerts.raise_alert(conn, job.key, why, entity_type=known.entity_type, entity_id=known.entity_id)
    return True


def _merged_into(conn: Connection, job: Job, truth: Truth, known: StoredMapping) -> ExternalRef | None:
    """As a document of the vanished customer's tells. None where none does, or the other is one of ours."""
    document = mappings.newest_document(conn, job.key, known.entity_id)
    told = {state.ref: state.customer for state in truth.documents}
    there = told.get(ExternalRef(document.external_type, document.external_id)) if document else None
    moved = there is not None and there.external_id not in {"", known.external_id}
    return there if there and moved and known_as(conn, job, there) is None else None


def _follow(conn: Connection, job: Job, known: StoredMapping, there: ExternalRef, now: dt.datetime) -> None:
    """The other record as it stands is the bookkeeper's choice: it is compared, and not written over."""
    pair = Pair(
        known.entity_type, known.entity_id, there.external_id, there.external_type, fingerprint=known.fingerprint
    )
    binding.bind(conn, job.key, job.row.id, [pair], now=now)
    drifts.put(conn, job.key, known.entity_type, known.entity_id, there.external_id, {}, now=now)
    notice = NewNotice(
        key=job.key,
        event_id=f"merged:{known.external_type}:{known.external_id}:{there.external_id}",
        company_id=job.facts.company_id,
        external_type=there.external_type,
        external_id=there.external_id,
        operation="Adopted",
        occurred_at=None,
    )
    inbox_intake.insert(conn, [notice])
    log_applied(conn, job, known, now, "Merged", None)


def _merged_away(known: StoredMapping) -> Explained:
    return Explained(
        f"{known.external_type} {known.external_number or known.external_id}, which stood for "
        f"{known.entity_type} {known.entity_id}, was merged into another record in the ERP.",
        "record-merged",
        f"Let the shop's orders name the record that stands for both, or enter {known.entity_type} {known.entity_id} anew.",
    )
