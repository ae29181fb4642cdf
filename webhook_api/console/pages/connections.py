"""Connections: a card for each provider, and what an admin does with them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, get_args
from urllib.parse import urlsplit

from fastapi import Request, Response

from erp_pipelines.access import connections, consent, credentials
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors.provider import Connector
from erp_pipelines.delivery import probe
from erp_pipelines.domain.connections import ConnectionKey, ConnectionSettings, ConnectionState, CustomerField
from erp_pipelines.domain.errors import NotFound, PipelineError, RecordInvalid
from erp_pipelines.storage import due
from webhook_api.console.access import Admin, AdminForm, Manager, Posted
from webhook_api.console.credential_forms import FORMS, Method
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.console.routing import see
from webhook_api.dependencies import House
from webhook_api.problems import status_of

AT_ONCE = dt.timedelta(0)
router = new_router()
SWITCHES = {
    "autoSyncEnabled": "Bring changes over by themselves",
    "syncCustomers": "Customers",
    "syncProducts": "Products",
    "syncInvoices": "Orders",
    "syncPayments": "Payments",
}
IDS = {
    "incomeAccountId": "Income account of new items",
    "depositAccountId": "Account that payments are deposited to",
    "discountAccountId": "Account of discounts",
    "shippingItemId": "Item of the shipping line",
    "taxCodeId": "Tax code of taxed lines",
    "exemptTaxCodeId": "Tax code of untaxed lines",
}


@router.get("/connections")
def cards(request: Request, runtime: House, session: Manager) -> Response:
    tenant_id = session.principal.tenant_id
    with runtime.db.tenant(tenant_id) as conn:
        health = {found.key.provider: found for found in due.health(conn, now=runtime.clock.now(), tenant_id=tenant_id)}
    found = [
        (status, health.get(status.provider), _can_connect(runtime, status.provider))
        for status in connections.list_(runtime, tenant_id)
    ]
    return page(request, "connections.html", cards=found)


def _can_connect(runtime: Runtime, provider: str) -> bool:
    connector = runtime.connectors.get(provider)
    return connector is not None and (connector.oauth is not None or bool(_methods(connector)))


def _methods(connector: Connector) -> tuple[Method, ...]:
    return FORMS.get(connector.provider, ()) if connector.credentials is not None else ()


@router.get("/connections/{provider}/connect")
def connect_form(request: Request, runtime: House, session: Admin, provider: str) -> Response:
    del session
    return _connect_page(request, runtime.connector(provider))


@router.post("/connections/{provider}/connect")
def connect(request: Request, runtime: House, posted: AdminForm, provider: str) -> Response:
    """To the provider's sign-in page, or with the credentials that were entered, which are tried for real first."""
    connector = runtime.connector(provider)
    if connector.oauth is not None:
        url = consent.begin(runtime, posted.user.tenant_id, posted.user.user_id, provider)
        return page(request, "leaving.html", name=connector.display_name, url=url, host=urlsplit(url).hostname)
    return _connect_by_credentials(request, runtime, posted, connector)


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
        return _connect_page(request, connector, error=error, method=method.name, given=shown)
    return see("/console/connections?done=connected")


def _connect_page(
    request: Request,
    connector: Connector,
    *,
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
        chosen=method,
        given=given or {},
        error=error,
    )


@router.get("/connections/{provider}/settings")
def settings_form(request: Request, runtime: House, session: Admin, provider: str) -> Response:
    key = ConnectionKey(session.principal.tenant_id, provider)
    return _settings_page(request, runtime, key, None)


@router.post("/connections/{provider}/settings")
def save_settings(request: Request, runtime: House, posted: AdminForm, provider: str) -> Response:
    key = ConnectionKey(posted.user.tenant_id, provider)
    try:
        connections.change_settings(runtime, key, _changes(posted), posted.user.user_id)
    except RecordInvalid as error:
        return _settings_page(request, runtime, key, error)
    return see("/console/connections?done=saved")


def _changes(posted: Posted) -> dict[str, Any]:
    """Every setting of the form: a switch that was not sent is off, an id that is empty is taken away."""
    on = posted.texts("on")
    changes: dict[str, Any] = {name: name in on for name in SWITCHES}
    changes |= {name: posted.text(name) or None for name in IDS}
    changes["diagnosticMode"] = "diagnosticMode" in on
    changes["documentsWhen"] = posted.text("documentsWhen")
    changes["customerFieldsFromErp"] = posted.texts("customerFieldsFromErp")
    changes["readsPerMonth"] = posted.text("readsPerMonth") or None
    if own := posted.text("providerSettings"):
        changes["providerSettings"] = _json(own)
    return changes


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise RecordInvalid("That is no JSON.", field="providerSettings", mend="Write an object: {...}.") from None


def _settings_page(request: Request, runtime: Runtime, key: ConnectionKey, error: RecordInvalid | None) -> Response:
    status = connections.status(runtime, key)
    if status.row is None:
        raise NotFound(f"{status.display_name} was never connected.", mend="Connect it first.")
    connector = runtime.connectors.get(key.provider)
    model = connector.settings_model if connector else None
    settings: ConnectionSettings = status.row.settings
    return page(
        request,
        "settings.html",
        status=status_of(error) if error else 200,
        connection=status,
        settings=settings.model_dump(by_alias=True),
        switches=SWITCHES,
        customer_fields=get_args(CustomerField),
        ids=IDS,
        own_schema=model.model_json_schema(by_alias=True) if model else None,
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
