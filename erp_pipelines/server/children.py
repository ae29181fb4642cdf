"""One supervised process and its log."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from erp_pipelines.server import leash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ROTATE_ABOVE = 5_000_000
_LOG_LINES = 20
_LAST_SECONDS = 5.0


@dataclass(frozen=True)
class Child:
    """A running or ended process, leader of a session and group of its own."""

    process: subprocess.Popen[bytes]
    log: Path
    log_begin: int
    began: float

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def exit_code(self) -> int | None:
        return self.process.poll()

    def tail(self) -> str:
        """The last lines it wrote since its start."""
        with self.log.open("rb") as file:
            file.seek(self.log_begin)
            return "\n".join(file.read().decode(errors="replace").splitlines()[-_LOG_LINES:])

    def ask_to_end(self) -> None:
        """Kindly, and without waiting for it."""
        leash.signal_group(self.process.pid, signal.SIGTERM)

    def end(self, grace: float) -> str:
        """See to it that the whole group ends, once it was asked to. Returns how it went."""
        try:
            code = self.process.wait(grace)
        except subprocess.TimeoutExpired:
            leash.signal_group(self.process.pid, signal.SIGKILL)
            self.process.wait(_LAST_SECONDS)
            return f"killed after {grace:g} s"
        leash.signal_group(self.process.pid, signal.SIGKILL)  # what it left behind
        return f"exit code {code}"


def launch(name: str, command: Sequence[str], env: Mapping[str, str], log_dir: Path, pipe: int) -> Child:
    """Start the program on the leash, its output appended to its log; a log grown big is put aside."""
    log = log_dir / f"{name}.log"
    if log.exists() and log.stat().st_size > _ROTATE_ABOVE:
        log.replace(log.with_name(f"{log.name}.1"))
    with log.open("ab") as stream:
        begin = stream.tell()
        process = subprocess.Popen(  # noqa: S603 - the supervisor's own services
            leash.service_command(pipe, [*command]),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
            pass_fds=[pipe],
        )
        return Child(process, log, begin, time.monotonic())
