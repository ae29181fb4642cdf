"""A real process of the product that runs one flow, up to the boundary at which it is to die.

Forked from a server that has imported everything, so that a process costs milliseconds and not seconds.
"""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpcore  # noqa: F401 - httpx imports it at the first transport: here once, not in every fork
import httpx
import structlog

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.bootstrap import SystemClock, build_runtime
from erp_pipelines.domain import catalogue
from erp_pipelines.settings import Settings
from tests.killpoints.boundaries import Boundaries, WatchedTransport, watch_commits
from tests.support.erps import ERPS

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.killpoints.harness"])
PATIENCE_SECONDS = 60
catalogue.own()  # read once by the server, and not by every fork


class AheadClock(SystemClock):
    """The machine's time and some more; sleeping only adds to that."""

    def __init__(self, ahead: dt.timedelta) -> None:
        self._ahead = ahead

    def now(self) -> dt.datetime:
        return super().now() + self._ahead

    def sleep(self, seconds: float) -> None:
        self._ahead += dt.timedelta(seconds=max(seconds, 0))


@dataclass(frozen=True)
class Order:
    """What a process is to do, against which provider, in an account of which habit."""

    provider: str
    flow: str
    environment: dict[str, str]
    given: Any
    kill_at: int | None
    ahead: dt.timedelta
    habit: str = ""


@dataclass(frozen=True)
class Ended:
    """How a process ended and the boundaries it crossed, the one it died at included."""

    killed: bool
    crossed: tuple[str, ...]


def run(order: Order) -> Ended:
    """The process's end. Raises AssertionError, with its output, when it ended in any way but success or our SIGKILL."""
    with tempfile.TemporaryDirectory() as directory:
        crossed, output = Path(directory, "crossed"), Path(directory, "output")
        process = CONTEXT.Process(target=_main, args=(order, str(crossed), str(output)))
        process.start()
        process.join(PATIENCE_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
        names = tuple(crossed.read_text().splitlines()) if crossed.exists() else ()
        killed = process.exitcode == -9 and order.kill_at is not None and len(names) == order.kill_at + 1
        said = output.read_text()[-4000:] if output.exists() else ""
        assert killed or process.exitcode == 0, f"exit code {process.exitcode} after {names[-3:]}:\n{said}"
        return Ended(killed, names)


def _main(order: Order, crossed: str, output: str) -> None:
    # Both import this module.
    from tests.killpoints.flows import FLOWS
    from tests.killpoints.host import Host

    with Path(output).open("w") as out, Path(crossed).open("w", buffering=1) as names:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
        sys.stdout = sys.stderr = out
        logging.basicConfig(force=True)
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(out))
        points = Boundaries(order.kill_at, lambda name: print(name, file=names, flush=True))
        host = Host(_runtime(order, points), ERPS[order.provider])
        FLOWS[order.provider, order.flow].act(host, order.given)


def _runtime(order: Order, points: Boundaries) -> Runtime:
    os.environ.update(order.environment)
    settings, clock = Settings.from_env(), AheadClock(order.ahead)
    # The twin speaks plain HTTP: certificates would only cost time.
    transport = WatchedTransport(httpx.HTTPTransport(verify=False), points.cross)
    runtime = build_runtime(settings, transport=transport, clock=clock)
    watch_commits(runtime.db, points.cross)
    return ERPS[order.provider].set_up(runtime, settings, order.habit, transport)
