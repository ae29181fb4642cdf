"""Around every request: its id, its figures, safe headers, and nothing of an unforeseen error let out."""

from __future__ import annotations

import re
import time
import traceback
import uuid

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from erp_pipelines import tracing
from webhook_api.metrics import Metrics
from webhook_api.problems import problem

log = structlog.get_logger("erp.web")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Defaults: a page may send others of its own.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# The largest order has thousands of lines; what is larger is no record of anybody's.
LARGEST_BODY = 10_000_000
HSTS = "max-age=31536000"


class Envelope:
    """ASGI middleware; the outermost of the app's own."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, https: bool) -> None:
        self._app = app
        self._metrics = metrics
        headers = HEADERS | ({"Strict-Transport-Security": HSTS} if https else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request.state.request_id = request_id = _request_id(request)
        parent = request.headers.get("traceparent")
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            tracing.span("request", kind="server", parent=parent) as span,
        ):
            status = await self._serve(request, receive, send)
            span.rename(f"{request.method} {_route(request)}")
            span.set(
                {
                    "http.request.method": request.method,
                    "http.response.status_code": status,
                    "erp.request_id": request_id,
                }
            )

    async def _serve(self, request: Request, receive: Receive, send: Send) -> int:
        """The status that was answered."""
        started, status, size = time.perf_counter(), 0, 0

        async def receiving() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_BODY:
                raise HTTPException(413)
            return message

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(message["headers"], request.state.request_id)
            await send(message)

        try:
            await self._app(request.scope, receiving, sending)
        except Exception as error:  # noqa: BLE001  nothing of it may reach the caller, whatever it is
            _report(request, error)
            if status:  # too late to say anything else
                return status
            await problem(request, 500, "internal-error", "Something went wrong. It was logged under the request id.")(
                request.scope, receive, sending
            )
        finally:
            self._metrics.request(request.method, _route(request), status, time.perf_counter() - started)
        return status

    def _complete(self, headers: list[tuple[bytes, bytes]], request_id: str) -> None:
        given = {name for name, _ in headers}
        headers.append((b"x-request-id", request_id.encode()))
        headers.extend(header for header in self._headers if header[0] not in given)


def _request_id(request: Request) -> str:
    """The caller's, where it is a plain word; else a new one."""
    given = request.headers.get("X-Request-ID", "")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _route(request: Request) -> str:
    """The template, never the path: ids would make a series each."""
    return getattr(request.scope.get("route"), "path", "unmatched")


def _report(request: Request, error: Exception) -> None:
    """Where it happened, without the error's text: that may hold parameters of a statement or a body."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    log.error("unexpected error", error=type(error).__name__, method=request.method, route=_route(request), where=where)
