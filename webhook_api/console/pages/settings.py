"""The settings of a connection: those of every provider, and those that its own model describes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from fastapi import Request, Response

from erp_pipelines.access import connections
from erp_pipelines.access.connections import Status
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.connections import ConnectionKey, CustomerField
from erp_pipelines.domain.errors import NotFound, PipelineError, RecordInvalid
from webhook_api.console import settings_form
from webhook_api.console.access import Admin, AdminForm, Posted
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.console.routing import see
from webhook_api.console.settings_form import Field, Value
from webhook_api.console.settings_schema import OWN, Kind, Setting, own_settings, unshown
from webhook_api.dependencies import House
from webhook_api.problems import status_of

router = new_router()
SWITCHES = {
    "autoSyncEnabled": "Bring changes over by themselves",
    "syncCustomers": "Customers",
    "syncProducts": "Products",
    "syncInvoices": "Orders",
    "syncPayments": "Payments",
}
START = (
    Setting("documentsWhen", "An order becomes a document when it is", Kind.WORD, words=("paid", "confirmed"), optional=False),
    Setting(
        "startDate", "Orders from", Kind.DATE, "Earlier ones and their payments are not brought over; empty for all."
    ),
)  # fmt: skip
IDS = (
    Setting("incomeAccountId", "Income account of new items", hint="Left empty, what was found in the company is taken."),
    Setting("depositAccountId", "Account that payments are deposited to"),
    Setting("discountAccountId", "Account of discounts"),
    Setting("shippingItemId", "Item of the shipping line"),
    Setting("taxCodeId", "Tax code of taxed lines"),
    Setting("exemptTaxCodeId", "Tax code of untaxed lines"),
)  # fmt: skip
READS = (Setting("readsPerMonth", "Most reads a month", Kind.NUMBER, "What is not urgent waits then; empty: no cap."),)


@router.get("/connections/{provider}/settings")
def form(request: Request, runtime: House, session: Admin, provider: str) -> Response:
    return _page(request, runtime, ConnectionKey(session.principal.tenant_id, provider))


@router.post("/connections/{provider}/settings")
def save(request: Request, runtime: House, posted: AdminForm, provider: str) -> Response:
    """All of the form, or the provider's own as JSON. What was entered stands there again after an error."""
    key = ConnectionKey(posted.user.tenant_id, provider)
    given = settings_form.entered(posted, (*START, *IDS, *READS, *own_of(runtime, key.provider)))
    try:
        changes = _json(posted.text(OWN)) if OWN in posted.form else _switched(posted) | settings_form.changes(given)
        connections.change_settings(runtime, key, changes, posted.user.user_id)
    except RecordInvalid as error:
        return _page(request, runtime, key, error, given)
    return see("/console/connections?done=saved")


def _switched(posted: Posted) -> dict[str, Any]:
    """A switch that was not sent is off."""
    on = posted.texts("on")
    changes: dict[str, Any] = {name: name in on for name in SWITCHES}
    changes["diagnosticMode"] = "diagnosticMode" in on
    return changes | {"customerFieldsFromErp": posted.texts("customerFieldsFromErp")}


def _json(text: str) -> dict[str, Any]:
    try:
        own = json.loads(text)
    except ValueError:
        own = None
    if not isinstance(own, dict):
        raise RecordInvalid("That is no JSON object.", field=OWN, mend="Write it as {...}.")
    return {OWN: own}


def _page(
    request: Request,
    runtime: Runtime,
    key: ConnectionKey,
    error: RecordInvalid | None = None,
    given: Mapping[str, Value] | None = None,
) -> Response:
    status, model = connected(runtime, key), _model(runtime, key.provider)
    groups = (("", START), ("Accounts, items and taxes", IDS), (f"{status.display_name}'s own", own_settings(model)))
    sections, note = sections_of(runtime, key, (*groups, ("", READS)), error, given)
    return page(
        request,
        "settings.html",
        status=status_of(error) if error else 200,
        connection=status,
        settings=_saved(status),
        switches=SWITCHES,
        customer_fields=get_args(CustomerField),
        sections=sections,
        note=note,
        own=model is not None,
        unshown=unshown(model),
        error=error,
    )


Section = tuple[str, Sequence[Setting]]


def sections_of(
    runtime: Runtime,
    key: ConnectionKey,
    sections: Sequence[Section],
    error: RecordInvalid | None = None,
    given: Mapping[str, Value] | None = None,
) -> tuple[list[tuple[str, list[Field]]], str]:
    """Titled groups of settings as fields, empty groups left out; and why the company's lists could not be read, if so."""
    settings, model = [one for _, group in sections for one in group], _model(runtime, key.provider)
    defaults = model().model_dump(mode="json", by_alias=True) if model else {}
    values = settings_form.stored(settings, _saved(connected(runtime, key)), defaults) | dict(given or {})
    needed = any(one.kind in {Kind.TEXT, Kind.TABLE} for one in settings)
    choices, note = _choices(runtime, key) if needed else ({}, "")
    shown = [(title, settings_form.fields(group, values, choices, error)) for title, group in sections]
    return [(title, fields) for title, fields in shown if fields], note


def _choices(runtime: Runtime, key: ConnectionKey) -> tuple[settings_form.Choices, str]:
    try:
        return connections.choices(runtime, key), ""
    except PipelineError as error:
        name = runtime.display_name(key.provider)
        return {}, f"{name}'s lists cannot be read now ({error.message}) Ids can be entered all the same."


def connected(runtime: Runtime, key: ConnectionKey) -> Status:
    """Raises NotFound for a provider that was never connected."""
    status = connections.status(runtime, key)
    if status.row is None:
        raise NotFound(f"{status.display_name} was never connected.", mend="Connect it first.")
    return status


def _saved(status: Status) -> dict[str, Any]:
    return status.row.settings.model_dump(mode="json", by_alias=True) if status.row else {}


def _model(runtime: Runtime, provider: str) -> Any:
    connector = runtime.connectors.get(provider)
    return connector.settings_model if connector else None


def own_of(runtime: Runtime, provider: str) -> tuple[Setting, ...]:
    return own_settings(_model(runtime, provider))
