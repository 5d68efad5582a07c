"""Where usage is heading: the average of the last seven full days, carried on to the end of the period. Integers only.

A day is a day in UTC, as counters keep them. A projection is never a fact: pages say "about" and name the method.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from app.money import round_half_away

FULL_DAYS = 7
_DAY = 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Pace:
    """`units` in so many full `days`. No days: too early to tell."""

    units: int
    days: int

    @property
    def per_day(self) -> int:
        """The average of one day, rounded once."""
        return round_half_away(self.units, self.days) if self.days else 0

    def over(self, seconds: int) -> int:
        """The units of that long, rounded once."""
        return round_half_away(self.units * seconds, self.days * _DAY) if self.days else 0


@dataclass(frozen=True, slots=True)
class Run:
    """A meter on its way: what it counted, what it may, and how fast it goes. Prices in micros a unit."""

    used: int
    allowance: int | None
    unit_micros: int
    pace: Pace

    def more(self, units: int) -> int:
        """What the next `units` cost: those beyond the allowance. Nothing that is charged already counts again."""
        if self.allowance is None:
            return 0
        return max(0, self.used + units - max(self.allowance, self.used)) * self.unit_micros


def pace(daily: Mapping[date, int], today: date) -> Pace:
    """The last seven full days, or as many as there are since the first use that `daily` knows of."""
    before = [day for day in daily if day < today]
    if not before:
        return Pace(0, 0)
    first = max(min(before), today - timedelta(days=FULL_DAYS))
    return Pace(sum(daily[day] for day in before if day >= first), (today - first).days)


def total(used: int, used_today: int, run: Pace, now: datetime, start: datetime, end: datetime) -> int:
    """What the period [start, end) comes to: today counts as an average day, unless it is one of more already."""
    if not run.days or now >= end:
        return used
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    expected = run.over(_seconds(max(midnight, start), end))
    return max(used, used - used_today + expected)


def days_covered(available: int, runs: Sequence[Run], now: datetime, end: datetime) -> int | None:
    """How many whole days from now `available` micros pay what these meters go over; None: as long as the period."""
    left = _seconds(now, end)
    if _spent(runs, left) <= available:
        return None
    days = 0
    while _spent(runs, (days + 1) * _DAY) <= available:
        days += 1
    return days


def _spent(runs: Sequence[Run], seconds: int) -> int:
    return sum(run.more(run.pace.over(seconds)) for run in runs)


def _seconds(start: datetime, end: datetime) -> int:
    return max(0, (end - start) // timedelta(seconds=1))
