"""The cookie that binds a consent to the browser in which it was begun."""

from __future__ import annotations

from fastapi import Request, Response

from erp_pipelines.access.consent import LIFETIME
from erp_pipelines.access.runtime import Runtime
from webhook_api.console.sessions import cookie_name, is_https

NAME = "erp_consent"


def give(runtime: Runtime, response: Response, secret: str) -> None:
    """Lax, not strict: the browser comes back from the provider's site, and must bring it along then."""
    response.set_cookie(
        cookie_name(runtime, NAME), secret, max_age=int(LIFETIME.total_seconds()), path="/",
        secure=is_https(runtime), httponly=True, samesite="lax",
    )  # fmt: skip


def of(runtime: Runtime, request: Request) -> str:
    """The browser's secret; empty where it has none."""
    return request.cookies.get(cookie_name(runtime, NAME), "")
