"""The front door of a twin on a real socket, with its webhook deliverer and its state file."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from erp_twins.base import Twin
from erp_twins.deliver import Deliverer
from erp_twins.http import Request, Response
from erp_twins.quickbooks import QuickBooksTwin

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Close = Callable[[], None]

_THREADS = 64
_SAVE_SECONDS = 0.25


class ClosableProtocol(H11Protocol):
    """Hands the application the means to close its TCP connection: `scope["extensions"]["twin.close"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does so only for sockets that name their protocol; without it, an answer's body waits 40 ms for an ACK.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        app = self.app

        async def closable(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})["twin.close"] = transport.close
            await app(scope, receive, send)

        self.app = closable


class TwinApp:
    """ASGI application: every request goes to `handle` in a thread of its own pool."""

    def __init__(self, twin: Twin[Any]) -> None:
        self._twin = twin
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="twin")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = await _request(scope, receive)
        answer = await asyncio.get_running_loop().run_in_executor(self._pool, self._twin.handle, request)
        if answer.ending == "whole":
            await _send_whole(answer, send)
        else:
            await _break_off(answer, scope, receive, send)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


async def _request(scope: Scope, receive: Receive) -> Request:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    base = f"{scope['scheme']}://{headers.get('host', 'localhost')}"
    return Request(scope["method"], scope["path"], query, headers, body, base, scope["raw_path"].decode("latin-1"))


def _start(answer: Response) -> MutableMapping[str, Any]:
    pairs = [*answer.headers, ("content-length", str(len(answer.body)))]
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


async def _send_whole(answer: Response, send: Send) -> None:
    await send(_start(answer))
    await send({"type": "http.response.body", "body": answer.body})


async def _break_off(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Close the connection after half an answer ("cut") or none at all."""
    if answer.ending == "cut":
        await send(_start(answer))
        await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
    scope["extensions"]["twin.close"]()
    while (await receive())["type"] != "http.disconnect":
        pass


class TwinServer:
    """A twin (QuickBooks unless told otherwise) on a loopback port, in threads of this process: `with TwinServer() as server`.

    `state` names a file that is loaded at the start and saved within half a second after a change and at the end.
    `deliver` False leaves the webhooks in the twin, to be fetched with `pending_webhooks`.
    """

    def __init__(
        self,
        twin: Twin[Any] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        state: Path | str | None = None,
        deliver: bool = True,
    ) -> None:
        self.twin: Twin[Any] = twin or QuickBooksTwin()
        self._host, self._port = host, port
        self._state = Path(state) if state else None
        self._deliverer = Deliverer(self.twin) if deliver and isinstance(self.twin, QuickBooksTwin) else None
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._saved = -1

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    def start(self) -> Self:
        """Listen. Raises OSError when the port is taken; answers once this returns."""
        if self._state and self._state.exists():
            self.twin.load_state(self._state.read_text(encoding="utf-8"))
        self._socket = socket.create_server((self._host, self._port), backlog=256)
        self._port = self._socket.getsockname()[1]
        self._app = TwinApp(self.twin)
        self._server = uvicorn.Server(_config(self._app))
        self._run("twin-http", self._serve)
        self._run("twin-state", self._keep_saving)
        if self._deliverer:
            self._deliverer.start()
        return self

    def _run(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Stop listening, end the threads, save the state."""
        self._stopping.set()
        if self._deliverer:
            self._deliverer.stop()
        self._server.should_exit = True
        for thread in self._threads:
            thread.join(timeout=10)
        self._socket.close()
        self._app.close()
        self.save()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- the state file ---

    def _keep_saving(self) -> None:
        while not self._stopping.wait(_SAVE_SECONDS):
            if self.twin.version != self._saved:
                self.save()

    def save(self) -> None:
        """Write the state file, whole or not at all."""
        if not self._state:
            return
        version = self.twin.version
        self._state.parent.mkdir(parents=True, exist_ok=True)
        draft = self._state.with_name(self._state.name + ".draft")
        draft.write_text(self.twin.dump_state(), encoding="utf-8")
        draft.replace(self._state)
        self._saved = version


def _config(app: TwinApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=ClosableProtocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
