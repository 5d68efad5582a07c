"""The bars of a meter's days: places and heights in percent, as SVG attributes take them; text keeps its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.http import bars
from app.http.bars import WHOLE, percent
from app.http.filters import number, short_day
from app.web.usage_words import units

_LINES = 3
_EVERY = 4  # days between two dates under the chart
_ROOM = 3  # days that "Today" takes under the chart


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
    step = bars.step(max(max(day.quantity, day.expected or 0) for day in days), _LINES)
    top = step * _LINES
    return Chart(
        ticks=[bars.short(step * line) for line in range(_LINES, -1, -1)],
        lines=bars.grid(_LINES),
        columns=[_column(place, day, len(days), top, unit) for place, day in enumerate(days)],
        labels=_labels({day.day: place for place, day in enumerate(days)}, today),
    )


def _column(place: int, day: Day, of: int, top: int, unit: str) -> Column:
    left, right = bars.sides(place, of)
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
    return count * WHOLE // top


def _box(bottom: int, top: int) -> Box | None:
    """From `bottom` up to `top`; an SVG counts from above."""
    return Box(percent(WHOLE - top), percent(top - bottom)) if top > bottom else None


def _labels(places: Mapping[date, int], today: date) -> list[Label]:
    here, month, made = places.get(today), 0, []
    for day, place in places.items():
        x = bars.middle(place, len(places))
        if place == here:
            made.append(Label("Today", x, spare=False))
        elif place % _EVERY == 0 and (here is None or abs(place - here) >= _ROOM):
            text = str(day.day) if day.month == month else short_day(day)
            made.append(Label(text, x, spare=place % (2 * _EVERY) != 0))
            month = day.month
    return made
