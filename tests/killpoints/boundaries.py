"""Every point of a process at which something outside of it has just changed, or is about to.

Found through ordinary seams only: the commits of the runtime's engine and the requests on its HTTP transport. A new
commit or call anywhere in the product is a new boundary here by itself.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from erp_pipelines.connectors.http import HttpRequest, HttpResponse, Transport
from erp_pipelines.storage.engine import Database

Cross = Callable[[str], None]


class Boundaries:
    """Counts boundaries as they are crossed, and dies by SIGKILL at one of them."""

    def __init__(self, kill_at: int | None, note: Cross) -> None:
        self._kill_at, self._note, self._crossed = kill_at, note, 0

    def cross(self, name: str) -> None:
        self._note(name)
        if self._crossed == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self._crossed += 1


def watch_commits(database: Database, cross: Cross) -> None:
    """Cross one boundary before and one after each commit that the database's engine makes."""
    dialect: Any = database.engine.dialect
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:
        cross("before a commit")
        commit(connection)
        cross("after a commit")

    dialect.do_commit = do_commit


class WatchedTransport(Transport):
    """Crosses a boundary before a request leaves, when its last byte is on the wire, and when its answer is there."""

    def __init__(self, inner: Transport, cross: Cross) -> None:
        self._inner, self._cross = inner, cross

    def handle_request(self, request: HttpRequest) -> HttpResponse:
        name = f"{request.method} {request.url.path.rsplit('/', 1)[-1]}"
        self._cross(f"before {name}")

        def trace(event: str, _: Any) -> None:
            if event == "http11.send_request_body.complete":
                self._cross(f"{name} sent")

        request.extensions["trace"] = trace
        answer = self._inner.handle_request(request)
        answer.read()
        self._cross(f"{name} answered")
        return answer

    def close(self) -> None:
        self._inner.close()
