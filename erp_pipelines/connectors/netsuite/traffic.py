"""What is under way beside a call: an account that is asked too much at once may refuse the login instead."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from erp_pipelines.connectors.base import Pacer
from erp_pipelines.domain.clock import Clock

# So many slow refusals in a row of calls that were alone are taken for an account that others keep busy.
SLOW_ONES_EXCUSED = 3


@dataclass(eq=False)
class _Turn:
    began: dt.datetime
    alone: bool
    seconds: float = 0.0


@dataclass
class Traffic:
    """Implements `connectors.base.Pacer` over the one that was lent; safe between threads.

    After a refused login, `overloaded` says whether that may be the account's way of saying "too many at once".
    """

    pacer: Pacer
    clock: Clock
    slow_seconds: float
    _under_way: set[_Turn] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _mine: threading.local = field(default_factory=threading.local)
    _slow_ones: int = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self.pacer.turn():
            turn = self._begin()
            try:
                yield
            finally:
                self._end(turn)

    def throttled(self) -> None:
        self.pacer.throttled()

    def answered(self) -> None:
        self.pacer.answered()

    def failed(self) -> None:
        self.pacer.failed()

    def let_in(self) -> None:
        """The last call of this thread was no refused login."""
        self._mine.refused = 0
        with self._lock:
            self._slow_ones = 0

    def overloaded(self) -> bool:
        """Of a login that was just refused: the second one in a row, with a fresh token, and the call was not alone or slow."""
        refused, self._mine.refused = getattr(self._mine, "refused", 0) + 1, 0
        if refused < 2:
            self._mine.refused = refused
            return False
        turn: _Turn = self._mine.turn
        if not turn.alone:
            return True
        with self._lock:
            self._slow_ones += turn.seconds >= self.slow_seconds
            return turn.seconds >= self.slow_seconds and self._slow_ones <= SLOW_ONES_EXCUSED

    def _begin(self) -> _Turn:
        with self._lock:
            turn = _Turn(self.clock.now(), alone=not self._under_way)
            for other in self._under_way:
                other.alone = False
            self._under_way.add(turn)
        return turn

    def _end(self, turn: _Turn) -> None:
        turn.seconds = (self.clock.now() - turn.began).total_seconds()
        self._mine.turn = turn
        with self._lock:
            self._under_way.discard(turn)
