"""Work that costs the same for many as for one, done in one go for all requests that wait: a group commit."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

Item = TypeVar("Item")
Result = TypeVar("Result")


class Grouped(Generic[Item, Result]):
    """`do` returns what `work` makes of the item; an exception among the results is raised to its own caller alone.

    Nobody waits for company: a lone item is worked on at once, in a thread, and what comes meanwhile goes next, at most
    `most` at a time. One group is under way at a time, which costs one thread and one hand-over however many wait. A caller
    that gives up takes nothing back: its item was taken on.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result | Exception]], most: int) -> None:
        self._work, self._most = work, most
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Result:
        loop = asyncio.get_running_loop()
        result: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, result))
        if self._worker is None:  # in a context of its own: the group is no part of the request that came first
            self._worker = loop.create_task(self._work_for_all(), context=contextvars.Context())
        return await result

    async def _work_for_all(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                self._settle(group, await self._results([item for item, _ in group]))
        finally:
            self._worker = None

    async def _results(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        try:
            return await run_in_threadpool(self._work, items)
        except Exception as error:  # noqa: BLE001 - raised to each of them
            return [error] * len(items)

    @staticmethod
    def _settle(group: Sequence[tuple[Item, asyncio.Future[Result]]], results: Sequence[Result | Exception]) -> None:
        for (_, future), result in zip(group, results, strict=True):
            if future.done():  # its caller has gone
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
