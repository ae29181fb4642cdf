"""Signing in with a bearer token of the host's, and out again."""

from __future__ import annotations

import re
import secrets

from fastapi import Depends, Request, Response

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.errors import PipelineError
from webhook_api.auth import MANAGERS, TokenVerifier
from webhook_api.console import sessions
from webhook_api.console.access import Form, ManagerForm, check_origin
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.console.routing import see
from webhook_api.dependencies import House, paced
from webhook_api.problems import status_of

HOME = "/console/connections"
# A path of ours and nothing that a browser could take for another host.
OWN_PATH = re.compile(r"/console(/[\w.~:%-]+)*")
router = new_router()


@router.get("")
def home() -> Response:
    return see(HOME)


@router.get("/login")
def form(request: Request, runtime: House, next: str = "") -> Response:  # noqa: A002 - the parameter's name
    return _form(request, runtime, going_to=next)


@router.post("/login", dependencies=[Depends(paced)])
def sign_in(request: Request, runtime: House, form: Form) -> Response:
    """Checked by whatever checks the API's tokens; the session lasts no longer than the token."""
    cookie = request.cookies.get(_before(runtime), "")
    check_origin(request, form, sessions.csrf_of(cookie) if cookie else secrets.token_urlsafe())
    verifier: TokenVerifier = request.app.state.verifier
    answer = see(_own_path(form.get("next")))
    try:
        principal, ends = verifier.believed(str(form.get("token", "")).strip())
        sessions.begin(runtime, answer, principal, ends)
    except PipelineError as error:
        return _form(request, runtime, going_to=str(form.get("next", "")), error=error)
    answer.delete_cookie(
        _before(runtime), path="/", secure=sessions.is_https(runtime), httponly=True, samesite="strict"
    )
    return answer


@router.post("/logout")
def sign_out(runtime: House, posted: ManagerForm) -> Response:
    answer = see("/console/login")
    sessions.end(runtime, answer, posted.session)
    return answer


def _form(request: Request, runtime: Runtime, *, going_to: str, error: PipelineError | None = None) -> Response:
    """With a cookie of its own, so that no other site can sign somebody in as somebody else."""
    secret = request.cookies.get(_before(runtime)) or secrets.token_urlsafe()
    shown = page(
        request,
        "login.html",
        status=status_of(error) if error else 200,
        csrf=sessions.csrf_of(secret),
        going_to=_own_path(going_to),
        error=error,
        roles=" and ".join(MANAGERS),
    )
    sessions.set_cookie(runtime, shown, _before(runtime), secret)
    return shown


def _before(runtime: Runtime) -> str:
    return sessions.cookie_name(runtime, "erp_sign_in")


def _own_path(text: object) -> str:
    return text if isinstance(text, str) and OWN_PATH.fullmatch(text) else HOME
