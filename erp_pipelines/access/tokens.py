"""Access tokens that are good: read from storage, refreshed in single flight across threads and processes."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import structlog

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors.provider import CredentialsProvider, Grant, GrantKeeper, OAuthProvider
from erp_pipelines.domain.connections import ConnectionKey, ConnectionState
from erp_pipelines.domain.errors import Conflict, ConnectionLost, SecretsClosed, Throttled
from erp_pipelines.domain.outcomes import explain
from erp_pipelines.security.cipher import SecretUnreadable
from erp_pipelines.storage import alerts, connections, tokens
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.tokens import Tokens

log = structlog.get_logger("erp.access")
# A token is renewed this long before it ends, so that no call starts with one that dies on the way. One that lives
# only for minutes or seconds is good for nine tenths of that: else every call would renew it.
MARGIN = dt.timedelta(minutes=5)
MARGIN_SHARE = 0.1
# How long a connection whose secrets don't open is left alone before another look.
CLOSED_SECONDS = 120.0
RECONNECT = "An admin must connect it again."


class StoredTokenSource:
    """`connectors.base.TokenSource` over the stored tokens of one connection.

    However many threads and processes ask, the provider hears of one refresh: the row lock lets one
    through, and the others find what it has stored. A new refresh token is committed before anybody
    gets the access token that came with it. Safe to share between threads; remembers the token.
    """

    def __init__(self, runtime: Runtime, key: ConnectionKey, connection_id: str) -> None:
        self._runtime = runtime
        self._key = key
        self._id = connection_id
        self._remembered: Tokens | None = None
        self._one_at_a_time = threading.Lock()

    def access_token(self, *, rejected: str | None = None) -> str:
        """A token that is good for five minutes at least (or most of a shorter life), and is not `rejected`.

        Raises ConnectionLost when a person must connect again (the connection is parked then, and an
        alert written), Unavailable when the token host does not answer, SecretsClosed when the stored tokens
        don't open with this process's keys.
        """
        with self._one_at_a_time, self._opened():
            enough = partial(self._good, rejected=rejected)
            known = self._remembered
            if known is None or not enough(known):
                known = self._stored()
            if known is None or not enough(known):
                known = self._refreshed(enough)
            self._remembered = known
            return known.access_token or ""

    def keep_alive(self, renewed_after: dt.datetime) -> bool:
        """Renew the grant unless it was renewed after that moment; whether it has been. Raises as `access_token` does."""

        def enough(known: Tokens) -> bool:
            return known.refreshed_at is not None and known.refreshed_at > renewed_after

        with self._one_at_a_time, self._opened():
            known = self._stored()
            if known is not None and enough(known):
                return False
            self._remembered = self._refreshed(enough)
            return True

    @contextmanager
    def _opened(self) -> Iterator[None]:
        try:
            yield
        except SecretUnreadable as error:
            log.error("tokens cannot be opened", connection=str(self._key), reason=error.message)  # noqa: TRY400
            raise SecretsClosed(error.message, retry_after=CLOSED_SECONDS, mend=error.mend) from error

    def _good(self, known: Tokens, rejected: str | None) -> bool:
        if known.access_token is None or known.access_token == rejected or known.access_expires_at is None:
            return False
        return known.access_expires_at - self._runtime.clock.now() > _margin(known)

    def _stored(self) -> Tokens | None:
        with self._runtime.db.tenant(self._key.tenant_id) as conn:
            return tokens.read_tokens(conn, self._id, self._runtime.cipher)

    def _refreshed(self, enough: Callable[[Tokens], bool]) -> Tokens:
        """Tokens that are committed: the transaction ends before they leave, or before the connection counts as lost."""
        noted = self._runtime.clock.now()
        # Committed before the renewal leaves: should its answer be lost with this process, the next one knows.
        with self._runtime.db.tenant(self._key.tenant_id) as conn:
            tokens.note_refresh(conn, self._id, noted)
        try:
            with self._runtime.db.tenant(self._key.tenant_id) as conn:
                found = self._under_lock(conn, enough, noted)
        except Throttled:  # an answer, without tokens in it
            with self._runtime.db.tenant(self._key.tenant_id) as conn:
                tokens.end_note(conn, self._id, noted)
            raise
        if isinstance(found, ConnectionLost):
            raise found
        return found

    def _under_lock(
        self, conn: Connection, enough: Callable[[Tokens], bool], noted: dt.datetime
    ) -> Tokens | ConnectionLost:
        before = tokens.read_tokens(conn, self._id, self._runtime.cipher, for_update=True)
        if before is not None and enough(before):  # somebody else has refreshed while we waited for the lock
            tokens.end_note(conn, self._id, noted)
            return before
        row = connections.by_id(conn, self._id)
        if before is None or row.state is not ConnectionState.CONNECTED:
            return ConnectionLost(f"{row.key} is not connected: {row.state_reason or row.state}", mend=RECONNECT)
        try:
            grant = keeper_of(self._runtime, self._key.provider).refresh(before.refresh_token)
        except ConnectionLost as refused:
            error = _told(refused, before, noted)
            self._park(conn, error)
            return error
        fresh = _renewed(before, tokens_of(grant, self._runtime.clock.now()))
        tokens.save_tokens(conn, self._id, self._runtime.cipher, fresh)
        log.info("access token refreshed", connection=str(self._key), ends=fresh.access_expires_at)
        return fresh

    def _park(self, conn: Connection, error: ConnectionLost) -> None:
        if connections.park(conn, self._id, str(error)):
            alerts.raise_alert(conn, self._key, explain(error))
            log.error("alert: reconnect needed", connection=str(self._key), reason=error.message)


def oauth_of(runtime: Runtime, provider: str) -> OAuthProvider:
    """The provider's consent flow. Raises NotFound for an unknown provider, Conflict for one that has none."""
    connector = runtime.connector(provider)
    if connector.oauth is None:
        raise Conflict(f"{connector.display_name} has no sign-in page.", mend="Connect it with credentials.")
    return connector.oauth


def credentials_of(runtime: Runtime, provider: str) -> CredentialsProvider:
    """How the provider takes credentials. Raises NotFound for an unknown provider, Conflict for one that takes none."""
    connector = runtime.connector(provider)
    if connector.credentials is None:
        raise Conflict(f"{connector.display_name} takes no credentials.", mend="Connect it through its sign-in page.")
    return connector.credentials


def keeper_of(runtime: Runtime, provider: str) -> GrantKeeper:
    """Who keeps the provider's grants alive. Raises NotFound for an unknown provider."""
    return runtime.connector(provider).oauth or credentials_of(runtime, provider)


def tokens_of(grant: Grant, now: dt.datetime) -> Tokens:
    """The grant with moments instead of lifetimes."""
    return Tokens(
        grant.access_token,
        grant.refresh_token,
        now + dt.timedelta(seconds=grant.access_expires_in),
        now + dt.timedelta(seconds=grant.refresh_expires_in) if grant.refresh_expires_in is not None else None,
        refreshed_at=now,
        grant_ends_at=now + dt.timedelta(seconds=grant.ends_in) if grant.ends_in is not None else None,
    )


def _renewed(before: Tokens, fresh: Tokens) -> Tokens:
    """What a renewal has brought: an answer that doesn't tell when the consent ends doesn't put that off."""
    return replace(fresh, grant_ends_at=fresh.grant_ends_at or before.grant_ends_at)


def _margin(known: Tokens) -> dt.timedelta:
    if known.access_expires_at is None or known.refreshed_at is None:
        return MARGIN
    return min(MARGIN, (known.access_expires_at - known.refreshed_at) * MARGIN_SHARE)


def _told(refused: ConnectionLost, before: Tokens, now: dt.datetime) -> ConnectionLost:
    """Why the grant was refused, as far as we know; `now` is when this renewal was noted."""
    why = _known_reason(before, now)
    return ConnectionLost(
        f"{refused.message} {why}".rstrip(), mend=refused.mend, erp_code=refused.erp_code, request_id=refused.request_id
    )


def _known_reason(before: Tokens, now: dt.datetime) -> str:
    if before.grant_ends_at is not None and before.grant_ends_at <= now:
        return f"The consent was good until {_minute(before.grant_ends_at)} UTC, however often it was renewed."
    if before.refresh_expires_at is not None and before.refresh_expires_at <= now:
        since = f"; its last renewal was at {_minute(before.refreshed_at)} UTC" if before.refreshed_at else ""
        return f"Unused, the grant was good until {_minute(before.refresh_expires_at)} UTC{since}."
    if (
        before.renewal_noted_at is not None and before.renewal_noted_at != now
    ):  # a renewal whose answer was lost may have replaced our token
        return (
            f"A renewal begun at {_minute(before.renewal_noted_at)} UTC was never answered here; the token that it "
            "brought is lost."
        )
    return ""


def _minute(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
