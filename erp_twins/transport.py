"""A twin behind an httpx client, without sockets: `httpx.MockTransport(twin_handler(twin))`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import httpx

from erp_twins.http import Request, Response


class Twin(Protocol):
    """Anything that answers requests; see `QuickBooksTwin.handle` for what `patience` means."""

    def handle(self, request: Request, patience: float | None = None) -> Response: ...


def twin_handler(twin: Twin) -> Callable[[httpx.Request], httpx.Response]:
    """A handler for `httpx.MockTransport`, good for sync and async clients.

    Broken connections become httpx's own exceptions: ReadTimeout, RemoteProtocolError, ConnectError. Nothing sleeps: a fault
    slower than the client's read timeout times out at once.
    """

    def handle(request: httpx.Request) -> httpx.Response:
        answer = twin.handle(_request(request), _patience(request))
        _break(answer, request)
        return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body)

    return handle


def _patience(request: httpx.Request) -> float:
    read = request.extensions.get("timeout", {}).get("read")
    return float("inf") if read is None else float(read)


def _request(request: httpx.Request) -> Request:
    url = request.url
    base = f"{url.scheme}://{url.netloc.decode()}"
    return Request.make(request.method, base + url.raw_path.decode(), dict(request.headers), request.read())


def _break(answer: Response, request: httpx.Request) -> None:
    if answer.ending == "timeout":
        raise httpx.ReadTimeout("The read operation timed out", request=request)
    if answer.ending == "refuse":
        raise httpx.ConnectError("Connection refused", request=request)
    if answer.ending == "drop":
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
    if answer.ending == "cut":
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body", request=request)
