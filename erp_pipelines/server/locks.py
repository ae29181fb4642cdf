"""Advisory file locks, which the kernel releases when their holder dies, however it dies. Standard library only."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from erp_pipelines.server.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_POLL_SECONDS = 0.02
_held: set[int] = set()


def _forget_in_child() -> None:
    """A forked child shares its parent's lock until it closes its copy; it must not prolong the parent's use."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)


def open_lock(path: Path) -> int:
    """A descriptor to lock; programs that this process starts don't inherit it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def take(descriptor: int, *, shared: bool = False) -> bool:
    """Whether the lock was to be had at once."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def release(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock exclusively."""
    descriptor = open_lock(path)
    try:
        return not take(descriptor, shared=True)
    finally:
        os.close(descriptor)


@contextmanager
def held(path: Path, *, shared: bool = False, timeout: float) -> Iterator[None]:
    """Hold the lock for the block; ServerError when it isn't to be had within `timeout` seconds."""
    descriptor = open_lock(path)
    _held.add(descriptor)
    try:
        _await(descriptor, path, shared=shared, timeout=timeout)
        yield
    finally:
        if descriptor in _held:  # a forked child has closed its copy already
            _held.discard(descriptor)
            os.close(descriptor)


def _await(descriptor: int, path: Path, *, shared: bool, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not take(descriptor, shared=shared):
        if time.monotonic() > deadline:
            raise ServerError(
                f"another process has held {path} for more than {timeout:.0f} s. "
                f"Find it with `fuser {path}`, end it, and try again."
            )
        time.sleep(_POLL_SECONDS)
