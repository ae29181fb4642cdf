"""What a person may put back to work after mending its cause."""

from __future__ import annotations

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import NotFound
from erp_pipelines.storage import requeue


def retry_event(runtime: Runtime, tenant_id: str, outbox_id: str) -> int:
    """Make the failed and abandoned deliveries of one event due at once; how many. Raises NotFound when there is none."""
    with runtime.db.tenant(tenant_id) as conn:
        due = requeue.retry_event(conn, tenant_id, outbox_id, now=runtime.clock.now())
    if not due:
        raise NotFound(f"Event {outbox_id} has nothing to retry.")
    return due


def retry_failed(runtime: Runtime, key: ConnectionKey, cause: str | None = None) -> int:
    """Make everything due that failed or was abandoned on a connection, or all of one cause; how many."""
    with runtime.db.tenant(key.tenant_id) as conn:
        return requeue.retry_all(conn, key.tenant_id, key.provider, cause=cause, now=runtime.clock.now())
