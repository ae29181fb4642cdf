"""How long a grant lasts: which of its ends come closer, and when a person is told of them. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

WARN_DAYS = (30, 7, 1)
# An unused token's end that falls on the grant's own, give or take this, is no end of its own.
SAME = dt.timedelta(days=1)


@dataclass(frozen=True)
class End:
    """A moment from which the provider lets us in no more. `final`: no renewal puts it off."""

    at: dt.datetime
    final: bool

    def threshold(self, now: dt.datetime) -> int | None:
        """The smallest of WARN_DAYS that it is not further away than; None for one that is further away than all."""
        return min((days for days in WARN_DAYS if self.at - now <= dt.timedelta(days=days)), default=None)


def near_ends(unused_until: dt.datetime | None, ends_at: dt.datetime | None, now: dt.datetime) -> tuple[End, ...]:
    """The ends within thirty days, the nearest first; those that have passed too.

    `unused_until` is put off by each renewal, `ends_at` by a person only.
    """
    ends = [End(ends_at, final=True)] if ends_at else []
    if unused_until and (ends_at is None or ends_at - unused_until > SAME):
        ends.append(End(unused_until, final=False))
    return tuple(sorted((end for end in ends if end.threshold(now) is not None), key=lambda end: end.at))
