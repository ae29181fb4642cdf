"""A record that is to be made leaves soon after it was noted, or not at all.

A worker may stand still between its note and its call, for as long as its machine likes, and lose its lock meanwhile. Whoever
takes over looks in the ERP and must know from when on an absence is one. So there is a bound on each part of the way: a
call that would leave later than LEAVES_WITHIN after the note does not leave; what lies unacknowledged in a network for
UNACKNOWLEDGED_SECONDS is given up by our end of the connection; and the provider says how long its server works.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LEAVES_WITHIN = dt.timedelta(seconds=60)
UNACKNOWLEDGED_SECONDS = 30
MARGIN_SECONDS = 10  # between the clocks of two machines

_noted_at: ContextVar[dt.datetime | None] = ContextVar("noted_at", default=None)


def certain_after(server_seconds: float) -> float:
    """Seconds after the note from which on nothing can turn up any more, where the server works on a call for so long."""
    return LEAVES_WITHIN.total_seconds() + UNACKNOWLEDGED_SECONDS + server_seconds + MARGIN_SECONDS


@contextmanager
def noted(at: dt.datetime) -> Iterator[None]:
    """What this thread sends in here was noted at that time."""
    token = _noted_at.set(at)
    try:
        yield
    finally:
        _noted_at.reset(token)


def too_late(now: dt.datetime) -> bool:
    """Whether the note of what is about to leave is too old. Never without a note: then nothing is in doubt either."""
    at = _noted_at.get()
    return at is not None and now - at > LEAVES_WITHIN
