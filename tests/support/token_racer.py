"""A process that uses a connection's tokens again and again, and may die at a named boundary."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx

from erp_pipelines.access import connections
from erp_pipelines.access.tokens import StoredTokenSource
from erp_pipelines.bootstrap import build_runtime
from erp_pipelines.domain.errors import PipelineError
from erp_pipelines.settings import Settings
from tests.killpoints.boundaries import WatchedTransport, watch_commits
from tests.support.stage import KEY


class DeathAt:
    """SIGKILL at the first boundary of that name; `after` one must have been crossed before."""

    def __init__(self, name: str, after: str) -> None:
        self._name, self._after, self._armed = name, after, not after

    def cross(self, name: str) -> None:
        if self._armed and name == self._name:
            os.kill(os.getpid(), signal.SIGKILL)
        self._armed = self._armed or name == self._after


def race(environment: dict[str, str], url: str, uses: int, death: tuple[str, str] | None, report: str) -> None:
    """Use a token `uses` times; what went wrong is written to the file `report`."""
    os.environ.update(environment)
    crossing = DeathAt(*death) if death else DeathAt("", "")
    runtime = build_runtime(
        Settings.from_env(), transport=WatchedTransport(httpx.HTTPTransport(verify=False), crossing.cross)
    )
    watch_commits(runtime.db, crossing.cross)
    row = connections.status(runtime, KEY).row
    assert row is not None
    for _ in range(uses):
        # A source of its own each time, as another worker would have: nothing is remembered.
        source = StoredTokenSource(runtime, KEY, row.id)
        try:
            _use(source, url)
        except PipelineError as error:
            with Path(report).open("a") as lines:
                lines.write(f"{type(error).__name__}: {error.message}\n")


def _use(source: StoredTokenSource, url: str) -> None:
    """One call to the ERP, with the one renewal after a 401 that every caller has."""
    token = source.access_token()
    if _call(url, token) == 401:
        again = _call(url, source.access_token(rejected=token))
        if again == 401:  # it lived for a second only and was second in line
            _call(url, source.access_token())


def _call(url: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    return httpx.get(url, headers=headers, verify=False, trust_env=False).status_code
