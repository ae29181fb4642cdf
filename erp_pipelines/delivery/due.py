"""What is due, and waiting until something is."""

from __future__ import annotations

import time
from collections.abc import Callable

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage import connections as stored
from erp_pipelines.storage import due, notify
from erp_pipelines.storage.due import Health

# A retry or pause that runs out notifies nobody, so a waiting one looks for itself this often.
LOOK_SECONDS = 1.0
# How soon a waiting one notices that it was told to stop.
STOP_SECONDS = 0.25

__all__ = ["Health", "active", "connections", "count_active", "health", "hear", "is_due", "wait"]


def connections(runtime: Runtime) -> list[ConnectionKey]:
    """Connections with due work that nobody serves, the longest waiting first.

    Those of a provider that is not set up here wait for a machine where it is.
    """
    with runtime.db.system() as conn:
        keys = due.connections(conn, now=runtime.clock.now())
    return [key for key in keys if key.provider in runtime.connectors]


def is_due(runtime: Runtime, key: ConnectionKey) -> bool:
    """Whether this connection has due work, served or not."""
    if key.provider not in runtime.connectors:
        return False
    with runtime.db.tenant(key.tenant_id) as conn:
        return due.is_due(conn, key, now=runtime.clock.now())


def active(runtime: Runtime) -> list[ConnectionKey]:
    """All connections that are connected and can be served here."""
    with runtime.db.system() as conn:
        return [key for key in stored.active_keys(conn) if key.provider in runtime.connectors]


def count_active(runtime: Runtime, *, most: int) -> int:
    """How many connections are connected and can be served here, counted no further than `most`."""
    with runtime.db.system() as conn:
        return stored.count_active(conn, sorted(runtime.connectors), most=most)


def health(runtime: Runtime, tenant_id: str | None = None) -> list[Health]:
    """The state of each connection, of one tenant or of all."""
    scope = runtime.db.tenant(tenant_id) if tenant_id else runtime.db.system()
    with scope as conn:
        return due.health(conn, now=runtime.clock.now(), tenant_id=tenant_id)


def never() -> bool:
    return False


def wait(
    runtime: Runtime,
    seconds: float,
    *,
    key: ConnectionKey | None = None,
    stop: Callable[[], bool] = never,
    look_seconds: float = LOOK_SECONDS,
) -> bool:
    """Wait until something is due, for `key` or for anyone unserved: True; False when the time is over or `stop` says so.

    Returns within milliseconds of the commit. Holds no transaction and no lock meanwhile.
    """
    ends = time.monotonic() + seconds
    with notify.listening(runtime.db) as listener:
        while True:
            if is_due(runtime, key) if key else connections(runtime):
                return True
            if not _next_look(listener, min(ends, time.monotonic() + look_seconds), ends, key, stop):
                return False


def hear(runtime: Runtime, tell: Callable[[str], None], stop: Callable[[], bool]) -> None:
    """Tell of each connection, by its key as text, within milliseconds of a commit that gave it work; until `stop` says so.

    Raises DatabaseDown when the session ends.
    """
    with notify.listening(runtime.db) as listener:
        while not stop():
            if (key := listener.wait(STOP_SECONDS)) is not None:
                tell(key)


def _next_look(
    listener: notify.Listener, look_at: float, ends: float, key: ConnectionKey | None, stop: Callable[[], bool]
) -> bool:
    """True when it is time to look again: something was told, or a while has passed; False at the end."""
    while not stop() and time.monotonic() < ends:
        left = look_at - time.monotonic()
        if left <= 0:
            return True
        told = listener.wait(min(left, STOP_SECONDS))
        if told is not None and (key is None or told == str(key)):
            return True
    return False
