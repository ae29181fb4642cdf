"""Connections: a card for each provider, and what an admin does with them."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlsplit

from fastapi import Request, Response

from erp_pipelines.access import connections, consent, credentials
from erp_pipelines.access.connections import Status
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors.provider import Connector
from erp_pipelines.delivery import outlook, probe, setup
from erp_pipelines.delivery.outlook import Outlook
from erp_pipelines.domain.connections import ConnectionKey, ConnectionState
from erp_pipelines.domain.errors import NotFound, PipelineError
from erp_pipelines.security.oauth_state import new_state
from erp_pipelines.storage import due
from webhook_api import consent_cookie, dagster_links
from webhook_api.console.access import Admin, AdminForm, Manager, Posted
from webhook_api.console.credential_forms import FORMS, Method
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.console.routing import see
from webhook_api.dependencies import House
from webhook_api.problems import status_of

AT_ONCE = dt.timedelta(0)
router = new_router()


@router.get("/connections")
def cards(request: Request, runtime: House, session: Manager) -> Response:
    tenant_id = session.principal.tenant_id
    with runtime.db.tenant(tenant_id) as conn:
        health = {found.key.provider: found for found in due.health(conn, now=runtime.clock.now(), tenant_id=tenant_id)}
    found = [
        (status, health.get(status.provider), _can_connect(runtime, status.provider), _outlook(runtime, status))
        for status in connections.list_(runtime, tenant_id)
    ]
    return page(request, "connections.html", cards=found)


def _outlook(runtime: Runtime, status: Status) -> tuple[Outlook, list[tuple[str, str]]] | None:
    """What comes next, and links to what Dagster knows; None for a provider that was never connected."""
    if status.row is None:
        return None
    found = outlook.of(runtime, status.row)
    links = {
        "last run": dagster_links.run(runtime, found.last_run),
        "sensor": dagster_links.sensor(runtime),
        "orders": dagster_links.asset(runtime, status.row.key),
    }
    return found, [(words, url) for words, url in links.items() if url]


def _can_connect(runtime: Runtime, provider: str) -> bool:
    connector = runtime.connectors.get(provider)
    return connector is not None and (connector.oauth is not None or bool(_methods(connector)))


def _methods(connector: Connector) -> tuple[Method, ...]:
    return FORMS.get(connector.provider, ()) if connector.credentials is not None else ()


@router.get("/connections/{provider}/connect")
def connect_form(request: Request, runtime: House, session: Admin, provider: str) -> Response:
    del session
    return _connect_page(request, runtime.connector(provider), in_setup="setup" in request.query_params)


@router.post("/connections/{provider}/connect")
def connect(request: Request, runtime: House, posted: AdminForm, provider: str) -> Response:
    """To the provider's sign-in page, or with the credentials that were entered, which are tried for real first."""
    connector = runtime.connector(provider)
    if posted.text("setup"):
        setup.prepare(runtime, ConnectionKey(posted.user.tenant_id, provider))
    if connector.oauth is not None:
        return _leaving(request, runtime, posted, connector)
    return _connect_by_credentials(request, runtime, posted, connector)


def _leaving(request: Request, runtime: Runtime, posted: Posted, connector: Connector) -> Response:
    """On to the provider's sign-in page, from which only this browser comes back."""
    secret = new_state()
    url = consent.begin(runtime, posted.user.tenant_id, posted.user.user_id, connector.provider, browser=secret)
    shown = page(request, "leaving.html", name=connector.display_name, url=url, host=urlsplit(url).hostname)
    consent_cookie.give(runtime, shown, secret)
    return shown


def _connect_by_credentials(request: Request, runtime: Runtime, posted: Posted, connector: Connector) -> Response:
    method = next((one for one in _methods(connector) if one.name == posted.text("authMethod")), None)
    if method is None:
        raise NotFound(f"{connector.display_name} is not connected this way.")
    given = {name: posted.text(name) for name in method.field_names}
    key = ConnectionKey(posted.user.tenant_id, connector.provider)
    try:
        credentials.connect(runtime, key, {"authMethod": method.name, **given}, posted.user.user_id)
    except PipelineError as error:
        shown = {name: given[name] for name in method.field_names if not method.is_secret(name)}
        in_setup = bool(posted.text("setup"))
        return _connect_page(request, connector, in_setup=in_setup, error=error, method=method.name, given=shown)
    return see(f"{_after(posted, connector)}?done=connected")


def _after(posted: Posted, connector: Connector) -> str:
    return f"/console/setup/{connector.provider}/match" if posted.text("setup") else "/console/connections"


def _connect_page(
    request: Request,
    connector: Connector,
    *,
    in_setup: bool,
    error: PipelineError | None = None,
    method: str = "",
    given: dict[str, str] | None = None,
) -> Response:
    """What was entered stands there again after an error, secrets excepted."""
    return page(
        request,
        "connect.html",
        status=status_of(error) if error else 200,
        provider=connector.provider,
        name=connector.display_name,
        by_consent=connector.oauth is not None,
        methods=_methods(connector),
        in_setup=in_setup,
        chosen=method,
        given=given or {},
        error=error,
    )


@router.post("/connections/{provider}/check")
def check(request: Request, runtime: House, posted: AdminForm, provider: str) -> Response:
    """Renew the access and ask the company now; what stands in the way, where something does."""
    found = probe.probe(runtime, ConnectionKey(posted.user.tenant_id, provider), idle=AT_ONCE, quiet=AT_ONCE)
    if found.row.state is ConnectionState.CONNECTED and found.trouble is None:
        return see("/console/connections?done=answers")
    return page(request, "troubled.html", name=runtime.display_name(provider), reasons=found.reasons)


@router.get("/connections/{provider}/disconnect")
def disconnect_form(request: Request, runtime: House, session: Admin, provider: str) -> Response:
    """What will happen, and the button."""
    status = connections.status(runtime, ConnectionKey(session.principal.tenant_id, provider))
    return page(request, "disconnect.html", connection=status)


@router.post("/connections/{provider}/disconnect")
def disconnect(request: Request, runtime: House, posted: AdminForm, provider: str) -> Response:
    ended = connections.disconnect(runtime, ConnectionKey(posted.user.tenant_id, provider), posted.user.user_id)
    if ended.revoked:
        return see("/console/connections?done=disconnected")
    return page(request, "disconnected.html", note=ended.note)
