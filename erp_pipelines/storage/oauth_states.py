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
    """Who asked for the consent, until when it may be finished, and where it is known, in which browser."""

    key: ConnectionKey
    user_id: str
    expires_at: dt.datetime
    browser_digest: str | None = None


def insert(
    conn: Connection,
    digest: str,
    key: ConnectionKey,
    user_id: str,
    expires_at: dt.datetime,
    browser_digest: str | None = None,
) -> None:
    """Remember a consent that begins. Raises NotFound for a tenant that does not exist."""
    values = [
        sa.literal(digest), tenants.c.id, sa.literal(key.provider), sa.literal(user_id),
        sa.literal(expires_at, states.c.expires_at.type), sa.literal(browser_digest, states.c.browser_digest.type),
    ]  # fmt: skip
    chosen = sa.select(*values).where(tenants.c.id == key.tenant_id)
    columns = ["state_digest", "tenant_id", "provider", "user_id", "expires_at", "browser_digest"]
    statement = sa.insert(states).from_select(columns, chosen).returning(states.c.state_digest)
    if conn.execute(statement).first() is None:
        raise NotFound(f"There is no tenant {key.tenant_id!r}.", mend="Make it with `erp tenants add ID --name NAME`.")


def take(conn: Connection, digest: str) -> StartedConsent | None:
    """The consent of that state, which is gone from now on; of two callers only one gets it (system scope)."""
    taken = sa.delete(states).where(states.c.state_digest == digest).returning(*states.c)
    found = conn.execute(taken).one_or_none()
    if found is None:
        return None
    key = ConnectionKey(found.tenant_id, found.provider)
    return StartedConsent(key, found.user_id, found.expires_at, found.browser_digest)


def purge(conn: Connection, expired_at: dt.datetime) -> int:
    """Delete the states that had expired by then; how many there were."""
    return conn.execute(sa.delete(states).where(states.c.expires_at <= expired_at)).rowcount
