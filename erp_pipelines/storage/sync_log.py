"""The sync log: one row per try, which explains every change of state. Written here, never changed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.outcomes import Explained
from erp_pipelines.domain.states import Direction, SyncStatus


@dataclass(frozen=True)
class Entry:
    """What happened to one record: when, by whom, which try, what the ERP said."""

    entity_type: str
    entity_id: str | None
    direction: Direction
    status: SyncStatus
    started_at: dt.datetime
    completed_at: dt.datetime
    actor: str
    outcome: str | None = None
    external_id: str | None = None
    why: Explained | None = None
    in_doubt: bool = False
    attempt: int = 0
    retry_count: int = 0
    erp_request_id: str = ""
    delivery_id: str | None = None
    correlation_id: str | None = None
    run_id: str | None = None
    settings_version: int | None = None
    payloads: Payloads | None = None


class Payloads(Protocol):
    """What was said, without secrets and personal data."""

    @property
    def request(self) -> dict[str, Any]: ...
    @property
    def response(self) -> dict[str, Any]: ...


_COLUMNS = (
    "tenant_id", "provider", "entity_type", "entity_id", "external_id", "direction", "status", "outcome", "error_message",
    "cause", "mend", "owner", "retriable", "erp_code", "catalogue", "in_doubt", "started_at", "completed_at", "retry_count",
    "attempt", "erp_request_id", "actor", "delivery_id", "correlation_id", "run_id", "settings_version", "request_payload",
    "response_payload",
)  # fmt: skip
# All entries as one value, however many they are. A part of statements that change what the entries explain, too.
INSERT = f"""
    insert into erp.integration_sync_logs ({", ".join(_COLUMNS)})
    select {", ".join(f"e.{name}" for name in _COLUMNS)}
    from jsonb_populate_recordset(cast(null as erp.integration_sync_logs), cast(:entries as jsonb)) e
"""
_APPEND = sa.text(INSERT)


def append(conn: Connection, key: ConnectionKey, *entries: Entry) -> None:
    """Write the entries, in the transaction of the changes they explain."""
    if entries:
        conn.execute(_APPEND, {"entries": rows(key, entries)})


def rows(key: ConnectionKey, entries: Sequence[Entry]) -> str:
    """The value of `entries` in INSERT."""
    return json.dumps([_values(key, entry) for entry in entries], default=str)


def _values(key: ConnectionKey, entry: Entry) -> dict[str, Any]:
    why, said = entry.why, entry.payloads
    return {
        "tenant_id": key.tenant_id,
        "provider": key.provider,
        "entity_type": entry.entity_type,
        "entity_id": entry.entity_id,
        "external_id": entry.external_id,
        "direction": str(entry.direction),
        "status": str(entry.status),
        "outcome": entry.outcome,
        "error_message": why.message[:2000] if why else None,
        "cause": why.cause if why else None,
        "mend": why.mend if why else None,
        "owner": str(why.owner) if why else None,
        "retriable": why.retriable if why else None,
        "erp_code": (why.erp_code or None) if why else None,
        "catalogue": why.catalogue if why else None,
        "in_doubt": entry.in_doubt,
        "started_at": entry.started_at,
        "completed_at": entry.completed_at,
        "retry_count": entry.retry_count,
        "attempt": entry.attempt,
        "erp_request_id": (why.request_id if why else "") or entry.erp_request_id or None,
        "actor": entry.actor,
        "delivery_id": entry.delivery_id,
        "correlation_id": entry.correlation_id,
        "run_id": entry.run_id,
        "settings_version": entry.settings_version,
        "request_payload": said.request if said else None,
        "response_payload": said.response if said else None,
    }
