"""Periods: every boundary is where another calendar (dateutil) has it, and every second is in exactly one period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil import tz
from dateutil.rrule import MONTHLY, YEARLY, rrule
from hypothesis import example, given
from hypothesis import strategies as st

from app.subscriptions.periods import Anchor, Interval, anchored, seconds_between

MONTH, YEAR = Interval.MONTH, Interval.YEAR
# The clock changes by an hour, by half an hour, at midnight, on both halves of the earth, never, and once by a day.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
)

START = datetime(2009, 1, 1, tzinfo=UTC)

zones = st.sampled_from(ZONES)
instants = st.integers(0, 93 * 365 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))
month_ends = st.builds(
    lambda year, month, day, hour: datetime(year, month, min(day, 28), hour, 30, tzinfo=UTC) + timedelta(days=day - 28),
    st.sampled_from([2010, 2011, 2023, 2024, 2027, 2028, 2096, 2099, 2100]),
    st.integers(1, 12),
    st.integers(28, 31),
    st.integers(0, 23),
)
anchors = st.builds(anchored, st.one_of(instants, month_ends), zones)
intervals = st.sampled_from(Interval)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def by_another_calendar(anchor: Anchor, interval: Interval, count: int) -> list[datetime]:
    """The first boundaries, from dateutil's recurrence rules and dateutil's own idea of skipped hours."""
    local = anchor.at.astimezone(anchor.zone).replace(tzinfo=None, fold=0)
    days = [day for day in range(28, 32) if day <= local.day] or [local.day]  # the last of these that the month has
    months = [local.month] if interval is YEAR else None
    rule = rrule(
        YEARLY if interval is YEAR else MONTHLY,
        dtstart=local,
        bymonth=months,
        bymonthday=days,
        bysetpos=-1,
        count=count,
    )
    zone = tz.gettz(anchor.zone.key)
    found = [tz.resolve_imaginary(day.replace(tzinfo=zone)).astimezone(UTC) for day in rule]
    return [anchor.at, *found[1:]]


@given(anchors, intervals)
@example(anchored(at("2024-01-31T12:00"), "UTC"), MONTH)
@example(anchored(at("2096-02-29T12:00"), "UTC"), YEAR)
def test_boundaries_are_where_another_calendar_has_them(anchor: Anchor, interval: Interval) -> None:
    ours = [anchor.boundary(number, interval) for number in range(30)]

    assert ours == by_another_calendar(anchor, interval, 30)


@pytest.mark.parametrize("day", [28, 29, 30, 31])
@pytest.mark.parametrize("year", [2023, 2024, 2027, 2028, 2099, 2100])
def test_an_anchor_at_the_months_end_comes_back_to_its_day(year: int, day: int) -> None:
    """Against a walk over the days one by one: a boundary is the anchor's day, or the month's last if it has none."""
    anchor = anchored(datetime(year, 1, day, 9, tzinfo=UTC), "UTC")
    walked, today = [], datetime(year, 1, day, 9, tzinfo=UTC)
    while len(walked) < 40:
        is_last = (today + timedelta(days=1)).month != today.month
        if today.day == day or (is_last and today.day < day):
            walked.append(today)
        today += timedelta(days=1)

    assert [anchor.boundary(number, MONTH) for number in range(40)] == walked


@pytest.mark.parametrize(
    ("first", "number", "interval", "expected"),
    [
        ("2023-01-31T00:00", 1, MONTH, "2023-02-28T00:00"),
        ("2024-01-31T00:00", 1, MONTH, "2024-02-29T00:00"),
        ("2024-01-31T00:00", 2, MONTH, "2024-03-31T00:00"),
        ("2100-01-29T00:00", 1, MONTH, "2100-02-28T00:00"),
        ("2024-02-29T00:00", 1, YEAR, "2025-02-28T00:00"),
        ("2024-02-29T00:00", 4, YEAR, "2028-02-29T00:00"),
        ("2096-02-29T00:00", 4, YEAR, "2100-02-28T00:00"),
        ("2096-02-29T00:00", 8, YEAR, "2104-02-29T00:00"),
    ],
)
def test_days_a_month_does_not_have_become_its_last(first: str, number: int, interval: Interval, expected: str) -> None:
    assert anchored(at(first), "UTC").boundary(number, interval) == at(expected)


def test_the_day_is_that_of_the_customers_zone() -> None:
    # 31 January in Auckland is still the 30th in UTC.
    anchor = anchored(at("2024-01-31T08:00", "Pacific/Auckland"), "Pacific/Auckland")

    assert anchor.at.day == 30
    assert anchor.boundary(1, MONTH) == at("2024-02-29T08:00", "Pacific/Auckland")
    assert anchor.boundary(3, MONTH) == at("2024-04-30T08:00", "Pacific/Auckland")


def test_the_hour_on_the_wall_stays_when_the_clocks_change() -> None:
    anchor = anchored(at("2026-03-01T09:00", "Europe/Berlin"), "Europe/Berlin")

    period = anchor.period(0, MONTH)

    assert period.end == at("2026-04-01T09:00", "Europe/Berlin")
    assert period.seconds == 31 * 86_400 - 3_600


def test_an_hour_that_is_skipped_moves_and_one_shown_twice_is_taken_once() -> None:
    skipped = anchored(at("2026-01-29T02:30", "Europe/Berlin"), "Europe/Berlin")
    twice = anchored(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Europe/Berlin")  # 02:30 for the second time

    assert skipped.boundary(2, MONTH) == at("2026-03-29T03:30", "Europe/Berlin")
    assert skipped.boundary(3, MONTH) == at("2026-04-29T02:30", "Europe/Berlin")
    assert twice.boundary(0, MONTH) == twice.at
    assert twice.boundary(1, MONTH) == at("2026-11-25T02:30", "Europe/Berlin")


@given(anchors, intervals, st.integers(0, 400))
def test_periods_follow_each_other_without_gap_or_overlap(anchor: Anchor, interval: Interval, number: int) -> None:
    earlier, later = anchor.period(number, interval), anchor.period(number + 1, interval)

    assert earlier.start < earlier.end == later.start
    assert earlier.seconds == int((earlier.end - earlier.start).total_seconds()) > 27 * 86_400


@given(anchors, intervals, st.integers(0, 80 * 365 * 86_400))
def test_every_instant_is_in_the_period_found_for_it(anchor: Anchor, interval: Interval, seconds: int) -> None:
    instant = anchor.at + timedelta(seconds=seconds)

    period = anchor.period_at(instant, interval)

    assert period.holds(instant)
    assert period == anchor.period(period.number, interval)


@given(anchors, intervals, st.integers(0, 300))
def test_the_boundary_belongs_to_the_new_period(anchor: Anchor, interval: Interval, number: int) -> None:
    boundary = anchor.boundary(number, interval)

    assert anchor.period_at(boundary, interval).number == number
    if number:
        assert anchor.period_at(boundary - timedelta(microseconds=1), interval).number == number - 1


@given(anchors, st.integers(0, 20))
def test_a_yearly_plan_has_twelve_monthly_allowance_periods(anchor: Anchor, number: int) -> None:
    paid = anchor.period(number, YEAR)

    months = [anchor.allowance_period_at(paid.start)]
    while months[-1].end < paid.end:
        months.append(anchor.allowance_period_at(months[-1].end))

    assert len(months) == 12
    assert (months[0].start, months[-1].end) == (paid.start, paid.end)
    assert all(earlier.end == later.start for earlier, later in pairwise(months))


@given(anchors, st.integers(0, 300))
def test_a_monthly_plan_has_one(anchor: Anchor, number: int) -> None:
    paid = anchor.period(number, MONTH)

    assert anchor.allowance_period_at(paid.start) == paid


def test_before_the_anchor_there_is_nothing() -> None:
    anchor = anchored(at("2026-01-31T00:00"), "UTC")

    with pytest.raises(ValueError, match="before the anchor"):
        anchor.boundary(-1, MONTH)
    with pytest.raises(ValueError, match="before the anchor"):
        anchor.period_at(anchor.at - timedelta(seconds=1), MONTH)


def test_an_anchor_is_a_whole_second_with_a_zone() -> None:
    assert anchored(datetime(2026, 1, 1, 0, 0, 5, 999_999, tzinfo=UTC), "UTC").at == at("2026-01-01T00:00:05")
    for wrong in (datetime(2026, 1, 1), datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)):  # noqa: DTZ001
        with pytest.raises(ValueError, match="whole second"):
            Anchor(wrong, ZoneInfo("UTC"))


def test_seconds_are_those_that_pass_and_not_those_on_the_wall() -> None:
    zone = ZoneInfo("Europe/Berlin")
    before, after = datetime(2026, 3, 29, 1, tzinfo=zone), datetime(2026, 3, 29, 4, tzinfo=zone)

    assert seconds_between(before, after) == 2 * 3_600
