"""The arithmetic of invoices: whatever the figures, lines less discount plus tax is the total, and all goes back."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.invoices import arithmetic, tax
from app.invoices.tax import Place

CENTS = st.integers(-10_000_00, 100_000_00)
RATES = st.lists(st.integers(0, 1_000_000), max_size=4)


@given(st.lists(CENTS, min_size=1, max_size=12), st.integers(0, 1_000_000))
def test_a_discount_is_spread_to_the_cent_and_never_exceeds_a_line(amounts: list[int], part: int) -> None:
    whole = sum(max(0, amount) for amount in amounts)
    off = whole * part // 1_000_000

    parts = arithmetic.spread(off, amounts)

    assert sum(parts) == off
    for given_off, amount in zip(parts, amounts, strict=True):
        assert 0 <= given_off <= max(0, amount)
        # Each line bears its share to within a cent.
        assert not whole or abs(Fraction(given_off) - Fraction(off * max(0, amount), whole)) < 1


def test_a_discount_larger_than_its_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="never more"):
        arithmetic.spread(101, [100, -50])


@given(st.integers(0, 10**12), RATES)
def test_each_tax_is_rounded_once_from_the_unrounded_base_and_none_on_another(micros: int, ppm: list[int]) -> None:
    rows = [_rate(f"Tax {number}", rate) for number, rate in enumerate(ppm)]

    lines = tax.lines_of(rows, Place("GB"), micros, micros // 10_000, "usd")

    assert [line.rate_ppm for line in lines] == ppm
    for line in lines:
        exact = Fraction(micros * line.rate_ppm, 1_000_000 * 10_000)
        assert abs(line.amount_minor - exact) <= Fraction(1, 2)


def test_half_a_cent_of_tax_is_rounded_away_from_zero() -> None:
    assert arithmetic.tax_of(100_000, 50_000, 10_000) == 1  # 5 % of 10 cents is half a cent


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.lists(st.integers(1, 10**9), max_size=8))
def test_crediting_in_any_steps_returns_exactly_the_tax(net: int, of_tax: int, steps: list[int]) -> None:
    credited, returned = 0, 0
    for step in [*steps, net]:
        now = min(step, net - credited)
        if not now:
            break
        share = arithmetic.share_of_tax(of_tax, net, credited, now)
        assert share >= 0
        credited, returned = credited + now, returned + share
        assert returned <= of_tax

    left = net - credited
    last = arithmetic.share_of_tax(of_tax, net, credited, left) if left else 0
    assert returned + last == of_tax


def _rate(name: str, ppm: int) -> SimpleNamespace:
    return SimpleNamespace(
        country="GB", region="", customer_type="", name=name, rate_ppm=ppm, number=None, reverse_charge=False
    )
