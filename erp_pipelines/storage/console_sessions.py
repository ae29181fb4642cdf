"""Who is signed in to the console. Only digests are stored: who reads the table cannot take over a session."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.errors import NotFound
from erp_pipelines.storage.console_tables import console_sessions as sessions
from erp_pipelines.storage.tables import tenants


@dataclass(frozen=True)
class SignedIn:
    """A session that has not ended."""

    user_id: str
    role: str
    expires_at: dt.datetime
    tenant_name: str


def begin(conn: Connection, tenant_id: str, digest: str, signed_in: SignedIn, *, now: dt.datetime) -> None:
    """A new session; those of the tenant that have run out are forgotten. Raises NotFound for an unknown tenant."""
    conn.execute(sa.delete(sessions).where(sessions.c.tenant_id == tenant_id, sessions.c.expires_at <= now))
    made = sa.insert(sessions).values(
        secret_digest=digest,
        tenant_id=tenant_id,
        user_id=signed_in.user_id,
        role=signed_in.role,
        expires_at=signed_in.expires_at,
    )
    conn.execute(made)


def tenant_name(conn: Connection, tenant_id: str) -> str:
    """Raises NotFound for a tenant that does not exist."""
    found: str | None = conn.execute(sa.select(tenants.c.name).where(tenants.c.id == tenant_id)).scalar()
    if found is None:
        raise NotFound(f"There is no tenant {tenant_id!r}.", mend="Make it with `erp tenants add ID --name NAME`.")
    return found


def find(conn: Connection, tenant_id: str, digest: str, *, now: dt.datetime) -> SignedIn | None:
    """None for a session that was ended, has run out, or never was."""
    c = sessions.c
    query = (
        sa.select(c.user_id, c.role, c.expires_at, tenants.c.name)
        .join(tenants, tenants.c.id == c.tenant_id)
        .where(c.tenant_id == tenant_id, c.secret_digest == digest, c.expires_at > now)
    )
    row = conn.execute(query).first()
    return SignedIn(*row) if row else None


def end(conn: Connection, tenant_id: str, digest: str) -> None:
    conn.execute(sa.delete(sessions).where(sessions.c.tenant_id == tenant_id, sessions.c.secret_digest == digest))
