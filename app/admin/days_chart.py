"""The bars of the dashboard's days: two beside each other, in percent as SVG attributes take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.figures.days import Day
from app.http.filters import exact, short_day
from app.money import MICROS_PER_UNIT

_WHOLE = 10_000  # hundredths of a percent
_GAP = 45  # beside each pair of bars
_LINES = 4
_EVERY = 5  # days between two dates under the chart
# Heights of a grid line that people can divide by, in tenths.
_ROUND = (10, 15, 20, 25, 30, 40, 50, 60, 80)
_SHORT = ((10**9, "B"), (10**6, "M"), (10**3, "k"))


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
    step = _step(max(max(day.topped_up, day.spent) for day in days))
    top = step * _LINES
    return Chart(
        ticks=[f"{sign}{_short(step * line // MICROS_PER_UNIT)}" if line else "0" for line in range(_LINES, -1, -1)],
        lines=[_percent(_WHOLE * line // _LINES) for line in range(_LINES + 1)],
        columns=[_column(place, day, len(days), top) for place, day in enumerate(days)],
        labels=[
            Label(_percent((2 * place + 1) * _WHOLE // (2 * len(days))), short_day(day.day))
            for place, day in enumerate(days)
            if place % _EVERY == _EVERY // 2
        ],
    )


def _column(place: int, day: Day, of: int, top: int) -> Column:
    left, right = place * _WHOLE // of + _GAP, (place + 1) * _WHOLE // of - _GAP
    half = (right - left) // 2
    sides = (("fill", left, day.topped_up), ("part3", left + half, day.spent))
    bars = [_bar(tone, x, half, amount * _WHOLE // top) for tone, x, amount in sides if amount > 0]
    said = f"{short_day(day.day)}: {exact(day.topped_up)} topped up, {exact(day.spent)} spent"
    return Column(said, bars)


def _bar(tone: str, x: int, width: int, height: int) -> Bar:
    return Bar(tone, _percent(x), _percent(width), _percent(_WHOLE - height), _percent(height))


def _percent(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def _step(peak: int) -> int:
    """The smallest round amount, in whole units, of which so many reach the peak in micros."""
    units, scale = -(-peak // MICROS_PER_UNIT), 1
    while True:
        for tenths in _ROUND:
            step, rest = divmod(tenths * scale, 10)
            if not rest and step * _LINES >= units:
                return max(1, step) * MICROS_PER_UNIT
        scale *= 10


def _short(units: int) -> str:
    """`45k`, `1.5M`: a round number in few letters."""
    for size, letter in _SHORT:
        if units >= size:
            tenths = str(units * 10 // size)
            return f"{tenths[:-1]}.{tenths[-1]}{letter}".replace(".0", "")
    return str(units)
