"""Billing periods: counted from an anchor in UTC, its day clamped to each month's length, never drifting."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

from app.sandbox.config import DAY

_MONTHS = {"month": 1, "year": 12}
_DAYS = {"day": 1, "week": 7}


def later(instant: int, interval: str, count: int) -> int:
    """The instant (epoch seconds) this many intervals after another, or before it when the count is negative."""
    if interval in _DAYS:
        return instant + count * _DAYS[interval] * DAY
    start = datetime.fromtimestamp(instant, UTC)
    months = start.year * 12 + start.month - 1 + count * _MONTHS[interval]
    year, month = months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def period_at(anchor: int, interval: str, count: int, instant: int) -> tuple[int, int]:
    """The period that an instant falls into: its start, which belongs to it, and its end, which does not.

    Every boundary is computed from the anchor itself, so the 31st comes back after a February.
    """
    step = _estimate(anchor, interval, count, instant)
    while later(anchor, interval, step * count) > instant:
        step -= 1
    while later(anchor, interval, (step + 1) * count) <= instant:
        step += 1
    return later(anchor, interval, step * count), later(anchor, interval, (step + 1) * count)


def _estimate(anchor: int, interval: str, count: int, instant: int) -> int:
    if interval in _DAYS:
        return (instant - anchor) // (_DAYS[interval] * DAY * count)
    first, present = datetime.fromtimestamp(anchor, UTC), datetime.fromtimestamp(instant, UTC)
    months = (present.year - first.year) * 12 + present.month - first.month
    return months // (_MONTHS[interval] * count)


def day(instant: int) -> str:
    """16 Nov 2026, as invoice lines write it."""
    at = datetime.fromtimestamp(instant, UTC)
    return f"{at.day} {at.strftime('%b %Y')}"
