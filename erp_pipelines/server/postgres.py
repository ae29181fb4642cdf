"""An embedded PostgreSQL for development, demo and tests: shared by all who ask for the same data directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from erp_pipelines.server import binaries as programs
from erp_pipelines.server import guardian, locks, passwords, places, roles
from erp_pipelines.server.accounts import name_of
from erp_pipelines.server.cluster import HOST, SUPERUSER
from erp_pipelines.server.errors import ForeignDirectoryError, ServerError, StartError, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Told = dict[str, Any]

_START_SECONDS = 120.0
_SETTLE_SECONDS = 30.0
# Without site-packages, whose start-up files would cost more than all the rest.
_GUARDIAN = "import sys; sys.path.insert(0, sys.argv[1]); from erp_pipelines.server.guardian import main; main()"
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class EmbeddedServer:
    """A running server. `directory` holds its data; passwords don't show in its repr."""

    host: str
    port: int
    directory: Path
    passwords: passwords.Passwords = field(repr=False)

    def url(self, database: str) -> str:
        """As the ordinary role `erp`, who owns the databases and is no superuser."""
        return self._url(roles.ROLE, self.passwords.erp, database)

    def admin_url(self, database: str = "postgres") -> str:
        """As superuser: to create and drop databases in tests."""
        return self._url(SUPERUSER, self.passwords.superuser, database)

    def _url(self, role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{password}@{self.host}:{self.port}/{database}"


@dataclass(frozen=True)
class Tuning:
    """What tests vary: how the server leaves root behind, and how long it waits for the next user."""

    strategies: tuple[str, ...] = places.STRATEGIES
    grace: float = 1.5


@contextmanager
def running(
    data_dir: Path,
    *,
    databases: Sequence[str] = ("erp", "dagster"),
    options: Mapping[str, str] | None = None,
    binaries: Path | None = None,
    _tuning: Tuning | None = None,
) -> Iterator[EmbeddedServer]:
    """A server on `data_dir`, with these databases, for as long as the block runs.

    Any number of processes may ask for the same directory at once; the first one's `options` (names and values as in
    postgresql.conf) hold. The server stops soon after the last of them has left or died, `kill -9` included.
    `binaries` is the directory of PostgreSQL's programs; unset, they are looked for. Under root, the server runs as a
    service account (see `places`). Raises ServerError, whose text says what to do.
    """
    data_dir = _prepared(data_dir)
    with ExitStack() as use:
        with locks.held(data_dir / "start.lock", timeout=_START_SECONDS):
            use.enter_context(locks.held(data_dir / "users.lock", shared=True, timeout=_START_SECONDS))
            start = partial(_start, data_dir, options or {}, binaries, _tuning or Tuning())
            server = _find_or_start(data_dir, databases, start)
        yield server


def wait_stopped(data_dir: Path, timeout: float = 20.0) -> bool:
    """Whether the directory's server is gone, waiting for it; after that, the directory can be removed."""
    deadline, lock = time.monotonic() + timeout, data_dir / "guardian.lock"
    while lock.exists() and locks.is_held(lock):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _prepared(data_dir: Path) -> Path:
    """The directory, made if need be. Its lock file tells whose it is."""
    data_dir, me = data_dir.resolve(), os.geteuid()
    lock = data_dir / "users.lock"
    try:
        _make(data_dir)
        maker = lock.stat().st_uid if lock.exists() else me
    except OSError as error:
        raise ServerError(
            f"{data_dir} can't hold a server of {name_of(me)}: {error.strerror}. Choose another ERP_DATA_DIR."
        ) from error
    if maker != me:
        raise ForeignDirectoryError(
            f"{data_dir} belongs to {name_of(maker)}, and this is {name_of(me)}. "
            "Run as its owner, choose another ERP_DATA_DIR, or delete it."
        )
    return data_dir


def _make(data_dir: Path) -> None:
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    try:
        data_dir.mkdir(mode=0o700)
    except FileExistsError:
        return
    if os.geteuid() == 0:
        data_dir.chmod(0o711)  # the service account must pass through to its own directory


def _find_or_start(data_dir: Path, databases: Sequence[str], start: Callable[[], Told | None]) -> EmbeddedServer:
    """The caller holds start.lock, so nobody else starts the server, or stops it for want of users, meanwhile."""
    deadline, trouble = time.monotonic() + _SETTLE_SECONDS, ""
    while True:
        told = _announced(data_dir) if locks.is_held(data_dir / "guardian.lock") else start()
        if told and (known := passwords.read(data_dir)):
            server = EmbeddedServer(HOST, told["port"], Path(told["directory"]), known)
            try:
                roles.ensure(server.admin_url(), known.erp, databases)
            except psycopg.OperationalError as error:  # its guardian was killed just now, and it is about to end
                trouble = f" It says: {error}"
            else:
                return server
        if time.monotonic() > deadline:
            raise StartError(f"the server on {data_dir} is neither up nor gone.{trouble} See {data_dir}/postgres.log.")
        time.sleep(0.05)


def _announced(data_dir: Path) -> Told | None:
    try:
        told: Told = json.loads((data_dir / guardian.ANNOUNCEMENT).read_text())
    except FileNotFoundError:
        return None
    return told


def _start(data_dir: Path, options: Mapping[str, str], bin_dir: Path | None, tuning: Tuning) -> Told | None:
    """What the new guardian tells about its server, None if another guardian was quicker."""
    (data_dir / guardian.ANNOUNCEMENT).unlink(missing_ok=True)  # a killed guardian's
    bin_dir = programs.find(bin_dir)
    order = guardian.Order(data_dir, bin_dir, programs.major(bin_dir), dict(options), tuning.strategies, tuning.grace)
    text = _ask_guardian(order)
    try:
        told: Told = json.loads(text)
    except ValueError:
        raise StartError(f"the guardian of {data_dir} died while starting PostgreSQL:\n{text}") from None
    if told.get("error") == guardian.BUSY:
        return None
    if "error" in told:
        raise named(told["error"], told["message"])
    return told


def _ask_guardian(order: guardian.Order) -> str:
    """Its report of one line; if it broke, everything it said."""
    command = [sys.executable, "-I", "-S", "-c", _GUARDIAN, str(_ROOT), order.to_json()]
    with subprocess.Popen(  # noqa: S603 - this interpreter, our own module
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        start_new_session=True,  # a terminal's Ctrl-C is for the user of the server
    ) as process:
        if process.stdout is None:  # never with PIPE
            return ""
        line = process.stdout.readline()
        return line if line.startswith("{") else line + process.stdout.read()
