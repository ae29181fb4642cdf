"""How many calls of one connection are under way at once: as many as the provider was seen to bear."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# So many calls in a row that went well, for each place there is, and one more place is tried.
CALLS_A_PLACE = 25


class Places:
    """Places for calls, safe between threads. Begins with `start`, halves when throttled, grows by one up to `most`.

    What a halving was answered to says nothing new: calls that were under way then don't halve again.
    """

    def __init__(self, start: int = 1, most: int = 1) -> None:
        self.most = max(most, 1)
        self.limit = min(max(start, 1), self.most)
        self.under_way = 0
        self._well = 0
        self._still_of_old = 0
        self._free = threading.Condition()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a place and hold it."""
        with self._free:
            self._free.wait_for(lambda: self.under_way < self.limit)
            self.under_way += 1
        try:
            yield
        finally:
            with self._free:
                self.under_way -= 1
                self._free.notify_all()

    def went_well(self) -> None:
        with self._free:
            self._still_of_old = max(self._still_of_old - 1, 0)
            self._well += 1
            if self.limit < self.most and self._well >= CALLS_A_PLACE * self.limit:
                self.limit, self._well = self.limit + 1, 0
                self._free.notify_all()

    def throttled(self) -> int | None:
        """The new limit; None when it stays."""
        with self._free:
            self._well = 0
            if self._still_of_old > 0:
                self._still_of_old -= 1
                return None
            self._still_of_old = self.under_way
            if self.limit == 1:
                return None
            self.limit //= 2
            return self.limit
