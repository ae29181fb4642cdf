"""One PostgreSQL data directory: made, started, stopped. Standard library only."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from erp_pipelines.server.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from erp_pipelines.server.places import Place

HOST = "127.0.0.1"
SUPERUSER = "postgres"
_PORTS = range(20_000, 32_000)  # below those that outgoing connections take
_PORT_ATTEMPTS = 20
_START_SECONDS = 60.0
_LEFTOVER_SECONDS = 15.0
_LOG_LINES = 20


@dataclass(frozen=True)
class Log:
    """The server's log; `tail` gives what was written since this object was made."""

    path: Path
    stream: IO[bytes]
    begin: int = field(default=0)

    @classmethod
    def open(cls, path: Path, rotate_above: int = 5_000_000) -> Log:
        if path.exists() and path.stat().st_size > rotate_above:
            path.replace(path.with_name(f"{path.name}.1"))
        stream = os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab", buffering=0
        )
        return cls(path, stream, path.stat().st_size)

    def here(self) -> Log:
        return Log(self.path, self.stream, self.path.stat().st_size)

    def tail(self) -> str:
        with self.path.open("rb") as file:
            file.seek(self.begin)
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])

    def failure(self, what: str) -> StartError:
        tail = self.tail()
        full = "No space left on device" in tail
        mend = "The disk is full: make room and start again." if full else f"The whole log is {self.path}."
        return StartError(f"{what}. {mend} Its last lines:\n{tail}")


# --- making -------------------------------------------------------------------


def make(place: Place, major: int, password: str, log: Log) -> None:
    """A cluster in `place`, all or nothing: a half-made one of an earlier, killed attempt is cleared."""
    unfinished = place.cluster.with_name(f"{place.cluster.name}.new")
    secret = place.cluster.with_name(f"{place.cluster.name}.pw")
    shutil.rmtree(unfinished, ignore_errors=True)
    secret.unlink(missing_ok=True)
    unfinished.mkdir(mode=0o700)
    os.chown(unfinished, *place.runner.owner)
    try:
        _hand_over(secret, password, place.runner.owner)
        _initdb(place, major, unfinished, secret, log)
    finally:
        secret.unlink(missing_ok=True)
    unfinished.rename(place.cluster)


def _hand_over(secret: Path, password: str, owner: tuple[int, int]) -> None:
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        os.fchown(file.fileno(), *owner)
        file.write(password)


def _initdb(place: Place, major: int, directory: Path, secret: Path, log: Log) -> None:
    command = [str(place.bin_dir / "initdb"), "-D", str(directory), "-U", SUPERUSER, f"--pwfile={secret}"]
    command += [
        "--auth-local=scram-sha-256",
        "--auth-host=scram-sha-256",
        "--data-checksums",
        "-N",
        "-E",
        "UTF8",
        "--no-instructions",
    ]
    started = log.here()
    if place.runner.start([*command, *locale_options(major)], log.stream).wait():
        raise started.failure(f"initdb could not make {directory}")


def locale_options(major: int) -> list[str]:
    """Unicode-aware and the same on every machine, where the version knows how (17)."""
    if major >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"] if sys.platform == "linux" else ["--locale=C", "--lc-ctype=UTF-8"]


# --- starting -----------------------------------------------------------------


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen[bytes]
    port: int

    def stop(self, patience: float = 20.0) -> None:
        """Fast shutdown, then harder ones; returns when the server is gone."""
        for how, seconds in ((signal.SIGINT, patience), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            self.process.send_signal(how)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return


def start(place: Place, options: Mapping[str, str], remembered_port: int | None, log: Log) -> Running:
    """A server that accepts connections, on the remembered port if that is free. StartError tells why not."""
    clear_leftovers(place.cluster)
    deadline = time.monotonic() + _LEFTOVER_SECONDS
    ports = _free_ports(remembered_port)
    port = next(ports)
    while True:
        attempt = log.here()
        process = place.runner.start(_command(place, port, options), log.stream, death_signal=signal.SIGINT)
        if _became_ready(process, place.cluster, attempt):
            return Running(process, port)
        said = attempt.tail()
        if "could not bind" in said:  # taken since we looked
            port = next(ports)
        elif "is still in use" not in said or time.monotonic() > deadline:
            raise attempt.failure(f"PostgreSQL did not start on {place.cluster}, port {port}")
        else:  # the backends of a killed server need a moment to notice
            time.sleep(0.2)


def _command(place: Place, port: int, options: Mapping[str, str]) -> list[str]:
    settings = {
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",  # its path could be too long, or closed to the account
        "max_connections": "200",
        "timezone": "UTC",
        "log_timezone": "UTC",
        **options,
    }
    given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [str(place.bin_dir / "postgres"), "-D", str(place.cluster), *given]


def _became_ready(process: subprocess.Popen[bytes], cluster: Path, log: Log) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None:
        if pid_file(cluster)[7:8] == ["ready"]:
            return True
        if time.monotonic() > deadline:
            Running(process, 0).stop(patience=1)
            raise log.failure(f"PostgreSQL on {cluster} was not ready after {_START_SECONDS:.0f} s")
        time.sleep(0.02)
    return False


def _free_ports(remembered: int | None) -> Iterator[int]:
    if remembered is not None and _is_free(remembered):
        yield remembered
    for port in random.sample(_PORTS, _PORT_ATTEMPTS):
        if _is_free(port):
            yield port
    raise StartError(f"no free port between {_PORTS.start} and {_PORTS.stop} in {_PORT_ATTEMPTS} attempts")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


# --- what killed servers leave behind -----------------------------------------


def pid_file(cluster: Path) -> list[str]:
    """The lines of the server's own account of itself: pid first, port fourth, status eighth. Empty when absent."""
    try:
        return [line.strip() for line in (cluster / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def clear_leftovers(cluster: Path) -> None:
    """Ends a server that outlived its guardian, and removes the pid file of a dead one.

    The caller knows that no guardian lives. PostgreSQL alone would believe a pid that another program got since.
    """
    deadline = time.monotonic() + _LEFTOVER_SECONDS
    while (lines := pid_file(cluster)) and _serves(pid := int(lines[0]), cluster):
        overdue = time.monotonic() > deadline
        os.kill(pid, signal.SIGKILL if overdue else signal.SIGINT)
        time.sleep(0.1)
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _serves(pid: int, cluster: Path) -> bool:
    """Whether the process is a server on this directory; pids are given again."""
    if Path("/proc/self/cmdline").exists():
        try:
            return os.fsencode(cluster) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return False
    asked = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - macOS
    return str(cluster) in asked.stdout
