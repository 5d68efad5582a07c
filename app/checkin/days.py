"""Days in a time zone, as stretches of time: which one an instant is in, and which may be the next (SPEC C5, R9).

A day goes from its first midnight to the next day's, so the days of a zone cover all time and never overlap, whatever
summer time does: 23 hours or 25, a midnight that does not exist, one that comes twice, a date that is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app import clock

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """A date in a zone, from `starts_at` up to and without `ends_at`."""

    date: date
    zone: str
    starts_at: datetime
    ends_at: datetime


def day_at(instant: datetime, zone: str) -> Day:
    """The day this instant is in. A zone this machine does not know counts as UTC."""
    found = clock.zone(zone)
    guess = instant.astimezone(found).date()
    # Where clocks go back over midnight, or skip it, the wall's date is not yet or no longer the day's: look beside it.
    day = next(day for day in (guess + _ONE, guess, guess - _ONE) if _midnight(day, found) <= instant)
    return Day(day, found.key, _midnight(day, found), _midnight(day + _ONE, found))


def following(last: date, over: datetime, zone: str) -> Day:
    """The first day in this zone that is free after a day `last`, in whatever zone, that was over at `over`.

    It shares no moment with the one that was: so whoever changes their zone waits for up to a day more, and nobody
    gets the same stretch of time twice. Its date is a later one too.
    """
    day = day_at(over, zone)
    while day.starts_at < over or day.date <= last:
        day = day_at(day.ends_at, zone)
    return day


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first of two midnights; for one that is skipped, the instant at which it is."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
