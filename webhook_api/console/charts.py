"""Bar charts as plain geometry: figures in, rectangles out, drawn as SVG by a template. No script, no style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 180
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 12, 24
GAP_SHARE = 0.25
LABELS = 7


@dataclass(frozen=True)
class Series:
    """One figure for each label; None where there is none. `tone` is a class of the style sheet."""

    name: str
    tone: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    tone: str
    words: str


@dataclass(frozen=True)
class Text:
    x: float
    y: float
    words: str


@dataclass(frozen=True)
class Chart:
    """`rows` are the same figures as a table, for those who do not see the picture."""

    title: str
    unit: str
    names: tuple[str, ...]
    bars: tuple[Bar, ...]
    labels: tuple[Text, ...]
    ticks: tuple[Text, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT


def bars(title: str, unit: str, labels: Sequence[str], series: Sequence[Series]) -> Chart:
    """The series side by side over each label."""
    top = nice_top(max((value or 0 for one in series for value in one.values), default=0))
    slot = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    drawn = [
        _bar(one, labels[place], value, place * slot, slot, number, len(series), top, unit)
        for number, one in enumerate(series)
        for place, value in enumerate(one.values)
        if value
    ]
    step = -(-len(labels) // LABELS) or 1
    return Chart(
        title=title,
        unit=unit,
        names=tuple(one.name for one in series),
        bars=tuple(drawn),
        labels=tuple(
            Text(round(LEFT + (place + 0.5) * slot, 1), HEIGHT - 8, label)
            for place, label in enumerate(labels)
            if place % step == 0
        ),
        ticks=tuple(Text(LEFT - 6, _y(share * top, top), _short(share * top)) for share in (0, 0.5, 1)),
        rows=tuple((label, tuple(_short(one.values[place]) for one in series)) for place, label in enumerate(labels)),
    )


def nice_top(most: float) -> float:
    """The end of the axis: 1, 2 or 5 times a power of ten, not below `most`."""
    size = 1.0
    while size < most:
        size *= 10
    return next((size * share for share in (0.1, 0.2, 0.5) if size * share >= most and size > 1), size)


def _bar(
    one: Series, label: str, value: float, start: float, slot: float, number: int, count: int, top: float, unit: str
) -> Bar:
    width = slot * (1 - GAP_SHARE) / count
    y = _y(value, top)
    return Bar(
        x=round(LEFT + start + slot * GAP_SHARE / 2 + number * width, 1),
        y=y,
        width=round(width, 1),
        height=round(HEIGHT - BOTTOM - y, 1),
        tone=one.tone,
        words=f"{label}: {one.name} {_short(value)} {unit}".strip(),
    )


def _y(value: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP), 1)


def _short(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}".removesuffix(".0")
