from __future__ import annotations

import pytest

from erp_pipelines.domain.errors import RecordInvalid
from webhook_api import paging
from webhook_api.limits import MOST_CALLERS, Pace


def test_a_pace_allows_a_burst_then_its_rate() -> None:
    pace = Pace(per_minute=60, burst=3)
    assert [pace.wait("a", 0.0) for _ in range(3)] == [0, 0, 0]
    assert pace.wait("a", 0.0) == pytest.approx(1)
    assert pace.wait("b", 0.0) == 0
    assert pace.wait("a", 0.5) == pytest.approx(0.5)
    assert pace.wait("a", 1.0) == 0
    assert pace.wait("a", 1.0) > 0


def test_a_pace_forgets_callers_whose_time_has_passed() -> None:
    pace = Pace(per_minute=60, burst=3)
    for number in range(MOST_CALLERS):
        pace.wait(str(number), 0.0)
    pace.wait("late", 100.0)
    assert len(pace._free_at) == 1


def test_cursors_come_back_as_they_went() -> None:
    place = ["2026-03-01T00:00:00+00:00", "äöü"]
    assert paging.decode(paging.encode(*place), 2) == place
    assert paging.decode(None, 2) is None
    for cursor in ("", "x", "é", "e30", paging.encode("one")):
        with pytest.raises(RecordInvalid):
            paging.decode(cursor, 2)


def test_a_page_is_cut_and_points_on() -> None:
    assert paging.cut([1, 2, 3], 3, lambda row: (str(row),)) == ([1, 2, 3], None)
    page, cursor = paging.cut([1, 2, 3], 2, lambda row: (str(row),))
    assert page == [1, 2]
    assert paging.decode(cursor, 1) == ["2"]
