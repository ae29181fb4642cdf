"""Runs local services in order, and lets none outlive it."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Literal, NoReturn, Self

from erp_pipelines.server import leash
from erp_pipelines.server.children import Child, launch
from erp_pipelines.server.errors import PortInUseError, ServerError, ServiceFailed
from erp_pipelines.server.probes import answers, is_taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Service:
    """A program to run beside others.

    `ready` is asked until it answers: "http://..." with a status below 400, "tcp://host:port" with a connection; None
    means ready at once. `ports` are checked to be free before the start, and `port_hint` says what to change if one isn't.
    `parallel` lets the next service start without waiting for this one; `env` is added to the supervisor's own.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: str | None = None
    ready_timeout: float = 60
    parallel: bool = False
    ports: Sequence[int] = ()
    port_hint: str = ""


@dataclass(frozen=True)
class Event:
    """`seconds` counts from the service's start; `detail` is for people."""

    service: str
    kind: Literal["starting", "ready", "stopped", "failed"]
    seconds: float
    detail: str = ""


class Supervisor:
    """Owns the processes of its services, each in a session of its own, its output in `<log_dir>/<name>.log`.

    Leaving the context stops them all; they also end, grandchildren included, when this process is killed.
    To be used from one thread, which is where `on_event` is called.
    """

    def __init__(
        self,
        services: Sequence[Service],
        *,
        log_dir: Path,
        on_event: Callable[[Event], None] = lambda _: None,
        grace: float = 10.0,
    ) -> None:
        self._services = services
        self._log_dir = log_dir
        self._on_event = on_event
        self._grace = grace
        self._children: dict[str, Child] = {}
        self._leash: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pids(self) -> Mapping[str, int]:
        """Of the services started and not yet stopped."""
        return {name: child.process.pid for name, child in self._children.items()}

    def start(self) -> None:
        """Start all in order, each once its predecessors are ready (but see `Service.parallel`).

        Raises ServiceFailed, with the last lines of the log, when one dies or isn't ready in time, and PortInUseError
        before anything of a group is started; those started before run until `stop`.
        """
        self._log_dir.mkdir(parents=True, exist_ok=True)
        for group in groups(self._services):
            for service in group:
                _require_free_ports(service)
            for service in group:
                self._launch(service)
            for service in group:
                self._await_ready(service)

    def check(self) -> None:
        """Raises ServiceFailed if a service has died."""
        for name, child in self._children.items():
            if (code := child.exit_code) is not None:
                self._fail(name, child, f"ended by itself {_how(code)}")

    def stop(self) -> None:
        """Stop all in reverse order, those together that start together: SIGTERM, and after the grace SIGKILL. May be called again."""
        for group in reversed(list(groups(self._services))):
            living = [service.name for service in reversed(group) if service.name in self._children]
            for name in living:
                self._children[name].ask_to_end()
            for name in living:
                self._end(name)
        self._drop_leash()

    def _end(self, name: str) -> None:
        child = self._children[name]
        how = child.end(self._grace)
        self._tell_leash(leash.farewell(child.process.pid))
        del self._children[name]
        self._on_event(Event(name, "stopped", child.seconds, how))

    def _launch(self, service: Service) -> None:
        self._on_event(Event(service.name, "starting", 0.0, " ".join(service.command)))
        child = launch(service.name, service.command, service.env, self._log_dir, self._pipe())
        self._children[service.name] = child

    def _await_ready(self, service: Service) -> None:
        child = self._children[service.name]
        while not (service.ready is None or answers(service.ready)):
            self.check()
            if child.seconds > service.ready_timeout:
                self._fail(service.name, child, f"was not ready ({service.ready}) after {service.ready_timeout:g} s")
            time.sleep(_POLL_SECONDS)
        self.check()  # another program may have answered in a dead one's place
        self._on_event(Event(service.name, "ready", child.seconds, service.ready or ""))

    def _fail(self, name: str, child: Child, what: str) -> NoReturn:
        self._on_event(Event(name, "failed", child.seconds, what))
        raise ServiceFailed(f"{name} {what}. Its log is {child.log}; the last lines:\n{child.tail()}")

    def _pipe(self) -> int:
        """Where services report; the reaper listens at the other end from the first service on."""
        if self._leash is None:
            self._leash = subprocess.Popen(  # noqa: S603 - this interpreter, our own module
                leash.reaper_command(), stdin=subprocess.PIPE, bufsize=0, start_new_session=True
            )
        return _stdin(self._leash).fileno()

    def _tell_leash(self, line: bytes) -> None:
        if self._leash:
            with suppress(BrokenPipeError):  # somebody has killed the reaper
                _stdin(self._leash).write(line)

    def _drop_leash(self) -> None:
        if self._leash:
            _stdin(self._leash).close()
            self._leash.wait()
            self._leash = None


def groups(services: Sequence[Service]) -> Iterator[list[Service]]:
    """Runs of services that start together: each `parallel` one with its successor."""
    group: list[Service] = []
    for service in services:
        group.append(service)
        if not service.parallel:
            yield group
            group = []
    if group:
        yield group


def _require_free_ports(service: Service) -> None:
    for port in service.ports:
        if is_taken(port):
            mend = service.port_hint or "end that program, or choose another port"
            raise PortInUseError(f"{service.name} needs port {port}, but another program listens there: {mend}.")


def _how(code: int) -> str:
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def _stdin(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdin is None:
        raise ServerError("the reaper has no pipe")  # it is always started with one
    return process.stdin
