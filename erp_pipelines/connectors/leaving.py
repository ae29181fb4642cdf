"""A record that is to be made leaves soon after it was noted; a note that has become old is renewed before.

A worker may stand still between its note and its call, for as long as its machine likes, and lose its lock meanwhile. Whoever
takes over looks in the ERP and must know from when on an absence is one. So there is a bound on each part of the way: what would
leave later than LEAVES_WITHIN after its note is noted anew, which fails for a worker that has lost its lock; what lies
unacknowledged in a network for UNACKNOWLEDGED_SECONDS is given up by our end of the connection; and the provider says how
long its server works.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

LEAVES_WITHIN = dt.timedelta(seconds=60)
UNACKNOWLEDGED_SECONDS = 30
MARGIN_SECONDS = 10  # between the clocks of two machines


@dataclass
class _Note:
    at: dt.datetime
    renew: Callable[[], dt.datetime]


_note: ContextVar[_Note | None] = ContextVar("note", default=None)


def certain_after(server_seconds: float) -> float:
    """Seconds after the note from which on nothing can turn up any more, where the server works on a call for so long."""
    return LEAVES_WITHIN.total_seconds() + UNACKNOWLEDGED_SECONDS + server_seconds + MARGIN_SECONDS


@contextmanager
def noted(at: dt.datetime, renew: Callable[[], dt.datetime]) -> Iterator[None]:
    """What this thread sends in here was noted at that time. `renew` notes it again and says when; it may raise LockLost."""
    token = _note.set(_Note(at, renew))
    try:
        yield
    finally:
        _note.reset(token)


def look_at_the_note(now: dt.datetime) -> None:
    """Right before something leaves: renews a note that is too old. Without a note nothing is in doubt, and nothing is done."""
    note = _note.get()
    if note is not None and too_old(now - note.at):
        note.at = note.renew()


def too_old(age: dt.timedelta) -> bool:
    return age > LEAVES_WITHIN
