"""The process that owns the server: starts it, and stops it when its last user is gone.

Every user holds a shared lock on `users.lock`, which the kernel releases however the user ends. The guardian asks for
the exclusive one; when it has been free for a while, it takes `start.lock`, so that newcomers wait, and stops the server.
It holds `guardian.lock` for its own life: free means that nobody owns a server here. If it is killed, the server follows
(Linux: by parent-death signal; elsewhere the next start ends the orphan).

Standard library only, and started without site-packages, so that it is up in a moment.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from erp_pipelines.server import cluster, locks, passwords, places
from erp_pipelines.server.errors import ForeignDirectoryError, ServerError

if TYPE_CHECKING:
    from collections.abc import Mapping

BUSY = "busy"
ANNOUNCEMENT = "server.json"
_POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Order:
    """What a starter asks of the guardian."""

    data_dir: Path
    bin_dir: Path
    major: int
    options: Mapping[str, str]
    strategies: tuple[str, ...] = places.STRATEGIES
    grace: float = 1.5

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"data_dir": str(self.data_dir), "bin_dir": str(self.bin_dir)})

    @classmethod
    def from_json(cls, text: str) -> Order:
        told: dict[str, Any] = json.loads(text)
        paths = {"data_dir": Path(told["data_dir"]), "bin_dir": Path(told["bin_dir"])}
        return cls(**{**told, **paths, "strategies": tuple(told["strategies"])})


def main() -> None:
    """Become a process of its own, start the server, report one line of JSON on standard output, keep watch."""
    order = Order.from_json(sys.argv[-1])
    os.umask(0o077)
    if not locks.take(locks.open_lock(order.data_dir / "guardian.lock")):
        _report({"error": BUSY})
        return
    if os.fork():  # the starter must not be our parent: it may live long and never wait for us
        os._exit(0)
    log = cluster.Log.open(order.data_dir / "postgres.log")
    try:
        server = _start(order, log)
    except (ServerError, OSError) as error:
        _report({"error": type(error).__name__, "message": str(error)})
        return
    _detach(log)
    _watch(server, order)


def _start(order: Order, log: cluster.Log) -> cluster.Running:
    known = passwords.read(order.data_dir)
    place = places.choose(order.data_dir, order.bin_dir, order.major, strategies=order.strategies, fresh=known is None)
    if not place.exists:
        cluster.make(place, order.major, passwords.make(order.data_dir).superuser, log)
    elif known is None:
        raise ForeignDirectoryError(
            f"{place.cluster} holds data, but its passwords ({passwords.file(order.data_dir)}) are gone. "
            "Bring that file back, or delete the directory to begin anew."
        )
    port_file = order.data_dir / "port"
    server = cluster.start(place, order.options, _remembered(port_file), log)
    port_file.write_text(str(server.port))
    _announce(order.data_dir, {"port": server.port, "directory": str(place.cluster), "strategy": place.strategy})
    return server


def _remembered(port_file: Path) -> int | None:
    try:
        return int(port_file.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _announce(data_dir: Path, server: Mapping[str, object]) -> None:
    """For the starter, and for those who come while the server runs."""
    unfinished = data_dir / f"{ANNOUNCEMENT}.new"
    unfinished.write_text(json.dumps(server))
    unfinished.rename(data_dir / ANNOUNCEMENT)
    _report(server)


def _report(message: Mapping[str, object]) -> None:
    try:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the starter was killed meanwhile; the watch will find nobody
        traceback.print_exc()


def _detach(log: cluster.Log) -> None:
    os.dup2(log.stream.fileno(), 1)
    os.dup2(log.stream.fileno(), 2)


def _watch(server: cluster.Running, order: Order) -> None:
    """Returns when the server has ended: by itself, by SIGTERM to us, or since nobody uses it any more."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: asked.append(number))
    users, starters = (locks.open_lock(order.data_dir / name) for name in ("users.lock", "start.lock"))
    used = time.monotonic()
    while server.process.poll() is None and not asked:
        if not _nobody(users):
            used = time.monotonic()
        elif time.monotonic() - used >= order.grace and _door_closed(users, starters):
            break  # newcomers wait at start.lock until this process is gone
        time.sleep(min(_POLL_SECONDS, order.grace / 4))
    (order.data_dir / ANNOUNCEMENT).unlink(missing_ok=True)
    server.stop()


def _nobody(users: int) -> bool:
    """Whether no user holds the lock just now."""
    if free := locks.take(users):
        locks.release(users)
    return free


def _door_closed(users: int, starters: int) -> bool:
    """Takes start.lock for good if nobody is in the door or has come in."""
    if not locks.take(starters):
        return False
    if not _nobody(users):
        locks.release(starters)
        return False
    return True


if __name__ == "__main__":
    main()
