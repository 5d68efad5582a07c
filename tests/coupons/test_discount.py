"""What a coupon takes off: never more than the price, never below nothing, rounded once."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.coupons.discount import covers, left_after, left_at_first, taken_off

PRICES = st.integers(0, 10**12)


@given(st.sampled_from(["percent", "amount", "credits"]), st.integers(1, 10**12), PRICES)
def test_it_stays_between_nothing_and_the_price(kind, value, price):
    value = value % 100 + 1 if kind == "percent" else value

    assert 0 <= taken_off(kind, value, price) <= price


@given(st.integers(1, 100), PRICES)
def test_a_percentage_is_rounded_once_halves_away_from_zero(percent, price):
    exact = Fraction(price * percent, 100)

    off = taken_off("percent", percent, price)

    assert abs(off - exact) <= Fraction(1, 2)
    assert off - exact != Fraction(-1, 2)


@given(PRICES)
def test_a_hundred_percent_leaves_nothing_to_pay(price):
    assert taken_off("percent", 100, price) == price


@given(st.integers(1, 10**12), PRICES)
def test_an_amount_is_cut_to_the_price_and_the_rest_is_lost(amount, price):
    assert price - taken_off("amount", amount, price) == max(0, price - amount)


@given(st.integers(1, 99), PRICES, PRICES)
def test_a_higher_price_is_never_cheaper_after_it(percent, one, other):
    low, high = sorted((one, other))

    assert low - taken_off("percent", percent, low) <= high - taken_off("percent", percent, high)


@given(st.integers(1, 60))
def test_a_repeating_coupon_covers_as_many_monthly_invoices_as_it_has_months(months):
    left, invoices = left_at_first("repeating", months), 0
    while left:
        left, invoices = left_after(left, 1), invoices + 1

    assert invoices == months


@pytest.mark.parametrize(("months", "invoices"), [(1, 1), (11, 1), (12, 1), (13, 2), (24, 2), (25, 3)])
def test_a_yearly_invoice_takes_twelve_months_and_is_covered_whole(months, invoices):
    left, covered = left_at_first("repeating", months), 0
    while left:
        left, covered = left_after(left, 12), covered + 1

    assert covered == invoices


def test_once_is_one_invoice_and_forever_has_no_end():
    assert left_after(left_at_first("once", None), 1) == 0
    assert left_after(left_at_first("once", None), 12) == 0
    assert left_after(left_at_first("forever", None), 12) is None


@pytest.mark.parametrize(
    ("scope", "yes", "no"),
    [
        ({}, ["plan:studio", "pack:small"], ["topup"]),
        ({"plans": []}, ["plan:studio"], ["pack:small", "topup"]),
        ({"plans": ["studio"]}, ["plan:studio"], ["plan:studio2", "plan:free", "pack:studio"]),
        ({"packs": ["small"], "topups": True}, ["pack:small", "topup"], ["pack:large", "plan:small"]),
        ({"topups": False, "plans": ["a"]}, ["plan:a"], ["topup"]),
    ],
)
def test_a_scope_covers_what_it_names(scope, yes, no):
    assert [covers(scope, what) for what in [*yes, *no]] == [True] * len(yes) + [False] * len(no)
