"""Routes whose errors are pages: a person reads what happened and what to do, and is sent to sign in when need be."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from erp_pipelines.domain.errors import DatabaseDown, PipelineError, RecordInvalid
from erp_pipelines.storage.engine import StorageDown, Unstorable
from webhook_api.console.rendering import page
from webhook_api.console.sessions import SignInNeeded
from webhook_api.limits import TooManyRequests
from webhook_api.problems import status_of

log = structlog.get_logger("erp.console")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
MALFORMED = RecordInvalid("The address or the form holds something that cannot be.", mend="Go back and correct it.")
TITLES = {403: "Not for you", 404: "Not there", 429: "Too often", 503: "Not now"}


class ConsoleRoute(APIRoute):
    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except SignInNeeded:
                return _to_sign_in(request)
            except PipelineError as error:
                return _failed(request, error)
            except (RequestValidationError, Unstorable):
                return _failed(request, MALFORMED)
            except HTTPException as error:  # a form that is none
                return _failed(request, MALFORMED, error.status_code)
            except StorageDown:
                return _failed(request, DatabaseDown("The database did not answer.", mend="Try again soon."))

        return handler


def router() -> APIRouter:
    """For pages: under /console, not in the API's description."""
    return APIRouter(prefix="/console", include_in_schema=False, route_class=ConsoleRoute)


def see(path: str) -> RedirectResponse:
    """After a form: the browser gets the page anew, so that reloading it repeats nothing."""
    return RedirectResponse(path, 303)


def _to_sign_in(request: Request) -> Response:
    """Back here afterwards; a poll of a part of the page moves the page.

    A link in a message or a ticket comes from another site: browsers keep a strict cookie back then, whoever is signed in.
    So the page is asked for once more, from here.
    """
    if request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site":
        address = quote(request.url.path) + (f"?{request.url.query}" if request.url.query else "")
        answer = page(request, "onwards.html", address=address)
        answer.headers["Refresh"] = f"0; url={address}"
        return answer
    here = request.url.path if request.method == "GET" else "/console/connections"
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": "/console/login"})
    return see(f"/console/login?next={quote(here)}")


def _failed(request: Request, error: PipelineError, status: int | None = None) -> Response:
    status = status or status_of(error)
    if status >= 500:
        log.error("page failed", error=type(error).__name__, reason=error.message, status=status)
    title = TITLES.get(status, "That did not work")
    answer = page(request, "error.html", status=status, title=title, error=error)
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = error.retry_after
    return answer
