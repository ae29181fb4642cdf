"""How no service outlives its supervisor, not even a killed one. Standard library only, started without site-packages.

The supervisor holds the writing end of a pipe, the reaper reads it. Each service writes its process group's number there
before it becomes its program; the end of the pipe is the supervisor's end, and the reaper then ends the groups. Unlike a
parent-death signal this reaches grandchildren, works on every system, and doesn't depend on which thread started what.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from pathlib import Path

_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from erp_pipelines.server import leash; leash.{}()"
_ROOT = str(Path(__file__).resolve().parents[2])
_GRACE_SECONDS = 5.0


def reaper_command() -> list[str]:
    return [sys.executable, "-I", "-S", "-c", _BOOT.format("reap"), _ROOT]


def service_command(pipe: int, command: list[str]) -> list[str]:
    """The command, put on the leash whose pipe the process inherits."""
    return [sys.executable, "-I", "-S", "-c", _BOOT.format("become"), _ROOT, str(pipe), *command]


def farewell(group: int) -> bytes:
    """What tells the reaper that a group has ended, and its number may mean somebody else."""
    return b"-%d\n" % group


def become() -> None:
    """Report, undo what an interpreter and a background shell do to signals, and become the program."""
    pipe, command = int(sys.argv[2]), sys.argv[3:]
    os.write(pipe, b"+%d\n" % os.getpid())  # fails when the reaper is gone: then nothing may start
    os.close(pipe)
    # Dagster ignores SIGTERM where it finds SIGINT ignored, as in a non-interactive shell's `&`.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    try:
        os.execvp(command[0], command)  # noqa: S606 - what the supervisor was told to run
    except OSError as error:
        sys.exit(f"{command[0]} can't be run: {error.strerror}")


def reap() -> None:
    """Wait for the supervisor's end, then end what it left behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the supervisor's end counts
    groups = _left_behind(os.getppid())
    _signal_all(groups, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while groups and time.monotonic() < deadline:
        time.sleep(0.05)
        groups = {group for group in groups if exists(group)}
    _signal_all(groups, signal.SIGKILL)


def _left_behind(supervisor: int) -> set[int]:
    """The groups that stand on the leash when the supervisor has ended."""
    groups: set[int] = set()
    unread = b""
    while True:
        # A forked copy of the supervisor would keep the pipe open; our parent's number tells its end then.
        if select.select([0], [], [], 0.5)[0]:
            if not (data := os.read(0, 65536)):
                return groups
            *lines, unread = (unread + data).split(b"\n")
            for line in lines:
                (groups.add if line.startswith(b"+") else groups.discard)(int(line[1:]))
        elif os.getppid() != supervisor:
            return groups


def _signal_all(groups: set[int], number: int) -> None:
    for group in groups:
        signal_group(group, number)


def signal_group(group: int, number: int) -> None:
    """Nothing happens when the group has ended."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return


def exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
