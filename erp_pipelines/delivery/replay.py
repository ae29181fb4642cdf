"""What a person may put back to work after mending its cause."""

from __future__ import annotations

from collections.abc import Sequence

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import NotFound
from erp_pipelines.storage import connections, requeue, retry_requests
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.retry_requests import RetryRequest, Scope


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


def retry_deliveries(runtime: Runtime, tenant_id: str, ids: Sequence[str]) -> int:
    """Make the picked deliveries due, where they have failed or were abandoned; how many."""
    with runtime.db.tenant(tenant_id) as conn:
        return requeue.retry_deliveries(conn, tenant_id, ids, now=runtime.clock.now())


def ask(runtime: Runtime, key: ConnectionKey, scope: Scope, note: str | None, by: str) -> RetryRequest:
    """A request that an admin decides upon; the open one where the same was asked before. Raises NotFound."""
    with runtime.db.tenant(key.tenant_id) as conn:
        connections.get(conn, key)
        return retry_requests.ask(conn, key, scope, note, by)


def approve(runtime: Runtime, key: ConnectionKey, request_id: str, by: str) -> int:
    """Retry what was asked for; how many deliveries. Raises NotFound, and Conflict when it was decided upon already."""
    now = runtime.clock.now()
    with runtime.db.tenant(key.tenant_id) as conn:
        asked = retry_requests.lock_open(conn, key, request_id)
        retried = _retry(conn, runtime, key, asked.scope)
        retry_requests.decide(conn, key.tenant_id, request_id, retried=retried, by=by, now=now)
    return retried


def decline(runtime: Runtime, key: ConnectionKey, request_id: str, by: str) -> None:
    """Retry nothing. Raises as `approve`."""
    with runtime.db.tenant(key.tenant_id) as conn:
        retry_requests.lock_open(conn, key, request_id)
        retry_requests.decide(conn, key.tenant_id, request_id, retried=None, by=by, now=runtime.clock.now())


def _retry(conn: Connection, runtime: Runtime, key: ConnectionKey, scope: Scope) -> int:
    now = runtime.clock.now()
    if scope.entity_type is not None and scope.entity_id is not None:
        return requeue.retry_record(conn, key.tenant_id, key.provider, scope.entity_type, scope.entity_id, now=now)
    return requeue.retry_all(conn, key.tenant_id, key.provider, cause=scope.cause, now=now)
