"""The bars of the dashboard's days: two beside each other, in percent as SVG attributes take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.figures.days import Day
from app.http import bars
from app.http.bars import WHOLE, percent
from app.http.filters import exact, short_day
from app.money import MICROS_PER_UNIT

_LINES = 4
_EVERY = 5  # days between two dates under the chart


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. `tone` is the class of the stylesheet that fills it."""

    tone: str
    x: str
    width: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    """One day: what is said of it, and its bars; an amount of nothing has none."""

    title: str
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Label:
    x: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`ticks` are the words at the grid `lines`, from the top down."""

    ticks: list[str]
    lines: list[str]
    columns: list[Column]
    labels: list[Label]


def chart(days: Sequence[Day], sign: str) -> Chart:
    """Top-ups and spending of these days, oldest first, against one scale. `sign` is the currency's."""
    peak = max(max(day.topped_up, day.spent) for day in days)
    step = bars.step(-(-peak // MICROS_PER_UNIT), _LINES)  # in whole units
    top = step * _LINES * MICROS_PER_UNIT
    return Chart(
        ticks=[f"{sign}{bars.short(step * line)}" if line else "0" for line in range(_LINES, -1, -1)],
        lines=bars.grid(_LINES),
        columns=[_column(place, day, len(days), top) for place, day in enumerate(days)],
        labels=[
            Label(bars.middle(place, len(days)), short_day(day.day))
            for place, day in enumerate(days)
            if place % _EVERY == _EVERY // 2
        ],
    )


def _column(place: int, day: Day, of: int, top: int) -> Column:
    left, right = bars.sides(place, of)
    half = (right - left) // 2
    sides = (("fill", left, day.topped_up), ("part3", left + half, day.spent))
    drawn = [_bar(tone, x, half, amount * WHOLE // top) for tone, x, amount in sides if amount > 0]
    said = f"{short_day(day.day)}: {exact(day.topped_up)} topped up, {exact(day.spent)} spent"
    return Column(said, drawn)


def _bar(tone: str, x: int, width: int, height: int) -> Bar:
    return Bar(tone, percent(x), percent(width), percent(WHOLE - height), percent(height))
