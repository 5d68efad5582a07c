"""Where the periods of a Polar subscription begin and end: calendar months in UTC, each counted from its anchor."""

from __future__ import annotations

import calendar
from datetime import datetime

from app.providers.polar.body import instant
from app.providers.polar.connection import Json

_MONTHS = {"month": 1, "year": 12}

Span = tuple[datetime, datetime]


def anchor_of(sub: Json) -> datetime:
    """What the current period is counted from: the beginning, or a change to another interval, which began anew."""
    begun, start = instant(sub.get("started_at") or sub["created_at"]), instant(sub["current_period_start"])
    span = _span(begun, start, _MONTHS.get(sub["recurring_interval"]))
    return begun if span is not None and span[0] == start else start


def holding(sub: Json, at: datetime) -> Span | None:
    """The period this instant is in, of those that can be told from the subscription as it is now."""
    begun, anchor = instant(sub.get("started_at") or sub["created_at"]), anchor_of(sub)
    at = max(at, begun)  # the first payment may be written down a moment before the subscription
    return _span(anchor if at >= anchor else begun, at, _MONTHS.get(sub["recurring_interval"]))


def _span(anchor: datetime, at: datetime, months: int | None) -> Span | None:
    if months is None or at < anchor:
        return None
    number = ((at.year - anchor.year) * 12 + at.month - anchor.month) // months
    if _boundary(anchor, number * months) > at:
        number -= 1
    return _boundary(anchor, number * months), _boundary(anchor, (number + 1) * months)


def _boundary(anchor: datetime, months: int) -> datetime:
    """A day the month does not have becomes its last; the next month has the anchor's day again."""
    years, month = divmod(anchor.month - 1 + months, 12)
    year, month = anchor.year + years, month + 1
    return anchor.replace(year=year, month=month, day=min(anchor.day, calendar.monthrange(year, month)[1]))
