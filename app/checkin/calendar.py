"""A month of check-ins as a calendar: pure arithmetic over dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day as it is shown. `state`: done, missed, today (not done yet), future, or none: not a day to check in on.

    `amount`: credits that were given, or that a bonus day to come will give; else 0. `bonus`: more than on other days.
    """

    date: date
    state: str
    amount: int = 0
    bonus: bool = False
    is_today: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What a calendar needs to know of a day that was checked in."""

    amount: int
    bonus: int
    streak_began: date


@dataclass(frozen=True, slots=True)
class Known:
    """What decides how a day is shown: those that are done, which is today's, the first there was, bonuses to come."""

    done: Mapping[date, Done]
    today: date
    first: date
    bonuses: Mapping[date, int]


def shown(day: date, known: Known) -> CalendarDay:
    """One day of the calendar."""
    is_today = day == known.today
    done = known.done.get(day)
    if done:
        return CalendarDay(day, "done", done.amount, done.bonus > 0, is_today)
    if day >= known.today:
        amount = known.bonuses.get(day, 0)
        return CalendarDay(day, "today" if is_today else "future", amount, amount > 0, is_today)
    if day < known.first or _within_a_streak(day, known.done):
        return CalendarDay(day, "none")
    return CalendarDay(day, "missed")


def month_days(month: date) -> list[date]:
    """The days of the month that begins on this date."""
    return [month + _ONE * number for number in range((next_month(month) - month).days)]


def weeks(days: list[CalendarDay]) -> list[list[CalendarDay | None]]:
    """A month's days in rows from Monday to Sunday, with None before the first and after the last."""
    cells: list[CalendarDay | None] = [*([None] * days[0].date.weekday()), *days]
    cells += [None] * (-len(cells) % 7)
    return [cells[start : start + 7] for start in range(0, len(cells), 7)]


def week_of(day: date) -> list[date]:
    """The Monday to Sunday a day is in."""
    monday = day - _ONE * day.weekday()
    return [monday + _ONE * number for number in range(7)]


def next_month(month: date) -> date:
    return (month.replace(day=28) + 4 * _ONE).replace(day=1)


def last_month(month: date) -> date:
    return (month.replace(day=1) - _ONE).replace(day=1)


def _within_a_streak(day: date, done: Mapping[date, Done]) -> bool:
    """Whether the row went on over a day: one that a change of zone left out could not be checked in, nor missed."""
    later = next((when for when in sorted(done) if when > day), None)
    return later is not None and done[later].streak_began < day
