"""Which of the ERP's records stands for which of ours."""

from __future__ import annotations

from fastapi import Request, Response

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.events import EntityType
from erp_pipelines.storage import listings
from webhook_api import paging
from webhook_api.console.access import Manager
from webhook_api.console.pages.logs import chosen
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.dependencies import House
from webhook_api.views import mapping_list

PAGE = 50
router = new_router()


@router.get("/mappings")
def pairs(request: Request, runtime: House, session: Manager) -> Response:
    providers = sorted(runtime.connectors)
    given = chosen(request, ("provider", "entityType", "search"))
    given["provider"] = given["provider"] or ("quickbooks" if "quickbooks" in providers else "".join(providers[:1]))
    given["entityType"] = given["entityType"] or EntityType.CUSTOMER
    place = paging.decode(request.query_params.get("cursor"), 1)
    key = ConnectionKey(session.principal.tenant_id, given["provider"])
    with runtime.db.tenant(key.tenant_id) as conn:
        rows = listings.mappings(
            conn,
            key.tenant_id,
            key.provider,
            given["entityType"],
            search=given["search"][:100],
            after=place[0] if place else None,
            limit=PAGE + 1,
        )
        found, following = paging.cut(rows, PAGE, lambda row: (row.prometheus_id,))
        shown = mapping_list(conn, runtime, key, found)
    return page(
        request,
        "mappings.html",
        pairs=shown,
        given=given,
        following=following,
        providers=providers,
        kinds=list(EntityType),
    )
