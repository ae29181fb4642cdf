from __future__ import annotations

import pytest

from webhook_api.console.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Series, bars, nice_top


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 1), (0.4, 1), (1, 1), (1.5, 2), (2, 2), (3, 5), (7, 10), (10, 10), (11, 20), (480, 500), (501, 1000)],
)
def test_the_axis_ends_at_a_round_figure_not_below_the_most(most: float, top: float) -> None:
    assert nice_top(most) == top


def test_bars_stand_side_by_side_on_the_axis_and_never_leave_the_picture() -> None:
    chart = bars("Latency", "s", ["Mon", "Tue"], [Series("median", "a", [1, None]), Series("95 %", "b", [2, 0])])
    first, second = chart.bars
    assert (first.words, second.words) == ("Mon: median 1 s", "Mon: 95 % 2 s")
    assert first.x + first.width == pytest.approx(second.x, abs=0.2)
    assert (second.y, second.height) == (TOP, HEIGHT - TOP - BOTTOM)
    assert second.height == pytest.approx(2 * first.height)
    assert first.x >= LEFT
    assert second.x + second.width <= WIDTH - RIGHT
    assert chart.rows == (("Mon", ("1", "2")), ("Tue", ("-", "0")))
    assert [tick.words for tick in chart.ticks] == ["0", "1", "2"]


def test_a_chart_of_nothing_has_an_axis_and_no_bars() -> None:
    chart = bars("Documents", "", [], [Series("documents", "a", [])])
    assert (chart.bars, chart.labels, chart.rows) == ((), (), ())
    assert [tick.words for tick in chart.ticks] == ["0", "0.5", "1"]


def test_labels_are_thinned_out() -> None:
    days = [str(day) for day in range(14)]
    assert [label.words for label in bars("D", "", days, [Series("d", "a", [1] * 14)]).labels] == days[::2]
