"""The bars of a meter's days: places and heights in percent, as SVG attributes take them; text keeps its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.http.filters import number, short_day
from app.web.usage_bar import percent
from app.web.usage_words import units

_WHOLE = 10_000  # hundredths of a percent
_GAP = 45  # beside each bar
_LINES = 3
_EVERY = 4  # days between two dates under the chart
_ROOM = 3  # days that "Today" takes under the chart
# Heights of a grid line that people can divide by, in tenths.
_ROUND = (10, 15, 20, 25, 30, 40, 50, 60, 80)
_SHORT = ((10**9, "B"), (10**6, "M"), (10**3, "k"))


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a period. `expected`: what an average day comes to, None where nothing is projected."""

    day: date
    quantity: int
    over: int
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Box:
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    x: str
    width: str
    within: Box | None
    over: Box | None
    projected: Box | None


@dataclass(frozen=True, slots=True)
class Label:
    """A date under the chart; `spare` ones leave where there is little room."""

    text: str
    x: str
    spare: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """`ticks` are the words at the grid `lines`, from the top down."""

    ticks: Sequence[str]
    lines: Sequence[str]
    columns: Sequence[Column]
    labels: Sequence[Label]

    @property
    def has_over(self) -> bool:
        return any(column.over for column in self.columns)

    @property
    def has_projected(self) -> bool:
        return any(column.projected for column in self.columns)


def span(first: date, last: date) -> list[date]:
    """All days from the first to the last, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def chart(days: Sequence[Day], *, today: date, unit: str) -> Chart:
    """The chart of a period's days, oldest first."""
    step = _step(max(max(day.quantity, day.expected or 0) for day in days))
    top = step * _LINES
    return Chart(
        ticks=[short(step * line) for line in range(_LINES, -1, -1)],
        lines=[percent(_WHOLE * line // _LINES) for line in range(_LINES + 1)],
        columns=[_column(place, day, len(days), top, unit) for place, day in enumerate(days)],
        labels=_labels({day.day: place for place, day in enumerate(days)}, today),
    )


def short(count: int) -> str:
    """`45k`, `1.5M`: a round number in few letters."""
    for size, letter in _SHORT:
        if count >= size:
            tenths = f"{count * 10 // size:d}"
            return f"{tenths[:-1]}.{tenths[-1]}{letter}".replace(".0", "")
    return str(count)


def _step(peak: int) -> int:
    """The smallest round number of which three reach the peak."""
    scale = 1
    while True:
        for tenths in _ROUND:
            step, rest = divmod(tenths * scale, 10)
            if not rest and step * _LINES >= peak:
                return step
        scale *= 10


def _column(place: int, day: Day, of: int, top: int, unit: str) -> Column:
    left, right = place * _WHOLE // of + _GAP, (place + 1) * _WHOLE // of - _GAP
    within, whole = (_height(count, top) for count in (day.quantity - day.over, day.quantity))
    expected = _height(day.expected or 0, top)
    return Column(
        title=f"{short_day(day.day)}: {number(day.quantity)} {units(unit, day.quantity)}",
        x=percent(left),
        width=percent(right - left),
        within=_box(0, within),
        over=_box(within, whole),
        projected=_box(whole, expected),
    )


def _height(count: int, top: int) -> int:
    return count * _WHOLE // top


def _box(bottom: int, top: int) -> Box | None:
    """From `bottom` up to `top`; an SVG counts from above."""
    return Box(percent(_WHOLE - top), percent(top - bottom)) if top > bottom else None


def _labels(places: Mapping[date, int], today: date) -> list[Label]:
    here, month, made = places.get(today), 0, []
    for day, place in places.items():
        x = percent((2 * place + 1) * _WHOLE // (2 * len(places)))
        if place == here:
            made.append(Label("Today", x, spare=False))
        elif place % _EVERY == 0 and (here is None or abs(place - here) >= _ROOM):
            text = str(day.day) if day.month == month else short_day(day)
            made.append(Label(text, x, spare=place % (2 * _EVERY) != 0))
            month = day.month
    return made
