"""The queues, for admins: what waits to go out, what came in, and another try for what failed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from erp_pipelines.delivery import replay
from erp_pipelines.domain.errors import Conflict, NotFound
from erp_pipelines.domain.states import DeliveryStatus, SyncStatus
from erp_pipelines.storage import listings
from erp_pipelines.storage.listings import InboxRow, OutboxRow
from webhook_api import paging
from webhook_api.dependencies import Admin, Cursor, House, PageSize
from webhook_api.list_schemas import InboxOut, OutboxOut, Retried
from webhook_api.schemas import Page

router = APIRouter(prefix="/api/integrations", tags=["queues"])
OutboxStatus = Annotated[DeliveryStatus | None, Query(alias="status")]
InboxStatus = Annotated[SyncStatus | None, Query(alias="status")]


@router.get("/outbox")
def get_outbox(
    runtime: House, user: Admin, status: OutboxStatus = None, page_size: PageSize = 50, cursor: Cursor = None
) -> Page[OutboxOut]:
    """Newest first."""
    with runtime.db.tenant(user.tenant_id) as conn:
        rows = listings.outbox(conn, user.tenant_id, status=status, after=paging.number(cursor), limit=page_size + 1)
    page, following = paging.cut(rows, page_size, _place)
    return Page(items=[OutboxOut(**_shown(row)) for row in page], next_cursor=following)


@router.get("/inbox")
def get_inbox(
    runtime: House, user: Admin, status: InboxStatus = None, page_size: PageSize = 50, cursor: Cursor = None
) -> Page[InboxOut]:
    """Newest first."""
    with runtime.db.tenant(user.tenant_id) as conn:
        rows = listings.inbox(conn, user.tenant_id, status=status, after=paging.number(cursor), limit=page_size + 1)
    page, following = paging.cut(rows, page_size, _place)
    return Page(items=[InboxOut(**_shown(row)) for row in page], next_cursor=following)


@router.post("/outbox/{outbox_id}/retry")
def retry(runtime: House, user: Admin, outbox_id: str) -> Retried:
    """Failed and abandoned deliveries of the event become due at once; 409 when none has failed."""
    with runtime.db.tenant(user.tenant_id) as conn:
        row = listings.outbox_event(conn, user.tenant_id, outbox_id)
    if row is None:
        raise NotFound(f"There is no event {outbox_id!r}.")
    try:
        return Retried(retried=replay.retry_event(runtime, user.tenant_id, row.id))
    except NotFound:
        raise Conflict(f"Nothing of event {outbox_id} has failed: it is {row.status}.") from None


def _shown(row: OutboxRow | InboxRow) -> dict[str, object]:
    return {name: value for name, value in asdict(row).items() if name != "seq"}


def _place(row: OutboxRow | InboxRow) -> tuple[str]:
    return (str(row.seq),)
