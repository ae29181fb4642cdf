"""Retries that a sales manager has asked for: an admin approves or declines."""

from __future__ import annotations

from fastapi import Request, Response
from pydantic import ValidationError

from erp_pipelines.delivery import replay
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.records import invalid
from erp_pipelines.storage import retry_requests
from webhook_api import paging
from webhook_api.console.access import AdminForm, Manager, ManagerForm
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.console.routing import see
from webhook_api.dependencies import House
from webhook_api.routes.retry_requests import RetryIn, RetryRequestOut

PAGE = 50
router = new_router()


@router.get("/requests")
def requests(request: Request, runtime: House, session: Manager) -> Response:
    tenant_id = session.principal.tenant_id
    after = paging.moment_and_id(request.query_params.get("cursor"))
    with runtime.db.tenant(tenant_id) as conn:
        rows = retry_requests.page(conn, tenant_id, after=after, limit=PAGE + 1)
    found, following = paging.cut(rows, PAGE, lambda row: (row.created_at.isoformat(), row.id))
    return page(
        request,
        "requests.html",
        requests=[RetryRequestOut.of(row) for row in found],
        following=following,
        providers=sorted(runtime.connectors),
    )


@router.post("/requests")
def ask(runtime: House, posted: ManagerForm) -> Response:
    key = ConnectionKey(posted.user.tenant_id, posted.text("provider"))
    names = ("cause", "entityType", "entityId", "note")
    try:
        wanted = RetryIn.model_validate({name: posted.text(name) or None for name in names})
    except ValidationError as error:
        raise invalid("request", error) from None
    replay.ask(runtime, key, wanted.scope(), wanted.note, posted.user.user_id)
    return see("/console/requests?done=asked")


@router.post("/requests/{provider}/{request_id}/approve")
def approve(runtime: House, posted: AdminForm, provider: str, request_id: str) -> Response:
    retried = replay.approve(runtime, ConnectionKey(posted.user.tenant_id, provider), request_id, posted.user.user_id)
    return see(f"/console/requests?done=retried&n={retried}")


@router.post("/requests/{provider}/{request_id}/decline")
def decline(runtime: House, posted: AdminForm, provider: str, request_id: str) -> Response:
    replay.decline(runtime, ConnectionKey(posted.user.tenant_id, provider), request_id, posted.user.user_id)
    return see("/console/requests?done=declined")
