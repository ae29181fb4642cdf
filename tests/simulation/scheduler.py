"""Threads that run one at a time, in an order that a seed decides.

An actor has the baton until it reaches a yield point; then the scheduler picks who goes on. So two runs of a seed do
the same things in the same order, however fast the machine is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

PATIENCE_SECONDS = 60


class Killed(BaseException):
    """The death of a simulated process. No code of the product may catch it."""


class Actor:
    """One thread of the simulation."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.name, self._work = name, work
        self.alive, self.doomed = True, False
        self.error: BaseException | None = None
        self._mine, self._theirs = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def resume(self) -> None:
        """Give it the baton until its next yield point or its end. Raises what the product should never have raised."""
        self._mine.release()
        if not self._theirs.acquire(timeout=PATIENCE_SECONDS):
            raise AssertionError(f"{self.name} does not come back: it waits for something outside of the simulation.")
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def kill(self) -> None:
        """It dies at the point where it stands."""
        self.doomed = True
        while self.alive:
            self.resume()

    def pause(self) -> None:
        """Called by the actor itself, at a yield point."""
        self.check()
        self._theirs.release()
        self._mine.acquire()
        self.check()

    def check(self) -> None:
        if self.doomed:
            raise Killed(self.name)

    def _run(self) -> None:
        self._mine.acquire()
        try:
            self._work()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to the scheduler's thread
            self.error = error
        self.alive = False
        self._theirs.release()
