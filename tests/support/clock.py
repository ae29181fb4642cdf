from __future__ import annotations

import datetime as dt

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


class FakeClock:
    """Time that stands still until it is moved; `sleep` moves it at once and remembers how long."""

    def __init__(self, start: dt.datetime = START) -> None:
        self.moment = start
        self.slept: list[float] = []

    def now(self) -> dt.datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float = 0, **parts: float) -> None:
        self.moment += dt.timedelta(seconds=seconds, **parts)
