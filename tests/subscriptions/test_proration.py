"""Proration: parts that sum to the whole, changes that cancel out, and one rounding in each part (P6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.subscriptions.periods import Interval, Period, anchored
from app.subscriptions.proration import (
    Share,
    is_upgrade,
    share_left,
    takes_effect_now,
)

MONTH, YEAR = Interval.MONTH, Interval.YEAR
prices = st.integers(0, 10_000_000)
shares = st.integers(1, 367 * 86_400).flatmap(lambda whole: st.builds(Share, st.integers(0, whole), st.just(whole)))
NOVEMBER = anchored(datetime(2026, 11, 4, tzinfo=UTC), "UTC").period(0, MONTH)


def half_away(exact: Fraction) -> int:
    """Another rounding than the program's: the decimal module's, on thirty digits more than are needed."""
    return int((Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal(1), ROUND_HALF_UP))


def due(old: int, new: int, left: Share) -> int:
    """What a change within the interval costs: the new plan for the rest, less what is unused of the old one."""
    return left.of(new) - left.of(old)


@given(prices, shares)
def test_each_part_is_rounded_once(price: int, left: Share) -> None:
    assert left.of(price) == half_away(Fraction(price * left.left, left.whole))
    assert left.of(-price) == -left.of(price)


@given(prices, prices, shares)
def test_up_and_down_again_at_the_same_instant_costs_nothing(old: int, new: int, left: Share) -> None:
    assert due(old, new, left) + due(new, old, left) == 0


@given(st.lists(prices, min_size=2, max_size=8), shares)
def test_a_way_over_other_plans_at_the_same_instant_costs_no_more(steps: list[int], left: Share) -> None:
    detour = sum(due(a, b, left) for a, b in pairwise(steps))

    assert detour == due(steps[0], steps[-1], left)


@given(prices, shares)
def test_what_is_left_is_never_more_than_the_price(price: int, left: Share) -> None:
    assert 0 <= left.of(price) <= price


@given(prices, st.lists(st.integers(0, NOVEMBER.seconds - 1), min_size=1, max_size=6))
def test_slices_between_changes_sum_to_the_price(price: int, offsets: list[int]) -> None:
    """However often one looks, what each slice of the period costs is in all exactly the price."""
    lefts = [share_left(NOVEMBER, NOVEMBER.start + timedelta(seconds=second)) for second in sorted({0, *offsets})]
    values = [left.of(price) for left in lefts] + [0]

    slices = [earlier - later for earlier, later in pairwise(values)]

    assert sum(slices) == price
    assert all(part >= 0 for part in slices)


@given(prices, shares)
def test_at_the_first_second_everything_is_left(price: int, left: Share) -> None:
    assert Share(left.whole, left.whole).of(price) == price
    assert Share(0, left.whole).of(price) == 0


def test_an_upgrade_half_way_through_the_month() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)  # 14 of 30 days are left

    left = share_left(NOVEMBER, at)

    assert (left.of(19_900), left.of(4_900), due(4_900, 19_900, left)) == (9_287, 2_287, 7_000)


def test_the_whole_period_is_the_measure_after_an_earlier_change_too() -> None:
    last_day = datetime(2026, 12, 3, tzinfo=UTC)

    assert share_left(NOVEMBER, last_day) == Share(86_400, 30 * 86_400)


def test_half_the_month_is_worth_half_its_price() -> None:
    assert share_left(NOVEMBER, datetime(2026, 11, 19, tzinfo=UTC)).of(3_000) == 1_500


def test_a_preview_and_its_confirmation_within_the_second_agree() -> None:
    at = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)

    assert share_left(NOVEMBER, at) == share_left(NOVEMBER, at.replace(microsecond=999_999))


@pytest.mark.parametrize("at", [NOVEMBER.start - timedelta(microseconds=1), NOVEMBER.end])
def test_outside_of_the_period_nothing_is_left_to_share(at: datetime) -> None:
    with pytest.raises(ValueError, match="not in the period"):
        share_left(NOVEMBER, at)


def test_where_the_clocks_change_the_hour_counts() -> None:
    berlin = anchored(datetime(2026, 2, 28, 23, tzinfo=UTC), "Europe/Berlin").period(0, MONTH)

    left = share_left(berlin, berlin.start)

    assert left == Share(31 * 86_400 - 3_600, 31 * 86_400 - 3_600)


def test_half_a_cent_goes_away_from_zero() -> None:
    assert Share(1, 2).of(1) == 1
    assert Share(1, 2).of(-1) == -1


@given(st.integers(0, 100_000), shares)
def test_included_credits_are_rounded_down(count: int, left: Share) -> None:
    granted = left.of_credits(count)

    assert granted <= Fraction(count * left.left, left.whole) < granted + 1


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((4_900, MONTH), (19_900, MONTH), True),
        ((19_900, MONTH), (4_900, MONTH), False),
        ((4_900, MONTH), (4_900, MONTH), True),
        ((4_900, MONTH), (49_000, YEAR), False),  # two months free: less a day
        ((49_000, YEAR), (4_900, MONTH), True),
        ((1_000, MONTH), (12_000, YEAR), True),
        ((49_000, YEAR), (19_900, MONTH), True),
    ],
)
def test_prices_are_compared_by_the_day(old: tuple, new: tuple, expected: bool) -> None:
    assert is_upgrade(*old, *new) is expected


def test_a_period_is_worth_its_price() -> None:
    period = Period(0, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC))

    assert share_left(period, period.start).of(999) == 999


@pytest.mark.parametrize(
    ("old", "new", "now"),
    [
        ((1000, MONTH, 1), (3000, MONTH, 2), True),
        ((3000, MONTH, 2), (1000, MONTH, 1), False),
        ((1000, MONTH, 1), (1000, MONTH, 2), True),
        ((1000, MONTH, 1), (10_000, YEAR, 1), True),  # cheaper a day, and still what they want now
        ((3000, MONTH, 2), (10_000, YEAR, 1), False),
        ((10_000, YEAR, 1), (1000, MONTH, 1), False),  # dearer a day: most of a year would come back as credit
        ((10_000, YEAR, 1), (30_000, YEAR, 2), True),
    ],
)
def test_what_takes_effect_now_never_leaves_credit_behind(old: Any, new: Any, now: bool) -> None:
    assert takes_effect_now(*old, *new) is now
