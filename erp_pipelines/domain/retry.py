"""When to try again."""

from __future__ import annotations

import datetime as dt

# Jitter spreads what failed together; a tenth keeps the schedule readable.
JITTER = 0.1
LONGEST = dt.timedelta(hours=24)


def next_attempt_at(now: dt.datetime, retries: int, jitter: float) -> dt.datetime:
    """`now` + 2^retries minutes, stretched by up to 10 % (`jitter` in 0..1), at most a day.

    `retries` counts the retries spent so far, so the first failure waits one minute.
    """
    wait = dt.timedelta(minutes=2 ** min(retries, 20))
    return now + min(wait, LONGEST) * (1 + JITTER * jitter)
