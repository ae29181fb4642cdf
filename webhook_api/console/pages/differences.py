"""What comes from the ERPs: how complete our picture is, where it differs, and what the reading costs."""

from __future__ import annotations

from fastapi import Request, Response

from erp_pipelines.access import connections as access
from erp_pipelines.delivery import budget, gaps
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage import checkpoints, drifts
from webhook_api import paging
from webhook_api.console.access import Manager
from webhook_api.console.pages.logs import chosen
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.dependencies import House
from webhook_api.views import document_urls

PAGE = 100
router = new_router()


@router.get("/differences")
def differences(request: Request, runtime: House, session: Manager) -> Response:
    tenant_id = session.principal.tenant_id
    known = [status for status in access.list_(runtime, tenant_id) if status.row]
    given = chosen(request, ("provider",))
    given["provider"] = given["provider"] or next((status.provider for status in known), "")
    key = ConnectionKey(tenant_id, given["provider"])
    place = paging.decode(request.query_params.get("cursor"), 3)
    after = (place[0], place[1], place[2]) if place else None
    with runtime.db.tenant(tenant_id) as conn:
        rows = drifts.page(conn, key, after=after, limit=PAGE + 1)
        pulled = checkpoints.last(conn, key)
        urls = document_urls(conn, runtime, tenant_id, [(key.provider, row.entity_type, row.entity_id) for row in rows])
    found, following = paging.cut(rows, PAGE, lambda row: (row.entity_type, row.entity_id, row.field))
    return page(
        request,
        "differences.html",
        drifts=found,
        urls=urls,
        given=given,
        following=following,
        providers=[status.provider for status in known],
        pulled=pulled,
        missed=gaps.missed(runtime, key),
        budgets=budget.of_tenant(runtime, tenant_id),
    )
