"""Errors as RFC 9457 problem details. What a caller sent is never echoed, and an unforeseen error shows nothing."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from erp_pipelines.access.intake import SignatureInvalid
from erp_pipelines.domain import errors
from erp_pipelines.domain.outcomes import explain
from erp_pipelines.storage.engine import StorageDown, Unstorable
from webhook_api.auth import Forbidden, KeysUnavailable, Unauthenticated
from webhook_api.limits import TooManyRequests

log = structlog.get_logger("erp.web")
MEDIA_TYPE = "application/problem+json"
TYPE = "urn:erp-pipelines:problem:"
# The first class that fits decides.
STATUSES: tuple[tuple[type[errors.PipelineError], int], ...] = (
    (Unauthenticated, 401),
    (SignatureInvalid, 401),
    (Forbidden, 403),
    (TooManyRequests, 429),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.RecordInvalid, 422),
    (errors.ConsentRefused, 400),
    (errors.DatabaseDown, 503),
    (errors.LockLost, 503),
    (KeysUnavailable, 503),
    (errors.Throttled, 503),
    (errors.Transient, 502),
    (errors.ConnectionLost, 409),
    (errors.RequirementMissing, 409),
    (errors.Rejected, 422),
)
HINTS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}


def install(app: FastAPI) -> None:
    """Every error of the app leaves as a problem; what no handler here knows is left to `middleware`."""
    app.add_exception_handler(errors.PipelineError, _known)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    for away in StorageDown:
        app.add_exception_handler(away, _database)
    app.add_exception_handler(Unstorable, _unstorable)


def problem(request: Request, status: int, code: str, detail: str = "", **more: Any) -> JSONResponse:
    """One problem; `code` is stable, `detail` is for people."""
    request_id = getattr(request.state, "request_id", None)
    body = {
        "type": TYPE + code, "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code,
        "instance": request.url.path, "requestId": request_id,
    }  # fmt: skip
    return JSONResponse(body | more, status, HINTS.get(status), MEDIA_TYPE)


def status_of(error: errors.PipelineError) -> int:
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def of(request: Request, error: errors.PipelineError) -> JSONResponse:
    """A domain error; its own texts are made for people and hold no secret."""
    more: dict[str, Any] = {}
    if isinstance(error, errors.RecordInvalid) and error.field:
        more["field"] = error.field
    if isinstance(error, errors.ErpError):
        why = explain(error)
        more |= {"cause": why.cause, "owner": why.owner, "retriable": why.retriable}
        more["inDoubt"] = isinstance(error, errors.AnswerLost)
        more["help"] = f"/console/causes#{why.cause}"
    answer = problem(request, status_of(error), error.code, str(error), **more)
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = error.retry_after
    return answer


async def _known(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, errors.PipelineError):
        raise error
    status = status_of(error)
    if status >= 500:
        log.error("request failed", error=type(error).__name__, reason=error.message, status=status)
    return of(request, error)


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    """Where and why, without what was sent: it may be personal, or a secret in the wrong place."""
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [{"field": _path(fault["loc"]), "message": fault["msg"]} for fault in error.errors()]
    first = f"{faults[0]['field']}: {faults[0]['message']}." if faults else ""
    return problem(request, 422, "request-invalid", first, errors=faults)


def _path(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in location if part != "body") or "body"


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    answer = problem(request, status, status.phrase.lower().replace(" ", "-"), status.description)
    answer.headers.update(error.headers or {})
    return answer


async def _database(request: Request, error: Exception) -> JSONResponse:
    log.error("database trouble", error=type(getattr(error, "orig", error)).__name__)
    return problem(request, 503, errors.DatabaseDown.code, "The database did not answer. Try again soon.")


async def _unstorable(request: Request, error: Exception) -> JSONResponse:
    log.warning("value refused by the database", error=type(getattr(error, "orig", error)).__name__)
    return problem(request, 422, "request-invalid", "A value cannot be stored: too large, or with a zero byte in it.")
