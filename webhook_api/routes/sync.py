"""Bulk syncs asked for by an admin, how far they are, and another try for all that failed."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, status

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import bulk, preflight, replay
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.events import EntityType
from erp_pipelines.storage import connections
from webhook_api.check_schemas import CheckOut
from webhook_api.dependencies import Admin, House, Manager
from webhook_api.list_schemas import Retried
from webhook_api.schemas import Body

router = APIRouter(prefix="/api/integrations/sync", tags=["sync"])
Cause = Annotated[str | None, Query(max_length=100)]
ALL = (EntityType.PRODUCT, EntityType.CUSTOMER, EntityType.ORDER)


class SyncIn(Body):
    """What to bring over: one kind or all, every record or the named ones."""

    entity_type: Literal["Customer", "Product", "Order", "All"]
    entity_ids: list[str] | None = None


class SyncOut(Body):
    """How far a bulk sync is; `percent` is of what has been queued."""

    sync_id: str
    total: int
    total_processed: int
    successful: int
    failed: int
    skipped: int
    percent: float
    errors: list[str]
    finished: bool
    cancelled: bool


@router.post("/{provider}", status_code=status.HTTP_202_ACCEPTED)
def start(runtime: House, user: Admin, provider: str, wanted: SyncIn) -> SyncOut:
    """Queue it; workers do it. What stands in the ERP unchanged costs no call."""
    key = ConnectionKey(user.tenant_id, provider)
    sync_id = bulk.request(runtime, key, _kinds(wanted), entity_ids=wanted.entity_ids, by=user.user_id)
    return _out(runtime, key, sync_id)


@router.post("/{provider}/check")
def check(runtime: House, user: Admin, provider: str, wanted: SyncIn) -> CheckOut:
    """What that sync would do now, and what of it would fail; the ERP is asked, nothing is queued or sent."""
    key = ConnectionKey(user.tenant_id, provider)
    return CheckOut.of(preflight.preflight(runtime, key, _kinds(wanted), entity_ids=wanted.entity_ids))


@router.get("/{provider}/{sync_id}")
def progress(runtime: House, user: Manager, provider: str, sync_id: UUID) -> SyncOut:
    """Counted in the database at this moment."""
    return _out(runtime, ConnectionKey(user.tenant_id, provider), str(sync_id))


@router.post("/{provider}/{sync_id}/cancel")
def cancel(runtime: House, user: Admin, provider: str, sync_id: UUID) -> SyncOut:
    """Begin nothing more of it. What is under way, failed, or carries the news of an earlier event goes on."""
    key = ConnectionKey(user.tenant_id, provider)
    bulk.cancel(runtime, key, str(sync_id), user.user_id)
    return _out(runtime, key, str(sync_id))


@router.post("/{provider}/retry-failed")
def retry_failed(runtime: House, user: Admin, provider: str, cause: Cause = None) -> Retried:
    """Everything that failed or was abandoned on this connection is due at once, or all of one cause."""
    key = ConnectionKey(user.tenant_id, provider)
    with runtime.db.tenant(user.tenant_id) as conn:
        connections.get(conn, key)
    return Retried(retried=replay.retry_failed(runtime, key, cause))


def _kinds(wanted: SyncIn) -> list[EntityType]:
    kinds = list(ALL) if wanted.entity_type == "All" else [EntityType(wanted.entity_type)]
    if wanted.entity_ids is not None and len(kinds) > 1:
        raise RecordInvalid("Ids need one entityType.", field="entityIds", mend="Name Customer, Product or Order.")
    return kinds


def _out(runtime: Runtime, key: ConnectionKey, sync_id: str) -> SyncOut:
    at = bulk.progress(runtime, key, sync_id)
    return SyncOut(
        sync_id=sync_id,
        total=at.total,
        total_processed=at.done,
        successful=at.successful,
        failed=at.failed,
        skipped=at.skipped,
        percent=at.percent,
        errors=list(at.errors),
        finished=at.finished,
        cancelled=at.cancelled,
    )
