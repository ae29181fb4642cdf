"""Signed in to the console: a cookie that only this installation can read, over a session that can be ended.

The cookie is sealed with the key ring and names the tenant, so that even its session is looked up under row-level
security. It never holds the bearer token, and lasts no longer than that.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from fastapi import Request, Response

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.errors import PipelineError
from erp_pipelines.security.cipher import SecretUnreadable
from erp_pipelines.storage import console_sessions
from erp_pipelines.storage.console_sessions import SignedIn
from webhook_api.auth import MANAGERS, Principal, Role, check_role

LONGEST = dt.timedelta(hours=12)
SECRET_BYTES = 32
PLACE = {"table": "console_sessions", "row": "cookie", "field": "secret"}


class SignInNeeded(PipelineError):
    """No session, or one that has ended."""

    code = "sign-in-needed"


@dataclass(frozen=True)
class Session:
    """Who looks at the page. `csrf` stands in every form of theirs."""

    principal: Principal
    tenant_name: str
    csrf: str = field(repr=False)
    digest: str = field(repr=False)


def begin(runtime: Runtime, response: Response, principal: Principal, token_ends: dt.datetime) -> None:
    """Sign in. Raises Forbidden for a role that has no console, NotFound for an unknown tenant."""
    check_role(principal, MANAGERS)
    now = runtime.clock.now()
    ends, secret = min(token_ends, now + LONGEST), secrets.token_urlsafe(SECRET_BYTES)
    with runtime.db.tenant(principal.tenant_id) as conn:
        name = console_sessions.tenant_name(conn, principal.tenant_id)
        signed_in = SignedIn(principal.user_id, principal.role, ends, name)
        console_sessions.begin(conn, principal.tenant_id, _digest(secret), signed_in, now=now)
    sealed = runtime.cipher.encrypt(f"{principal.tenant_id}:{secret}", **PLACE)
    set_cookie(runtime, response, cookie_name(runtime), sealed)


def current(runtime: Runtime, request: Request) -> Session:
    """Raises SignInNeeded."""
    opened = _opened(runtime, request.cookies.get(cookie_name(runtime), ""))
    if opened is None:
        raise SignInNeeded("You are not signed in.")
    tenant_id, secret = opened
    digest = _digest(secret)
    with runtime.db.tenant(tenant_id) as conn:
        found = console_sessions.find(conn, tenant_id, digest, now=runtime.clock.now())
    if found is None:
        raise SignInNeeded("The session has ended.")
    return Session(Principal(found.user_id, tenant_id, Role(found.role)), found.tenant_name, csrf_of(secret), digest)


def end(runtime: Runtime, response: Response, session: Session) -> None:
    """Sign out: the session is gone, whoever still holds the cookie."""
    with runtime.db.tenant(session.principal.tenant_id) as conn:
        console_sessions.end(conn, session.principal.tenant_id, session.digest)
    response.delete_cookie(cookie_name(runtime), path="/", secure=is_https(runtime), httponly=True, samesite="strict")


def set_cookie(runtime: Runtime, response: Response, name: str, value: str) -> None:
    """Until the browser closes; out of reach of scripts and of other sites."""
    response.set_cookie(name, value, path="/", secure=is_https(runtime), httponly=True, samesite="strict")


def cookie_name(runtime: Runtime, name: str = "erp_console") -> str:
    """Over https with the prefix that keeps other hosts and plain http from setting it."""
    return f"__Host-{name}" if is_https(runtime) else name


def is_https(runtime: Runtime) -> bool:
    return runtime.public_url.startswith("https:")


def csrf_of(secret: str) -> str:
    """What a form must carry: made of the cookie's secret, which no other site and no script can read."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def _digest(secret: str) -> str:
    """What is stored. The secret has entropy enough, so a plain hash cannot be searched back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _opened(runtime: Runtime, cookie: str) -> tuple[str, str] | None:
    """Tenant and secret; None for what this installation never sealed."""
    try:
        tenant_id, _, secret = runtime.cipher.decrypt(cookie, **PLACE).partition(":")
    except SecretUnreadable:
        return None
    return tenant_id, secret
