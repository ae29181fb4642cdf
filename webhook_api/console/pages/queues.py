"""The queues, for admins: what waits to go out, and what came in."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from fastapi import Request, Response

from erp_pipelines.delivery import replay
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.states import DeliveryStatus, SyncStatus
from erp_pipelines.storage import listings
from webhook_api import paging
from webhook_api.console.access import Admin, AdminForm
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.console.routing import see
from webhook_api.dependencies import House

PAGE = 50
Word = TypeVar("Word", bound=StrEnum)
router = new_router()


@router.get("/outbox")
def outbox(request: Request, runtime: House, session: Admin) -> Response:
    status = _status(request, DeliveryStatus)
    after = paging.number(request.query_params.get("cursor"))
    tenant_id = session.principal.tenant_id
    with runtime.db.tenant(tenant_id) as conn:
        rows = listings.outbox(conn, tenant_id, status=status, after=after, limit=PAGE + 1)
    events, following = paging.cut(rows, PAGE, lambda row: (str(row.seq),))
    return page(
        request, "outbox.html", events=events, chosen=status, statuses=list(DeliveryStatus), following=following
    )


@router.post("/outbox/{outbox_id}/retry")
def retry(runtime: House, posted: AdminForm, outbox_id: str) -> Response:
    """Raises NotFound when nothing of the event has failed."""
    retried = replay.retry_event(runtime, posted.user.tenant_id, outbox_id)
    return see(f"/console/outbox?done=retried&n={retried}")


@router.get("/inbox")
def inbox(request: Request, runtime: House, session: Admin) -> Response:
    status = _status(request, SyncStatus)
    after = paging.number(request.query_params.get("cursor"))
    tenant_id = session.principal.tenant_id
    with runtime.db.tenant(tenant_id) as conn:
        rows = listings.inbox(conn, tenant_id, status=status, after=after, limit=PAGE + 1)
    notices, following = paging.cut(rows, PAGE, lambda row: (str(row.seq),))
    return page(request, "inbox.html", notices=notices, chosen=status, statuses=list(SyncStatus), following=following)


def _status(request: Request, words: type[Word]) -> Word | None:
    text = request.query_params.get("status", "")
    try:
        return words(text) if text else None
    except ValueError:
        raise RecordInvalid(f"There is no status {text!r}.", mend="Choose one of the list.") from None
