"""The OAuth consent: a person lets us into their company. Begun by an admin, finished by the provider's redirect."""

from __future__ import annotations

import datetime as dt

import structlog

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.access.tokens import oauth_of, tokens_of
from erp_pipelines.connectors.provider import Company, Grant
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import Conflict, ConsentRefused
from erp_pipelines.security import oauth_state
from erp_pipelines.storage import connections, oauth_states, tokens
from erp_pipelines.storage.connections import ConnectionRow
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.oauth_states import StartedConsent

log = structlog.get_logger("erp.access")
LIFETIME = dt.timedelta(minutes=10)
AGAIN = "Start the connection again."


def redirect_uri(runtime: Runtime, provider: str) -> str:
    """Where the provider sends the browser back to; must be registered there, letter for letter."""
    return f"{runtime.public_url.rstrip('/')}/api/integrations/{provider}/callback"


def begin(runtime: Runtime, tenant_id: str, user_id: str, provider: str, *, browser: str | None = None) -> str:
    """The provider's sign-in page, for this user of this tenant, good for ten minutes and one consent.

    `browser` is a secret that only the browser of the user holds, where one was given to it: nobody finishes in another.
    Raises NotFound for an unknown provider or tenant, Conflict for a provider without such a page.
    """
    oauth = oauth_of(runtime, provider)
    key, now, state = ConnectionKey(tenant_id, provider), runtime.clock.now(), oauth_state.new_state()
    with runtime.db.system() as conn:
        oauth_states.purge(conn, now)
    with runtime.db.tenant(tenant_id) as conn:
        bound = oauth_state.digest(browser) if browser else None
        oauth_states.insert(conn, oauth_state.digest(state), key, user_id, now + LIFETIME, bound)
    return oauth.authorize_url(state=state, redirect_uri=redirect_uri(runtime, provider))


def finish(
    runtime: Runtime,
    provider: str,
    *,
    code: str,
    company_id: str,
    state: str,
    user_id: str | None = None,
    browser: str = "",
) -> ConnectionRow:
    """The connection, stored with its tokens. The state is spent whatever comes of it.

    `user_id` is who finishes, where that is known: it must be who began. `browser` as for `begin`. Raises ConsentRefused with the
    mend; Conflict when the company is another tenant's, or the tenant's records stand in another company
    already; Unavailable when the provider does not answer.
    """
    started = _spend(runtime, provider, state, user_id, browser)
    if not code or not company_id:
        raise ConsentRefused("The answer of the sign-in page lacks the code or the company.", mend=AGAIN)
    check_company(runtime, started.key, company_id)
    oauth = oauth_of(runtime, provider)
    grant = oauth.exchange(code=code, redirect_uri=redirect_uri(runtime, provider))
    company = oauth.describe(company_id=company_id, access_token=grant.access_token)
    row = store(runtime, started.key, company, grant, started.user_id)
    log.info("connected", connection=str(row.key), by=started.user_id, environment=row.environment)
    return row


def refused(runtime: Runtime, provider: str, *, state: str, reason: str) -> ConsentRefused:
    """What to tell somebody whose sign-in page came back with an error; the state is spent."""
    if state:
        with runtime.db.system() as conn:
            oauth_states.take(conn, oauth_state.digest(state))
    name = runtime.connector(provider).display_name
    log.info("consent refused", provider=provider, reason=reason[:100])
    if reason == "access_denied":
        return ConsentRefused(
            f"The connection to {name} was not authorised.", mend="Start the connection again and choose Connect."
        )
    return ConsentRefused(f"{name} did not authorise the connection ({reason[:100]!r}).", mend=AGAIN)


def _spend(runtime: Runtime, provider: str, state: str, user_id: str | None, browser: str) -> StartedConsent:
    """Whose consent it is. The state is gone, and committed as gone, before anything is decided about it."""
    with runtime.db.system() as conn:
        started = oauth_states.take(conn, oauth_state.digest(state))
    if started is None or started.key.provider != provider:
        raise ConsentRefused("This sign-in is not known here, or was used already.", mend=AGAIN)
    if started.expires_at <= runtime.clock.now():
        raise ConsentRefused("This sign-in took longer than ten minutes.", mend=AGAIN)
    if user_id is not None and user_id != started.user_id:
        raise ConsentRefused("This sign-in was begun by another user.", mend=AGAIN)
    if started.browser_digest is not None and not oauth_state.is_of(browser, started.browser_digest):
        # Else an attacker's link would join the books of whoever follows it with the attacker's shop.
        raise ConsentRefused(
            "This sign-in was begun in another browser.",
            mend="Start the connection again, in this browser. If somebody sent you the link, do not follow it.",
        )
    return started


def check_company(runtime: Runtime, key: ConnectionKey, company_id: str) -> None:
    """Raises Conflict for a company that another tenant holds, or that is not the one in which this tenant's records stand.

    Asked before a code is exchanged: a new grant may supersede the one the other tenant works with.
    """
    with runtime.db.system() as conn:
        holder = connections.by_company(conn, key.provider, company_id)
    if holder is not None and holder.key != key:
        raise connections.company_taken(key.provider)
    with runtime.db.tenant(key.tenant_id) as conn:
        _check_same_books(conn, key, company_id)


def _check_same_books(conn: Connection, key: ConnectionKey, company_id: str) -> None:
    """Stored ids name records of one company: they would name strangers' in another."""
    row = connections.find(conn, key)
    if row is None or row.last_company_id in {None, company_id}:
        return
    if connections.has_mappings(conn, key):
        raise Conflict(
            f"Records of this tenant stand in {row.company_name or row.last_company_id} already.",
            mend="Sign in to that company again, or use another tenant for the new one.",
        )


def store(runtime: Runtime, key: ConnectionKey, company: Company, grant: Grant, by: str) -> ConnectionRow:
    """The connection with its secrets, in one transaction. Raises Conflict as `check_company` does."""
    with runtime.db.tenant(key.tenant_id) as conn:
        _check_same_books(conn, key, company.external_id)
        row = connections.upsert_connected(
            conn,
            key,
            external_company_id=company.external_id,
            company_name=company.name,
            company=company.facts,
            environment=company.environment,
            connected_by=by,
            documents_when=runtime.connector(key.provider).documents_when,
        )
        tokens.save_tokens(conn, row.id, runtime.cipher, tokens_of(grant, runtime.clock.now()))
        return connections.get(conn, key)
