"""Projections: integers from the last seven full days, rounded once, and never below what is used already."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.metering import projection
from app.metering.projection import Pace, Run

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 10, 40, tzinfo=UTC)
START, END = datetime(2026, 11, 4, tzinfo=UTC), datetime(2026, 12, 4, tzinfo=UTC)
CALLS = [33120, 34480, 35910, 18240, 16875, 36420, 38215, 37960, 39340, 36105, 19450, 17580, 38700, 41225, 42580, 43900]
CALLS.append(18100)  # so far today
DAILY = {date(2026, 11, 4) + timedelta(days=place): count for place, count in enumerate(CALLS)}


def test_the_pace_is_that_of_the_last_seven_full_days():
    assert projection.pace(DAILY, TODAY) == Pace(sum(CALLS[-8:-1]), 7)


def test_the_design_s_own_figures_come_out():
    pace = projection.pace(DAILY, TODAY)

    heading = projection.total(548_200, 18_100, pace, NOW, START, END)

    assert heading == 1_009_180
    assert 48_200 * 400 + Run(548_200, 500_000, 400, pace).more(heading - 548_200) == 203_672_000


def test_days_without_use_count_and_so_do_fewer_than_seven():
    quiet = {date(2026, 11, 1): 70, date(2026, 11, 15): 14}
    young = {date(2026, 11, 17): 30, TODAY: 5}

    assert projection.pace(quiet, TODAY) == Pace(14, 7)
    assert projection.pace(young, TODAY) == Pace(30, 3)


def test_without_a_full_day_nothing_is_projected():
    pace = projection.pace({TODAY: 40}, TODAY)

    assert pace == Pace(0, 0)
    assert pace.per_day == 0
    assert projection.total(40, 40, pace, NOW, START, END) == 40


def test_today_counts_as_an_average_day_from_where_the_period_begins():
    begun_at_noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    two_days_later = begun_at_noon + timedelta(days=2)
    in_the_afternoon = begun_at_noon + timedelta(hours=3)

    assert projection.total(0, 0, Pace(700, 7), in_the_afternoon, begun_at_noon, two_days_later) == 200


def test_a_day_that_is_more_than_an_average_one_is_not_taken_back():
    last_day = datetime(2026, 12, 3, 20, tzinfo=UTC)

    assert projection.total(5_000, 900, Pace(700, 7), last_day, START, END) == 5_000


def test_a_period_that_is_over_comes_to_what_it_came_to():
    assert projection.total(5_000, 0, Pace(700, 7), END, START, END) == 5_000


def test_what_is_over_already_costs_nothing_more():
    assert Run(600, 500, 10, Pace(7, 7)).more(5) == 50
    assert Run(480, 500, 10, Pace(7, 7)).more(25) == 50
    assert Run(480, 500, 10, Pace(7, 7)).more(20) == 0
    assert Run(480, None, 10, Pace(7, 7)).more(20_000) == 0


def test_the_wallet_covers_whole_days():
    runs = [Run(548_200, 500_000, 400, Pace(239_540, 7))]

    assert projection.days_covered(45_350_000, runs, NOW, END) == 3
    assert projection.days_covered(0, runs, NOW, END) == 0


def test_a_wallet_that_lasts_as_long_as_the_period_is_told_so():
    within = [Run(10, 500_000, 400, Pace(70, 7))]

    assert projection.days_covered(0, within, NOW, END) is None
    assert projection.days_covered(10**12, [Run(9, 5, 400, Pace(70, 7))], NOW, END) is None


@given(
    used=st.integers(0, 10**12),
    units=st.integers(0, 10**12),
    days=st.integers(1, 7),
    hours=st.integers(0, 30 * 24 - 1),
)
def test_no_projection_is_below_what_is_used_or_more_than_one_unit_off(used, units, days, hours):
    now = START + timedelta(hours=hours)

    heading = projection.total(used, 0, Pace(units, days), now, START, END)

    left = (END - now.replace(hour=0)).days
    assert heading >= used
    assert abs((heading - used) * days - units * left) * 2 <= days
