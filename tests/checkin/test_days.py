"""Days as stretches of time: against a walk through the minutes, over every zone and each change of summer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.checkin.days import Day, day_at, following

ZONES = sorted(
    zone for zone in available_timezones() if zone.startswith(("Africa", "America", "Asia", "Pacific", "Etc"))
)
zones = st.sampled_from(ZONES)
instants = st.datetimes(datetime(2005, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001

# Where midnight is skipped or comes twice, and where a whole date was left out.
HARD = [
    ("Africa/Cairo", datetime(2025, 4, 24, 12, tzinfo=UTC)),  # 00:00 is 01:00
    ("Asia/Beirut", datetime(2026, 3, 28, 12, tzinfo=UTC)),
    ("America/Havana", datetime(2025, 11, 1, 12, tzinfo=UTC)),  # 01:00 is 00:00 again
    ("America/Sao_Paulo", datetime(2018, 2, 17, 12, tzinfo=UTC)),  # 24:00 is 23:00 again
    ("America/St_Johns", datetime(2010, 11, 6, 12, tzinfo=UTC)),  # 00:01 is 23:01 of the day before
    ("Pacific/Apia", datetime(2011, 12, 29, 12, tzinfo=UTC)),  # there was no 30 December
    ("Europe/London", datetime(2026, 3, 28, 12, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 12, tzinfo=UTC)),  # half an hour
]


@pytest.mark.parametrize(("zone", "begin"), HARD)
def test_days_change_at_the_first_moment_the_wall_shows_the_next_date(zone: str, begin: datetime) -> None:
    wall, latest = ZoneInfo(zone), None
    for minute in range(60 * 72):
        instant = begin + timedelta(minutes=minute)
        shown = instant.astimezone(wall).date()
        latest = shown if latest is None or shown > latest else latest  # a wall that goes back begins no day again

        assert day_at(instant, zone).date == latest, instant


@settings(max_examples=50)
@given(instant=instants, zone=zones)
def test_an_instant_is_in_its_day_and_days_follow_without_a_gap(instant: datetime, zone: str) -> None:
    day = day_at(instant, zone)
    after = day_at(day.ends_at, zone)

    assert day.starts_at <= instant < day.ends_at
    assert after.starts_at == day.ends_at
    assert after.date > day.date
    assert day_at(day.ends_at - timedelta(microseconds=1), zone).date == day.date


@settings(max_examples=50)
@given(instant=instants, zone=zones)
def test_in_one_zone_the_next_free_day_is_tomorrow(instant: datetime, zone: str) -> None:
    day = day_at(instant, zone)

    assert following(day.date, day.ends_at, zone) == day_at(day.ends_at, zone)


@settings(max_examples=50)
@given(instant=instants, moves=st.lists(st.tuples(zones, st.integers(0, 40 * 60)), min_size=1, max_size=12))
def test_whoever_travels_never_has_two_days_for_one_stretch_of_time(
    instant: datetime, moves: list[tuple[str, int]]
) -> None:
    had: list[Day] = []
    for zone, minutes in moves:
        instant += timedelta(minutes=minutes)
        day = day_at(instant, zone)
        free = following(had[-1].date, had[-1].ends_at, zone) if had else day
        if free.starts_at <= instant:
            had.append(day)

    for one, other in pairwise(had):
        assert one.ends_at <= other.starts_at
        assert one.date < other.date


@settings(max_examples=50)
@given(instant=instants, before=zones, after=zones)
def test_nobody_waits_for_more_than_two_days(instant: datetime, before: str, after: str) -> None:
    day = day_at(instant, before)

    # A day to go and a day to wait; the line of dates makes it two hours more at most, summer time one.
    assert following(day.date, day.ends_at, after).starts_at - instant < timedelta(hours=24 + 1 + 24 + 1 + 26)


def test_an_unknown_zone_counts_as_utc() -> None:
    assert day_at(datetime(2026, 3, 14, 23, tzinfo=UTC), "Mars/Olympus").zone == "UTC"
