"""A pace for callers who need no token, kept in this process: it guards the machine, not a quota."""

from __future__ import annotations

import threading
import time

from erp_pipelines.domain.errors import PipelineError

MOST_CALLERS = 10_000


class TooManyRequests(PipelineError):
    """Asked too often; `retry_after` is the header: the seconds until it may be asked again."""

    code = "too-many-requests"

    def __init__(self, seconds: float) -> None:
        self.retry_after = str(int(seconds) + 1)
        super().__init__("Too many requests a minute.", mend=f"Try again in {self.retry_after} s.")


class Pace:
    """The generic cell rate algorithm: `per_minute` on average and `burst` at once, for each caller. Thread-safe."""

    def __init__(self, *, per_minute: float, burst: int) -> None:
        self._gap = 60 / per_minute
        self._room = self._gap * burst
        self._free_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, caller: str, now: float | None = None) -> float:
        """Zero when the call may go on, else the seconds until it might."""
        moment = time.monotonic() if now is None else now
        with self._lock:
            free_at = max(self._free_at.get(caller, moment), moment)
            if free_at + self._gap - moment > self._room:
                return free_at + self._gap - moment - self._room
            self._forget(moment)
            self._free_at[caller] = free_at + self._gap
            return 0

    def check(self, caller: str) -> None:
        """Raises TooManyRequests when the call must wait."""
        if seconds := self.wait(caller):
            raise TooManyRequests(seconds)

    def _forget(self, moment: float) -> None:
        """Callers whose time has passed need no entry."""
        if len(self._free_at) >= MOST_CALLERS:
            self._free_at = {caller: at for caller, at in self._free_at.items() if at > moment}
