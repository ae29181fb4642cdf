"""The secrets of a connection. No other module touches these columns, and they hold ciphertext only."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.errors import NotFound
from erp_pipelines.security.cipher import Cipher
from erp_pipelines.storage.connections import IN_SCOPE, change
from erp_pipelines.storage.tables import integration_connections

T = integration_connections
C = T.c
SECRETS = (C.access_token_encrypted, C.refresh_token_encrypted)


@dataclass(frozen=True)
class Tokens:
    """The secrets of a connection in clear; `repr` hides them.

    `access_token` is None where only the lasting secret is stored.
    """

    access_token: str | None = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: dt.datetime | None = None
    refresh_expires_at: dt.datetime | None = None
    refreshed_at: dt.datetime | None = None
    grant_ends_at: dt.datetime | None = None
    renewal_noted_at: dt.datetime | None = None


_TOKENS = sa.select(
    *SECRETS, C.access_token_expires_at, C.refresh_token_expires_at, C.tokens_refreshed_at, C.grant_ends_at,
    C.refresh_started_at,
)  # fmt: skip


def read_tokens(conn: Connection, connection_id: str, cipher: Cipher, *, for_update: bool = False) -> Tokens | None:
    """The stored tokens, None when there are none. Raises SecretUnreadable, and NotFound for a foreign row.

    `for_update` holds the row until the transaction ends: FOR NO KEY UPDATE, so that the foreign keys of
    events that are being written to this connection never wait for a token refresh.
    """
    query = _TOKENS.where(C.id == connection_id, IN_SCOPE)
    found = conn.execute(query.with_for_update(key_share=True) if for_update else query).one_or_none()
    if found is None:
        raise NotFound(f"There is no connection {connection_id}.")
    if found.refresh_token_encrypted is None:
        return None
    access = _opened(cipher, connection_id, SECRETS[0], found.access_token_encrypted)
    refresh = _opened(cipher, connection_id, SECRETS[1], found.refresh_token_encrypted)
    return Tokens(access, refresh or "", *found[len(SECRETS) :])


def save_tokens(conn: Connection, connection_id: str, cipher: Cipher, tokens: Tokens) -> None:
    """Replace the stored tokens: whatever renewal was under way has been answered. Raises NotFound."""
    clear = zip(SECRETS, (tokens.access_token, tokens.refresh_token), strict=True)
    sealed = {column.name: _sealed(cipher, connection_id, column, plain) for column, plain in clear}
    expiry = {
        "access_token_expires_at": tokens.access_expires_at,
        "refresh_token_expires_at": tokens.refresh_expires_at,
        "tokens_refreshed_at": tokens.refreshed_at,
        "refresh_started_at": None,
        "grant_ends_at": tokens.grant_ends_at,
    }
    if not change(conn, connection_id, **sealed, **expiry):
        raise NotFound(f"There is no connection {connection_id}.")


def note_refresh(conn: Connection, connection_id: str, now: dt.datetime) -> None:
    """Note that a renewal is about to leave. The note of an earlier one that nothing was heard of stays."""
    change(conn, connection_id, refresh_started_at=sa.func.coalesce(C.refresh_started_at, now))


def end_note(conn: Connection, connection_id: str, noted: dt.datetime) -> None:
    """The renewal noted at that moment never left, or the answer that came brought no tokens: nothing can be lost of it."""
    change(conn, connection_id, C.refresh_started_at == noted, refresh_started_at=None)


def rotate_tokens(conn: Connection, connection_id: str, cipher: Cipher) -> int:
    """Bring the connection's secrets under the newest key, holding its row; how many were not (0, 1 or 2)."""
    query = sa.select(*SECRETS).where(C.id == connection_id, IN_SCOPE).with_for_update(key_share=True)
    stored = zip(SECRETS, conn.execute(query).one(), strict=True)
    anew = {
        column.name: _sealed(cipher, connection_id, column, _opened(cipher, connection_id, column, text))
        for column, text in stored
        if text is not None and cipher.needs_rotation(text)
    }
    if anew:
        change(conn, connection_id, **anew)
    return len(anew)


def with_tokens(conn: Connection) -> list[tuple[str, str]]:
    """(tenant id, connection id) of every connection that has secrets (system scope)."""
    query = sa.select(C.tenant_id, sa.cast(C.id, sa.Text)).where(C.refresh_token_encrypted.is_not(None))
    return [(tenant_id, connection_id) for tenant_id, connection_id in conn.execute(query)]


def _sealed(cipher: Cipher, connection_id: str, column: sa.Column[Any], plain: str | None) -> str | None:
    """Ciphertext bound to that column of that row; the id in its one canonical spelling."""
    row = str(uuid.UUID(connection_id))
    return None if plain is None else cipher.encrypt(plain, table=str(T), row=row, field=column.name)


def _opened(cipher: Cipher, connection_id: str, column: sa.Column[Any], text: str | None) -> str | None:
    row = str(uuid.UUID(connection_id))
    return None if text is None else cipher.decrypt(text, table=str(T), row=row, field=column.name)
