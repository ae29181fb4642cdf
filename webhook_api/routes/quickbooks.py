"""Connecting QuickBooks: where the admin's browser goes, and where it comes back to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from erp_pipelines.access import connections, consent
from erp_pipelines.domain.errors import PipelineError
from webhook_api import consent_cookie, problems
from webhook_api.dependencies import Admin, House, paced
from webhook_api.pages import page
from webhook_api.schemas import AuthorizeUrl, ConnectionOut

PROVIDER = "quickbooks"
router = APIRouter(prefix="/api/integrations/quickbooks", tags=["quickbooks"])
Given = Annotated[str, Query(max_length=2000)]


@router.get("/authorize")
def authorize(runtime: House, admin: Admin) -> AuthorizeUrl:
    """The provider's sign-in page for this admin; good for ten minutes and one consent."""
    return AuthorizeUrl(url=consent.begin(runtime, admin.tenant_id, admin.user_id, PROVIDER))


@router.get(
    "/callback",
    response_class=HTMLResponse,
    responses={200: {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ConnectionOut"}}}}},
    dependencies=[Depends(paced)],
)
def callback(
    request: Request,
    runtime: House,
    code: Given = "",
    realm_id: Annotated[str, Query(alias="realmId", max_length=100)] = "",
    state: Given = "",
    error: Given = "",
) -> Response:
    """The browser comes back from the provider. A page for people; JSON where that is asked for."""
    try:
        if error:
            raise consent.refused(runtime, PROVIDER, state=state, reason=error)
        browser = consent_cookie.of(runtime, request)
        row = consent.finish(runtime, PROVIDER, code=code, company_id=realm_id, state=state, browser=browser)
    except PipelineError as failure:
        return _failed(request, runtime, failure)
    status = connections.status(runtime, row.key)
    if _wants_json(request):
        return JSONResponse(ConnectionOut.of(status).model_dump(mode="json", by_alias=True))
    company, title = row.company_name or row.external_company_id or "", f"{status.display_name} is connected"
    if not row.settings.auto_sync_enabled:
        lines = [f"Connected to {company}.", "Nothing is brought there before it is turned on."]
        return page(title, lines, status=200, onwards=(f"/console/setup/{PROVIDER}", "on with the set-up"))
    lines = [f"Connected to {company}.", "Orders and customers are brought there from now on."]
    return page(title, lines, status=200)


def _failed(request: Request, runtime: House, failure: PipelineError) -> Response:
    if _wants_json(request):
        return problems.of(request, failure)
    lines = [failure.message, failure.mend, f"Request id: {request.state.request_id}"]
    name = runtime.display_name(PROVIDER)
    return page(f"{name} was not connected", lines, status=problems.status_of(failure))


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "json" in accepted and "text/html" not in accepted
