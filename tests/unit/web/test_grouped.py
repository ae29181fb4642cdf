from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from webhook_api.grouped import Grouped


class Work:
    """Doubles numbers; holds each round until it is let go."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.began, self.goes_on = threading.Event(), threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.rounds.append(list(items))
        self.began.set()
        assert self.goes_on.wait(10)
        return [ValueError(f"{item} is odd") if item % 2 else item * 2 for item in items]

    async def begun(self) -> None:
        assert await asyncio.to_thread(self.began.wait, 10)


def test_a_lone_item_is_worked_on_at_once() -> None:
    work = Work()
    work.goes_on.set()

    async def both() -> list[int]:
        grouped = Grouped(work, most=10)
        return [await grouped.do(2), await grouped.do(4)]

    assert asyncio.run(both()) == [4, 8]
    assert work.rounds == [[2], [4]]


def test_what_comes_meanwhile_goes_together_and_each_gets_its_own() -> None:
    work = Work()

    async def six() -> list[int | BaseException]:
        grouped = Grouped(work, most=3)
        tasks = [asyncio.create_task(grouped.do(0))]
        await work.begun()
        tasks += [asyncio.create_task(grouped.do(number)) for number in range(1, 6)]
        await asyncio.sleep(0)
        work.goes_on.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(six())
    assert [str(result) for result in results] == ["0", "1 is odd", "4", "3 is odd", "8", "5 is odd"]
    assert work.rounds == [[0], [1, 2, 3], [4, 5]]


def test_a_caller_that_gives_up_harms_nobody_and_its_item_is_worked_on() -> None:
    work = Work()

    async def two() -> int:
        grouped = Grouped(work, most=10)
        first = asyncio.create_task(grouped.do(0))
        await work.begun()
        gone, stays = asyncio.create_task(grouped.do(2)), asyncio.create_task(grouped.do(4))
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()
        work.goes_on.set()
        return await stays

    assert asyncio.run(two()) == 8
    assert work.rounds == [[0], [2, 4]]


def test_a_failure_of_the_work_is_everybodys_and_ends_nothing() -> None:
    rounds: list[list[int]] = []

    def work(items: Sequence[int]) -> list[int | Exception]:
        rounds.append(list(items))
        if len(rounds) == 1:
            raise ConnectionError("away")
        return list(items)

    async def twice() -> int:
        grouped = Grouped(work, most=10)
        with pytest.raises(ConnectionError, match="away"):
            await grouped.do(1)
        return await grouped.do(2)

    assert asyncio.run(twice()) == 2
    assert rounds == [[1], [2]]
