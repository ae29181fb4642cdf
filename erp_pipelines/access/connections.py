"""Connections as an admin handles them: their state, their settings, their end, and the keys over their secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError

from erp_pipelines.access import health
from erp_pipelines.access.health import Warned
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.access.tokens import StoredTokenSource, keeper_of
from erp_pipelines.connectors.base import ConnectionFacts
from erp_pipelines.connectors.provider import Choice
from erp_pipelines.domain.connections import ConnectionKey, ConnectionSettings, ConnectionState
from erp_pipelines.domain.errors import PipelineError, RecordInvalid
from erp_pipelines.domain.records import invalid
from erp_pipelines.storage import connections, requeue, tokens
from erp_pipelines.storage.connections import ConnectionRow
from erp_pipelines.storage.engine import Connection

log = structlog.get_logger("erp.access")


@dataclass(frozen=True)
class Status:
    """A provider as a tenant sees it; `row` is None when it was never connected."""

    provider: str
    display_name: str
    row: ConnectionRow | None
    warnings: tuple[Warned, ...] = ()

    @property
    def state(self) -> ConnectionState:
        return self.row.state if self.row else ConnectionState.NOT_CONNECTED


@dataclass(frozen=True)
class Disconnected:
    """The end of a connection. `revoked` False: the provider may still hold the grant, and `note` says what to do."""

    row: ConnectionRow
    revoked: bool
    note: str = ""


def facts(row: ConnectionRow) -> ConnectionFacts:
    """The connection as its connector sees it."""
    return ConnectionFacts(
        id=row.id, key=row.key, company_id=row.external_company_id or "", company=row.company, settings=row.settings
    )


def list_(runtime: Runtime, tenant_id: str) -> list[Status]:
    """Every provider that is set up here or was ever connected, by name."""
    with runtime.db.tenant(tenant_id) as conn:
        rows = {row.provider: row for row in connections.of_tenant(conn, tenant_id)}
    providers = sorted(rows.keys() | runtime.connectors.keys())
    return [_status(runtime, provider, rows.get(provider)) for provider in providers]


def status(runtime: Runtime, key: ConnectionKey) -> Status:
    """Raises NotFound for a provider that is neither set up here nor was ever connected."""
    with runtime.db.tenant(key.tenant_id) as conn:
        row = connections.find(conn, key)
    if row is None:
        runtime.connector(key.provider)
    return _status(runtime, key.provider, row)


def _status(runtime: Runtime, provider: str, row: ConnectionRow | None) -> Status:
    name = runtime.display_name(provider)
    return Status(provider, name, row, health.warnings(row, name, runtime.clock.now()) if row else ())


def change_settings(runtime: Runtime, key: ConnectionKey, changes: Mapping[str, Any], by: str) -> ConnectionSettings:
    """The settings with `changes` (camelCase or snake_case) laid over them; an id of None is taken away.

    What waited for a setting is tried again. Two admins at once lose nothing of each other's. Raises NotFound, RecordInvalid
    for a wrong value or an id that the company's own lists lack, and what asking the company may raise.
    """
    read = _looked_up(runtime, key, changes)
    with runtime.db.tenant(key.tenant_id) as conn:
        row = connections.get(conn, key, for_update=True)
        after = _checked(runtime, key.provider, _laid_over(row.settings, changes))
        connections.save_settings(conn, key, after)
        if read:
            connections.save_company(conn, row.id, {**row.company, **read})
        requeue.settings_changed(conn, row.id, now=runtime.clock.now())
    log.info("settings changed", connection=str(key), by=by, settings=sorted(changes))
    return after


def _looked_up(runtime: Runtime, key: ConnectionKey, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Facts that the company was asked for, for it must know what is named; nobody is asked where nobody is connected."""
    with runtime.db.tenant(key.tenant_id) as conn:
        row = connections.get(conn, key)
    after = _checked(runtime, key.provider, _laid_over(row.settings, changes))
    connector = runtime.connectors.get(key.provider)
    if connector is None or connector.check_settings is None or row.state is not ConnectionState.CONNECTED:
        return {}
    return connector.check_settings(facts(row), after, StoredTokenSource(runtime, key, row.id))


def choices(runtime: Runtime, key: ConnectionKey) -> Mapping[str, Sequence[Choice]]:
    """What settings may name in the company's own lists, by the JSON path of the setting; empty where nobody is connected.

    Raises NotFound, and what asking the company may raise.
    """
    with runtime.db.tenant(key.tenant_id) as conn:
        row = connections.get(conn, key)
    connector = runtime.connectors.get(key.provider)
    if connector is None or connector.choices is None or row.state is not ConnectionState.CONNECTED:
        return {}
    return connector.choices(facts(row), StoredTokenSource(runtime, key, row.id))


def _laid_over(before: ConnectionSettings, changes: Mapping[str, Any]) -> ConnectionSettings:
    aliases = {name: field.alias or name for name, field in ConnectionSettings.model_fields.items()}
    named = {aliases.get(name, name): value for name, value in changes.items()}
    own = named.get("providerSettings")
    if own is not None:
        laid = {**(before.provider_settings or {}), **own}
        named["providerSettings"] = {name: value for name, value in laid.items() if value is not None}
    try:
        return ConnectionSettings.model_validate({**before.model_dump(by_alias=True), **named})
    except ValidationError as error:
        raise invalid("settings", error) from None


def _checked(runtime: Runtime, provider: str, settings: ConnectionSettings) -> ConnectionSettings:
    """With the provider's own settings as its connector reads them. Raises RecordInvalid for what it does not know."""
    connector = runtime.connectors.get(provider)
    if connector is None or not settings.provider_settings:
        return settings
    model = connector.settings_model
    if model is None:
        raise RecordInvalid(f"{connector.display_name} has no settings of its own.", field="providerSettings")
    try:
        own = model.model_validate(settings.provider_settings)
    except ValidationError as error:
        raise invalid("providerSettings", error, within="providerSettings") from None
    return settings.model_copy(
        update={"provider_settings": own.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
    )


def disconnect(runtime: Runtime, key: ConnectionKey, by: str) -> Disconnected:
    """Revoke the grant at the provider, then delete all tokens.

    A provider that does not answer, or a secret that does not open, does not keep the tokens from being
    deleted; the result says so. Raises NotFound for a connection that was never made.
    """
    with runtime.db.tenant(key.tenant_id) as conn:
        row = connections.get(conn, key, for_update=True)
        note = _revoke(conn, runtime, row)
        after = connections.disconnect(conn, key, reason=f"Disconnected by {by}.")
    log.info("disconnected", connection=str(key), by=by, revoked=not note)
    return Disconnected(after, not note, note)


def _revoke(conn: Connection, runtime: Runtime, row: ConnectionRow) -> str:
    """Empty when the grant has ended there; else what a person should know."""
    name = runtime.display_name(row.provider)
    connector = runtime.connectors.get(row.provider)
    try:
        # Under the row lock, so that no refresh makes a new token between the revocation and the deletion.
        stored = tokens.read_tokens(conn, row.id, runtime.cipher, for_update=True)
        if stored is not None and connector is not None:
            return keeper_of(runtime, row.provider).revoke(stored.refresh_token)
    except PipelineError as error:
        return _not_revoked(name, error)
    return ""


def _not_revoked(name: str, error: PipelineError) -> str:
    return (
        f"The tokens are deleted here, but {name} was not told ({error.message}) "
        f"Remove this app from the list of connected apps in {name} too."
    )


def rotate_keys(runtime: Runtime) -> int:
    """Bring every stored secret under the newest key; how many were not. Can be repeated, and run beside everything.

    Raises SecretUnreadable for the first secret whose key is missing; those before it are done.
    """
    with runtime.db.system() as conn:
        places = tokens.with_tokens(conn)
    count = 0
    for tenant_id, connection_id in places:
        with runtime.db.tenant(tenant_id) as conn:
            count += tokens.rotate_tokens(conn, connection_id, runtime.cipher)
    return count
