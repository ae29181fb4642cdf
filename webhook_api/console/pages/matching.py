"""Day one: which of an ERP's customers and products is which of ours, where a person must say so."""

from __future__ import annotations

from fastapi import Request, Response

from erp_pipelines.access import connections as access
from erp_pipelines.connectors.base import Ref
from erp_pipelines.delivery import matching
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.storage import questions
from webhook_api import paging
from webhook_api.console.access import AdminForm, Manager
from webhook_api.console.pages.logs import chosen
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.console.routing import see
from webhook_api.dependencies import House

PAGE = 25
NONE_OF_THEM = "new"
router = new_router()


@router.get("/matching")
def asked(request: Request, runtime: House, session: Manager) -> Response:
    tenant_id = session.principal.tenant_id
    providers = [status.provider for status in access.list_(runtime, tenant_id) if status.row]
    given = chosen(request, ("provider",))
    given["provider"] = given["provider"] or "".join(providers[:1])
    place = paging.decode(request.query_params.get("cursor"), 2)
    after = (place[0], place[1]) if place else None
    with runtime.db.tenant(tenant_id) as conn:
        key = ConnectionKey(tenant_id, given["provider"])
        rows = questions.page(conn, key, decided=False, after=after, limit=PAGE + 1)
    found, following = paging.cut(rows, PAGE, lambda row: (row.entity_type, row.entity_id))
    return page(request, "matching.html", questions=found, given=given, following=following, providers=providers)


@router.post("/matching/{provider}/run")
def run(runtime: House, posted: AdminForm, provider: str) -> Response:
    """Read the ERP's lists; those that are surely the same are joined, the doubtful ones asked about."""
    done = matching.run(runtime, ConnectionKey(posted.user.tenant_id, provider)).values()
    return see(f"/console/matching?provider={provider}&done=matched&n={sum(one.bound for one in done)}")


@router.post("/matching/{provider}")
def decide(runtime: House, posted: AdminForm, provider: str) -> Response:
    external_id = posted.text("externalId")
    if not external_id:
        raise RecordInvalid("Nothing was chosen.", mend="Go back and choose one, or none of them.")
    ref = Ref(posted.text("entityType"), posted.text("entityId"))
    answer = None if external_id == NONE_OF_THEM else external_id.removeprefix("is:")
    key = ConnectionKey(posted.user.tenant_id, provider)
    matching.decide(runtime, key, ref, answer, posted.user.user_id)
    back = f"/console/setup/{provider}/match?" if posted.text("setup") else f"/console/matching?provider={provider}&"
    return see(f"{back}done=decided")
