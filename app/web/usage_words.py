"""How pages speak of what a meter counts: its unit in the singular and the plural, and periods by their days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from app.http.filters import day_text, short_day


def units(unit: str, count: int) -> str:
    """`view` or `views`: the meter's unit for so many of them. `GB` stays as it is."""
    if count == 1 or not unit or not unit[-1].islower() or unit.endswith("s"):
        return unit
    if unit.endswith("y") and unit[-2:-1] not in "aeiou":
        return f"{unit[:-1]}ies"
    return f"{unit}s"


def in_a_sentence(name: str) -> str:
    """`views` for a meter called Views; `API calls` stays as it is."""
    return name if name[1:2].isupper() else f"{name[:1].lower()}{name[1:]}"


def last_day(end: datetime) -> date:
    """The last day, in UTC, of a period that ends there: counters keep days in UTC."""
    return (end - timedelta(microseconds=1)).astimezone(UTC).date()


def span_text(start: datetime, end: datetime) -> str:
    """`4 Nov to 3 Dec 2026`: a period by its first and its last day in UTC."""
    first, last = start.astimezone(UTC).date(), last_day(end)
    return f"{short_day(first) if first.year == last.year else day_text(first)} to {day_text(last)}"


def reset_text(end: datetime) -> str:
    """`4 Dec at 00:00 UTC`: when allowances start again."""
    at = end.astimezone(UTC)
    return f"{short_day(at.date())} at {at:%H:%M} UTC"
