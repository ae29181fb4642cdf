"""Consents under way. Only digests are stored: who reads the table cannot finish somebody's consent."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import NotFound
from erp_pipelines.storage.tables import oauth_states as states
from erp_pipelines.storage.tables import tenants


@dataclass(frozen=True)
class StartedConsent:
    """Who asked for the consent, and until when it may be finished."""

    key: ConnectionKey
    user_id: str
    expires_at: dt.datetime


def insert(conn: Connection, digest: str, key: ConnectionKey, user_id: str, expires_at: dt.datetime) -> None:
    """Remember a consent that begins. Raises NotFound for a tenant that does not exist."""
    values = [
        sa.literal(digest), tenants.c.id, sa.literal(key.provider), sa.literal(user_id),
        sa.literal(expires_at, states.c.expires_at.type),
    ]  # fmt: skip
    chosen = sa.select(*values).where(tenants.c.id == key.tenant_id)
    columns = ["state_digest", "tenant_id", "provider", "user_id", "expires_at"]
    statement = sa.insert(states).from_select(columns, chosen).returning(states.c.state_digest)
    if conn.execute(statement).first() is None:
        raise NotFound(f"There is no tenant {key.tenant_id!r}.", mend="Make it with `erp tenants add ID --name NAME`.")


def take(conn: Connection, digest: str) -> StartedConsent | None:
    """The consent of that state, which is gone from now on; of two callers only one gets it (system scope)."""
    taken = sa.delete(states).where(states.c.state_digest == digest)
    found = conn.execute(
        taken.returning(states.c.tenant_id, states.c.provider, states.c.user_id, states.c.expires_at)
    ).one_or_none()
    if found is None:
        return None
    return StartedConsent(ConnectionKey(found.tenant_id, found.provider), found.user_id, found.expires_at)


def purge(conn: Connection, expired_at: dt.datetime) -> int:
    """Delete the states that had expired by then; how many there were."""
    return conn.execute(sa.delete(states).where(states.c.expires_at <= expired_at)).rowcount
