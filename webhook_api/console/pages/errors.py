"""What waits for somebody: by cause, with the owner and the mend, and retried one by one, picked, or all of a cause."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request, Response

from erp_pipelines.connectors.registry import catalogues
from erp_pipelines.delivery import replay
from erp_pipelines.domain.catalogue import own
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.storage import open_errors, unknown_faults
from webhook_api import paging
from webhook_api.console.access import AdminForm, Manager
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.console.routing import see
from webhook_api.dependencies import House
from webhook_api.views import document_urls, group_title

PAGE = 100
router = new_router()


@router.get("/errors")
def groups(request: Request, runtime: House, session: Manager) -> Response:
    tenant_id = session.principal.tenant_id
    with runtime.db.tenant(tenant_id) as conn:
        found = open_errors.groups(conn, tenant_id)
        unknown = unknown_faults.of_tenant(conn, tenant_id)
    return page(
        request,
        "errors.html",
        groups=[(group, group_title(group)) for group in found],
        unknown=unknown,
        count=sum(group.count for group in found),
    )


@router.get("/errors/{provider}/{cause}")
def group(request: Request, runtime: House, session: Manager, provider: str, cause: str) -> Response:
    tenant_id = session.principal.tenant_id
    after = paging.number(request.query_params.get("cursor")) or 0
    with runtime.db.tenant(tenant_id) as conn:
        rows = open_errors.of_cause(conn, tenant_id, provider, cause, after=after, limit=PAGE + 1)
        known = [one for one in open_errors.groups(conn, tenant_id) if (one.provider, one.cause) == (provider, cause)]
        urls = document_urls(conn, runtime, tenant_id, [(provider, row.entity_type, row.entity_id) for row in rows])
    found, following = paging.cut(rows, PAGE, lambda row: (str(row.seq),))
    return page(
        request,
        "error_group.html",
        provider=provider,
        cause=cause,
        records=found,
        urls=urls,
        following=following,
        groups=[(one, group_title(one)) for one in known],
        count=sum(one.count for one in known),
    )


@router.post("/errors/{provider}/{cause}/retry")
def retry(runtime: House, posted: AdminForm, provider: str, cause: str) -> Response:
    """All of the cause when `all` is sent, else the picked ones."""
    tenant_id = posted.user.tenant_id
    if posted.text("all"):
        retried = replay.retry_failed(runtime, ConnectionKey(tenant_id, provider), cause)
    elif picked := posted.texts("delivery"):
        retried = replay.retry_deliveries(runtime, tenant_id, picked)
    else:
        raise RecordInvalid("No record was picked.", mend="Go back and tick those to retry, or retry all of the cause.")
    return see(f"/console/errors/{quote(provider, safe='')}/{quote(cause, safe='')}?done=retried&n={retried}")


@router.get("/causes")
def causes(request: Request, session: Manager) -> Response:
    """What every cause and every classified code means, whose job it is, and what that person can do."""
    del session
    providers = [(found.provider, found.version, list(found.rules(found.faults).values())) for found in catalogues()]
    return page(request, "causes.html", own=own(), providers=providers)
