"""The facts to push. An event is written in the transaction of the change that it tells of, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines import tracing
from erp_pipelines.storage import engine

CHANNEL = "erp_outbox"

_APPEND = sa.text(
    "select erp.append_event(:tenant, :event, :entity, :id, cast(:payload as jsonb), :key, :target, :sync, :correlation)"
)


def emit(
    conn: Connection,
    tenant_id: str,
    event_type: str,
    entity_type: str,
    entity_id: str,
    payload: Mapping[str, Any],
    *,
    idempotency_key: str | None = None,
    target: str | None = None,
    sync_id: str | None = None,
    correlation_id: str | None = None,
) -> str:
    """Append one event and return its id; the same idempotency key again returns the first one's and appends nothing.

    Without a `target` it reaches every connection of the tenant whose settings want such events,
    each with its own retry state; with one, that connection whatever its settings. Waiting workers are
    told when the transaction commits.
    """
    values = {
        "tenant": tenant_id, "event": event_type, "entity": entity_type, "id": entity_id, "payload": json.dumps(payload),
        "key": idempotency_key, "target": target, "sync": sync_id, "correlation": correlation_id,
    }  # fmt: skip
    about = {"erp.tenant": tenant_id, "erp.entity_id": entity_id}
    with tracing.span(f"enqueue {event_type}", kind="producer", attributes=about):
        engine.set_traceparent(conn)
        return str(conn.execute(_APPEND, values).scalar_one())
