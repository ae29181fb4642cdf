from __future__ import annotations

import datetime as dt

import pytest

from erp_pipelines.domain.grants import End, near_ends

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def ahead(**span: float) -> dt.datetime:
    return NOW + dt.timedelta(**span)


@pytest.mark.parametrize(
    ("at", "days"),
    [
        (ahead(days=30) + SECOND, None),
        (ahead(days=30), 30),
        (ahead(days=7) + SECOND, 30),
        (ahead(days=7), 7),
        (ahead(days=1) + SECOND, 7),
        (ahead(days=1), 1),
        (NOW, 1),
        (ahead(days=-3), 1),
    ],
)
def test_the_threshold_of_an_end_is_the_smallest_that_it_has_come_within(at: dt.datetime, days: int | None) -> None:
    assert End(at, final=True).threshold(NOW) == days


def test_an_end_further_away_than_a_month_and_one_that_is_not_known_are_not_near() -> None:
    assert near_ends(ahead(days=31), ahead(days=400), NOW) == ()
    assert near_ends(None, None, NOW) == ()


def test_the_nearest_end_comes_first() -> None:
    unused, final = End(ahead(days=3), final=False), End(ahead(days=20), final=True)
    assert near_ends(unused.at, final.at, NOW) == (unused, final)
    assert near_ends(unused.at, None, NOW) == (unused,)


@pytest.mark.parametrize("after", [dt.timedelta(days=-1), -SECOND, SECOND * 0, SECOND, dt.timedelta(days=50)])
def test_a_token_that_would_outlive_its_grant_or_end_with_it_has_no_end_of_its_own(after: dt.timedelta) -> None:
    """Else people would be told that a renewal helps."""
    final = End(ahead(days=20), final=True)
    assert near_ends(final.at + after, final.at, NOW) == (final,)
