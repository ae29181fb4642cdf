"""Connections: who is joined to which company, in what state, under which settings, with which tokens.

The token columns are read and written by `storage.tokens` only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey, ConnectionSettings, ConnectionState, DocumentsWhen
from erp_pipelines.domain.errors import Conflict, NotFound
from erp_pipelines.storage.engine import EVERY_TENANT
from erp_pipelines.storage.outbox import CHANNEL
from erp_pipelines.storage.tables import integration_connections, integration_entity_mappings

T = integration_connections
C, M = T.c, integration_entity_mappings.c
_SELECT = sa.select(*(column for column in C if not column.name.endswith("_encrypted")))
LAST_COMPANY = "lastCompanyId"  # kept among the company's facts when the connection has ended
ONE_TENANT_PER_COMPANY = "uq_integration_connections_provider_external_company_id"
# Settings with a column of their own (the event function reads them); the others are JSON.
SETTING_COLUMNS = (
    "auto_sync_enabled", "sync_customers", "sync_products", "sync_invoices", "sync_payments", "documents_when",
)  # fmt: skip
SETTING_JSON = tuple(name for name in ConnectionSettings.model_fields if name not in SETTING_COLUMNS)
# The tenant that the transaction has named, or all of them: what row-level security says, said once
# more here, so that a role that bypasses it gains nothing.
IN_SCOPE = sa.func.current_setting("erp.tenant_id", True).in_([C.tenant_id, EVERY_TENANT])


@dataclass(frozen=True)
class ConnectionRow:
    """A connection without its tokens."""

    id: str
    tenant_id: str
    provider: str
    external_company_id: str | None
    company_name: str | None
    company: dict[str, Any]
    environment: str | None
    state: ConnectionState
    state_reason: str | None
    paused_until: dt.datetime | None
    last_sync_at: dt.datetime | None
    last_sync_error: str | None
    settings: ConnectionSettings
    settings_version: int
    access_token_expires_at: dt.datetime | None
    refresh_token_expires_at: dt.datetime | None
    tokens_refreshed_at: dt.datetime | None
    grant_ends_at: dt.datetime | None
    warned_days: int | None
    connected_by: str | None
    created_at: dt.datetime

    @property
    def key(self) -> ConnectionKey:
        return ConnectionKey(self.tenant_id, self.provider)

    @property
    def last_company_id(self) -> str | None:
        """The company it is connected to, or was when it ended: what its mappings belong to."""
        return self.external_company_id or self.company.get(LAST_COMPANY)


# --- reading -----------------------------------------------------------------------------


def find(conn: Connection, key: ConnectionKey, *, for_update: bool = False) -> ConnectionRow | None:
    return _one(conn, C.tenant_id == key.tenant_id, C.provider == key.provider, for_update=for_update)


def get(conn: Connection, key: ConnectionKey, *, for_update: bool = False) -> ConnectionRow:
    """Raises NotFound for a connection that was never made. `for_update` as in `tokens.read_tokens`."""
    row = find(conn, key, for_update=for_update)
    if row is None:
        raise NotFound(f"There is no connection to {key.provider!r}.", mend="Connect it first.")
    return row


def by_id(conn: Connection, connection_id: str) -> ConnectionRow:
    """Raises NotFound for an id that the transaction's tenant does not have."""
    row = _one(conn, C.id == connection_id, IN_SCOPE)
    if row is None:
        raise NotFound(f"There is no connection {connection_id}.")
    return row


def of_tenant(conn: Connection, tenant_id: str) -> list[ConnectionRow]:
    """All of a tenant's connections, disconnected ones too, by provider."""
    return [_row(found) for found in conn.execute(_SELECT.where(C.tenant_id == tenant_id).order_by(C.provider))]


def active_keys(conn: Connection) -> list[ConnectionKey]:
    """The connections that can be served now, of every tenant (system scope)."""
    query = sa.select(C.tenant_id, C.provider).where(C.state == ConnectionState.CONNECTED, C.is_active)
    return [ConnectionKey(*found) for found in conn.execute(query.order_by(C.tenant_id, C.provider))]


def count_active(conn: Connection, providers: Collection[str], *, most: int) -> int:
    """How many connections of these providers can be served now, counted no further than `most` (system scope)."""
    some = sa.select(C.id).where(C.state == ConnectionState.CONNECTED, C.is_active, C.provider.in_(providers))
    return int(conn.execute(sa.select(sa.func.count()).select_from(some.limit(most).subquery())).scalar_one())


def held(conn: Connection) -> list[ConnectionRow]:
    """The connections that are connected, or were until they broke, of every tenant (system scope)."""
    query = _SELECT.where(C.state != ConnectionState.NOT_CONNECTED, IN_SCOPE)
    return [_row(found) for found in conn.execute(query.order_by(C.tenant_id, C.provider))]


def by_company(conn: Connection, provider: str, external_company_id: str) -> ConnectionRow | None:
    """The one connection to that company, whatever its state and whoever's it is (system scope)."""
    return _one(conn, C.provider == provider, C.external_company_id == external_company_id)


def keys_of(conn: Connection, provider: str, company_ids: Sequence[str]) -> dict[str, ConnectionKey]:
    """Whose these companies are, whatever the connections' state; those nobody has connected are left out (system scope)."""
    query = sa.select(C.external_company_id, C.tenant_id, C.provider)
    found = conn.execute(query.where(C.provider == provider, C.external_company_id.in_(company_ids)))
    return {company: ConnectionKey(tenant_id, name) for company, tenant_id, name in found}


def has_mappings(conn: Connection, key: ConnectionKey) -> bool:
    """Whether any of the tenant's records stands in that ERP, as far as we know."""
    found = sa.select(M.id).where(M.tenant_id == key.tenant_id, M.provider == key.provider)
    return conn.execute(sa.select(found.exists())).scalar_one()


# --- writing -----------------------------------------------------------------------------


def upsert_connected(
    conn: Connection,
    key: ConnectionKey,
    *,
    external_company_id: str,
    company_name: str,
    company: Mapping[str, Any],
    environment: str,
    connected_by: str | None,
    documents_when: DocumentsWhen = "paid",
) -> ConnectionRow:
    """Connected to that company from now on; waiting workers are told at commit.

    Settings that exist are kept, but for another company than before the ids among them go: they
    named its accounts and items. `documents_when` counts for a new connection only. Raises Conflict
    when another tenant holds the company; the transaction can go on then.
    """
    facts = {
        "external_company_id": external_company_id, "company_name": company_name, "company": dict(company),
        "environment": environment, "connected_by": connected_by, "state": ConnectionState.CONNECTED.value,
        "state_reason": None, "paused_until": None, "last_sync_error": None, "is_active": True,
        "warned_days": None,
    }  # fmt: skip
    new = {"tenant_id": key.tenant_id, "provider": key.provider, "documents_when": documents_when, **facts}
    last_company = sa.func.coalesce(C.external_company_id, C.company[LAST_COMPANY].astext)
    kept = sa.case((last_company == external_company_id, C.settings), else_=sa.text("'{}'"))
    version = C.settings_version + sa.case((last_company == external_company_id, 0), else_=1)
    statement = insert(T).values(new)
    statement = statement.on_conflict_do_update(
        index_elements=[C.tenant_id, C.provider],
        set_={**facts, "settings": kept, "settings_version": version, "modified_at": sa.func.now()},
    )
    with _one_tenant_per_company(conn, key.provider):
        conn.execute(statement)
    conn.execute(sa.select(sa.func.pg_notify(CHANNEL, str(key))))
    return get(conn, key)


def prepare(conn: Connection, key: ConnectionKey, documents_when: DocumentsWhen) -> None:
    """A connection to come, which brings nothing over by itself until it is switched on. One that exists stays as it is."""
    new = {
        "tenant_id": key.tenant_id, "provider": key.provider, "documents_when": documents_when,
        "auto_sync_enabled": False, "is_active": False,
    }  # fmt: skip
    conn.execute(insert(T).values(new).on_conflict_do_nothing(index_elements=[C.tenant_id, C.provider]))


def park(conn: Connection, connection_id: str, reason: str) -> bool:
    """Reconnect needed, for `reason`. False when it was not connected: nothing is changed, and nobody need be told."""
    return change(
        conn, connection_id, C.state == ConnectionState.CONNECTED,
        state=ConnectionState.RECONNECT_NEEDED.value, state_reason=reason,
    )  # fmt: skip


def pause(conn: Connection, connection_id: str, until: dt.datetime) -> None:
    """Nothing leaves for the provider before `until`. A later pause that stands already is kept."""
    change(conn, connection_id, paused_until=sa.func.greatest(C.paused_until, until))


_SYNCED = (
    sa.update(T)
    .where(C.id == sa.bindparam("connection"), IN_SCOPE)
    .values(last_sync_at=sa.bindparam("at"), last_sync_error=sa.bindparam("error"), modified_at=sa.func.now())
)


def synced(conn: Connection, connection_id: str, at: dt.datetime, error: str | None) -> None:
    """What the last run of the connection came to; `error` None says that all was well."""
    conn.execute(_SYNCED, {"connection": connection_id, "at": at, "error": error})


def warned(conn: Connection, connection_id: str, days: int | None) -> None:
    """A person has been told that the grant ends within so many days; None: no end is near any more."""
    change(conn, connection_id, warned_days=days)


def save_settings(conn: Connection, key: ConnectionKey, settings: ConnectionSettings) -> ConnectionRow:
    """The settings as given, whole, under a new version. Raises NotFound."""
    row = get(conn, key)
    columns = settings.model_dump(include=set(SETTING_COLUMNS))
    ids = settings.model_dump(mode="json", include=set(SETTING_JSON), by_alias=True, exclude_none=True)
    version = C.settings_version + 1
    change(conn, row.id, C.tenant_id == key.tenant_id, **columns, settings=ids, settings_version=version)
    return get(conn, key)


def save_company(conn: Connection, connection_id: str, facts: Mapping[str, Any]) -> None:
    """The facts of the company as given, whole."""
    change(conn, connection_id, company=dict(facts))


def disconnect(conn: Connection, key: ConnectionKey, *, reason: str | None = None) -> ConnectionRow:
    """Tokens gone, no longer served, and the company free for whoever connects it next. Raises NotFound.

    Settings, mappings and logs stay.
    """
    row = get(conn, key)
    company = row.company | ({LAST_COMPANY: row.last_company_id} if row.last_company_id else {})
    change(
        conn, row.id, C.tenant_id == key.tenant_id, company=company,
        state=ConnectionState.NOT_CONNECTED.value, state_reason=reason, paused_until=None, is_active=False,
        external_company_id=None, access_token_encrypted=None, refresh_token_encrypted=None,
        access_token_expires_at=None, refresh_token_expires_at=None, refresh_started_at=None, grant_ends_at=None,
    )  # fmt: skip
    return get(conn, key)


# --- inside the storage ----------------------------------------------------------------------


def _one(conn: Connection, *conditions: sa.ColumnElement[bool], for_update: bool = False) -> ConnectionRow | None:
    query = _SELECT.where(*conditions)
    found = conn.execute(query.with_for_update(key_share=True) if for_update else query).one_or_none()
    return None if found is None else _row(found)


def _row(found: sa.Row[Any]) -> ConnectionRow:
    values = found._asdict()
    columns = {name: values[name] for name in SETTING_COLUMNS}
    own = {name: values[name] for name in ConnectionRow.__dataclass_fields__ if name != "settings"}
    settings = ConnectionSettings.model_validate({**columns, **values["settings"]})
    own |= {"id": str(own["id"]), "state": ConnectionState(own["state"])}
    return ConnectionRow(**own, settings=settings)


def change(conn: Connection, connection_id: str, *guards: sa.ColumnElement[bool], **values: Any) -> bool:
    """Update one connection of the named tenant, if the guards hold; whether it was changed."""
    statement = sa.update(T).where(C.id == connection_id, IN_SCOPE, *guards)
    return conn.execute(statement.values(**values, modified_at=sa.func.now())).rowcount == 1


@contextmanager
def _one_tenant_per_company(conn: Connection, provider: str) -> Iterator[None]:
    try:
        with conn.begin_nested():
            yield
    except sa.exc.IntegrityError as error:
        if ONE_TENANT_PER_COMPANY not in str(error.orig):
            raise
        raise company_taken(provider) from None


def company_taken(provider: str) -> Conflict:
    """What to say to a tenant whose company another one holds; that one is not named."""
    return Conflict(
        f"This {provider} company is connected already, for another tenant.",
        mend="Disconnect it there first, or sign in to the right company.",
    )
