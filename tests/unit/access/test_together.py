from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from erp_pipelines.access.together import Together


class Work:
    """Doubles numbers; holds the first round until it is let go."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.began, self.goes_on = threading.Event(), threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.rounds.append(list(items))
        self.began.set()
        assert self.goes_on.wait(10)
        return [ValueError(f"{item} is odd") if item % 2 else item * 2 for item in items]


def test_a_lone_item_is_worked_on_at_once() -> None:
    work = Work()
    work.goes_on.set()
    together = Together(work, most=10)
    assert [together.do(2), together.do(4)] == [4, 8]
    assert work.rounds == [[2], [4]]


def test_what_comes_meanwhile_goes_together_and_each_gets_its_own() -> None:
    work = Work()
    together = Together(work, most=3)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(together.do, 0)
        assert work.began.wait(10)
        others = {number: pool.submit(together.do, number) for number in range(1, 6)}
        while len(together._waiting) < len(others):
            time.sleep(0.001)
        work.goes_on.set()
        assert first.result(10) == 0
        assert {number: others[number].result(10) for number in (2, 4)} == {2: 4, 4: 8}
        for number in (1, 3, 5):
            with pytest.raises(ValueError, match=f"{number} is odd"):
                others[number].result(10)
    assert [len(one) for one in work.rounds] == [1, 3, 2]
    assert sorted(number for one in work.rounds for number in one) == [0, 1, 2, 3, 4, 5]


def test_a_failure_of_the_work_is_everybodys_and_ends_nothing() -> None:
    rounds: list[list[int]] = []

    def work(items: Sequence[int]) -> list[int | Exception]:
        rounds.append(list(items))
        if len(rounds) == 1:
            raise ConnectionError("away")
        return list(items)

    together = Together(work, most=10)
    with pytest.raises(ConnectionError, match="away"):
        together.do(1)
    assert together.do(2) == 2
    assert rounds == [[1], [2]]
