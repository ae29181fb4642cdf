"""Bulk sync: queues what is to be brought into an ERP, in chunks, and counts how far it is.

The work itself is done by the same workers as everything else; a record that stands there unchanged costs no call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.commerce import records
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import NotFound, RecordInvalid
from erp_pipelines.domain.events import EntityType, EventType
from erp_pipelines.storage import connections, outbox, syncs
from erp_pipelines.storage.engine import Connection

CHUNK = 50
# What others require comes first; payments follow their orders.
ORDER = (EntityType.PRODUCT, EntityType.CUSTOMER, EntityType.ORDER, EntityType.PAYMENT)


@dataclass(frozen=True)
class Progress:
    """How far a bulk sync is. `finished`: all is queued and nothing waits any more."""

    total: int
    done: int
    successful: int
    failed: int
    skipped: int
    percent: float
    errors: tuple[str, ...]
    finished: bool
    cancelled: bool = False


def request(
    runtime: Runtime,
    key: ConnectionKey,
    entity_types: Sequence[str],
    *,
    entity_ids: Sequence[str] | None = None,
    by: str,
    chunk: int = CHUNK,
) -> str:
    """Queue a bulk sync and return its id. Orders bring their payments along.

    Asked again while one of the same entities is open, that one's id is returned, and its queueing goes
    on where it had stopped. Raises NotFound for an unknown connection or id, RecordInvalid for an unknown type.
    """
    sync_id, kinds = begin(runtime, key, entity_types, entity_ids=entity_ids, by=by)
    queue(runtime, key, sync_id, kinds, entity_ids=entity_ids, chunk=chunk)
    return sync_id


def begin(
    runtime: Runtime,
    key: ConnectionKey,
    entity_types: Sequence[str],
    *,
    entity_ids: Sequence[str] | None = None,
    by: str,
) -> tuple[str, list[str]]:
    """Note that a bulk sync was asked for, nothing queued yet: its id, and what is to be queued. Raises as `request`."""
    kinds = kinds_of(entity_types)
    with runtime.db.tenant(key.tenant_id) as conn:
        connections.get(conn, key)
        sync_id = None if entity_ids else syncs.find_open(conn, key, json.dumps(kinds))
        return sync_id or syncs.create(conn, key, kinds, by), kinds


def queue(
    runtime: Runtime,
    key: ConnectionKey,
    sync_id: str,
    kinds: Sequence[str],
    *,
    entity_ids: Sequence[str] | None = None,
    chunk: int = CHUNK,
) -> None:
    """Queue its records in chunks, a transaction each; ends early when it is cancelled meanwhile."""
    for page in pages(runtime, key, kinds, entity_ids, chunk):
        with runtime.db.tenant(key.tenant_id) as conn:
            if syncs.is_cancelled(conn, sync_id):
                break
            for kind, entity_id in page:
                _queue(conn, key, kind, entity_id, sync_id)
    with runtime.db.tenant(key.tenant_id) as conn:
        syncs.queued(conn, sync_id, now=runtime.clock.now())


def cancel(runtime: Runtime, key: ConnectionKey, sync_id: str, by: str) -> int:
    """Begin nothing more of it; how many records that spared. What is under way, failed, or carries the news of an
    earlier event goes on. Raises NotFound.
    """
    with runtime.db.tenant(key.tenant_id) as conn:
        if syncs.find(conn, key, sync_id) is None:
            raise _unknown(key, sync_id)
        return syncs.cancel(conn, key, sync_id, by=by, now=runtime.clock.now())


def kinds_of(entity_types: Sequence[str]) -> list[str]:
    """What is brought for these, in the order that requirements ask for. Raises RecordInvalid for an unknown type."""
    asked = {records.entity_kind(kind) for kind in entity_types}
    if not asked:
        raise RecordInvalid("No entity type was named.", field="entityType", mend=f"Known are {', '.join(EntityType)}.")
    if EntityType.ORDER in asked:
        asked.add(EntityType.PAYMENT)
    return [str(kind) for kind in ORDER if kind in asked]


def pages(
    runtime: Runtime, key: ConnectionKey, kinds: Sequence[str], entity_ids: Sequence[str] | None, chunk: int
) -> Iterator[list[tuple[str, str]]]:
    """Types and ids of all records of these kinds, or of the named ones of the first, in chunks of one kind."""
    if entity_ids is not None:
        named = [(kinds[0], entity_id) for entity_id in entity_ids]
        yield from (named[start : start + chunk] for start in range(0, len(named), chunk))
        return
    for kind in kinds:
        after: str | None = None
        while True:
            with runtime.db.tenant(key.tenant_id) as conn:
                page = records.ids(conn, key.tenant_id, kind, after, chunk)
            if not page:
                break
            yield [(kind, entity_id) for entity_id in page]
            after = page[-1]


def _queue(conn: Connection, key: ConnectionKey, kind: str, entity_id: str, sync_id: str) -> None:
    record = records.load(conn, key.tenant_id, kind, entity_id)
    if record is None:
        raise NotFound(f"There is no {kind.lower()} {entity_id!r}.")
    outbox.emit(
        conn,
        key.tenant_id,
        EventType.SYNC_REQUESTED,
        kind,
        entity_id,
        record.payload(),
        idempotency_key=f"sync:{sync_id}:{kind}:{entity_id}",
        target=key.provider,
        sync_id=sync_id,
    )


def progress(runtime: Runtime, key: ConnectionKey, sync_id: str) -> Progress:
    """How far it is, counted in the database. Raises NotFound."""
    with runtime.db.tenant(key.tenant_id) as conn:
        counts = syncs.counts(conn, key, sync_id)
        errors = syncs.errors(conn, key, sync_id)
    if counts is None:
        raise _unknown(key, sync_id)
    done = counts.total - counts.waiting
    return Progress(
        total=counts.total,
        done=done,
        successful=counts.successful,
        failed=counts.failed,
        skipped=counts.skipped,
        percent=round(100 * done / counts.total, 1) if counts.total else 100.0,
        errors=errors,
        finished=counts.queued and counts.waiting == 0,
        cancelled=counts.cancelled,
    )


def _unknown(key: ConnectionKey, sync_id: str) -> NotFound:
    return NotFound(f"There is no bulk sync {sync_id!r} of {key}.")
