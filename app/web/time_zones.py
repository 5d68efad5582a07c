"""The time zones people choose from: places they know, and UTC; not the hundreds of old names for the same."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

_PLACES = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
)


def choices(chosen: str) -> list[tuple[str, str]]:
    """Zone and label of each, with the one that is chosen already, whatever it is called."""
    zones = _known() if chosen in _known() else (chosen, *_known())
    return [(zone, label(zone)) for zone in zones]


def label(zone: str) -> str:
    """`America/New_York` as it is read: `America/New York`."""
    return zone.replace("_", " ")


@cache
def _known() -> tuple[str, ...]:
    return ("UTC", *sorted(zone for zone in available_timezones() if zone.startswith(_PLACES)))
