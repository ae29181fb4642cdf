"""Work that costs the same for many as for one, done together for all threads that wait: a group commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class _Place(Generic[Item, Result]):
    """One thread's turn: told when its result is there, or when it is its turn to work for all."""

    item: Item
    result: Future[Result] = field(default_factory=Future)
    told: threading.Event = field(default_factory=threading.Event)


class Together(Generic[Item, Result]):
    """`do` returns what `work` makes of the item; an exception among the results is raised to its own caller alone.

    Nobody waits for company: a lone item is worked on at once, and what comes meanwhile goes next, at most `most` at a
    time. No thread of its own: the first one that waits works for all.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result | Exception]], most: int) -> None:
        self._work, self._most = work, most
        self._waiting: list[_Place[Item, Result]] = []
        self._busy = False
        self._lock = threading.Lock()

    def do(self, item: Item) -> Result:
        place = _Place[Item, Result](item)
        with self._lock:
            self._waiting.append(place)
            waits, self._busy = self._busy, True
        if waits:
            place.told.wait()
        if not place.result.done():
            self._work_for_all()
        return place.result.result()

    def _work_for_all(self) -> None:
        """By whoever stands first in the line; the next one takes over, so that nobody works for ever."""
        with self._lock:
            places, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            self._settle(places)
        finally:
            with self._lock:
                following = self._waiting[:1]
                self._busy = bool(following)
            for place in [*places, *following]:
                place.told.set()

    def _settle(self, places: Sequence[_Place[Item, Result]]) -> None:
        try:
            results = self._work([place.item for place in places])
        except Exception as error:  # noqa: BLE001 - raised to each of them
            results = [error] * len(places)
        for place, result in zip(places, results, strict=True):
            if isinstance(result, Exception):
                place.result.set_exception(result)
            else:
                place.result.set_result(result)
