"""The filters: money, credits and instants as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db import transaction
from app.http import filters
from app.people import users

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "$0.00"),
        (1_990_000_000, "$1,990.00"),
        (-9_800_000, "−$9.80"),
        (1_234_567_890_000, "$1,234,567.89"),
        (9_999, "$0.00"),
        (-1, "−$0.01"),
        (4_999_900, "$4.99"),
    ],
)
def test_money_is_rounded_down_to_cents(micros, text):
    assert filters.money(micros, "usd") == text


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (100, "$0.0001"),
        (-100, "−$0.0001"),
        (1, "$0.000001"),
        (50_000_000, "$50.00"),
        (50_100_000, "$50.10"),
        (1_000_000_000_000_001, "$1,000,000,000.000001"),
    ],
)
def test_exact_money_is_never_rounded(micros, text):
    assert filters.exact(micros, "usd") == text


def test_a_plus_is_said_only_when_asked_for():
    assert filters.exact(10_000, "usd", sign=True) == "+$0.01"
    assert filters.exact(0, "usd", sign=True) == "$0.00"
    assert filters.exact(-10_000, "usd", sign=True) == "−$0.01"
    assert filters.cents(5_000, "usd", sign=True) == "+$50.00"


def test_other_currencies_have_their_own_sign_and_decimals():
    assert filters.cents(500, "jpy") == "¥500"
    assert filters.cents(1_005, "eur") == "€10.05"
    assert filters.cents(1_005, "kwd").endswith("1.005")


@given(st.integers(-(10**18), 10**18), st.sampled_from([0, 2, 4, 6]))
def test_exact_money_says_the_very_number(micros, places):
    text = filters.exact(micros, "usd", places=places)

    whole, _, part = text.replace("−", "-").replace("$", "").replace(",", "").partition(".")
    figures = int(whole.lstrip("-") + part.ljust(6, "0"))
    assert (-figures if micros < 0 else figures) == micros
    assert len(part) >= max(2, places)


@pytest.mark.parametrize(
    ("amounts", "places"), [([], 2), ([0], 2), ([5_000_000, -10_000], 2), ([5_000_000, 100], 4), ([5_000_000, 1], 6)]
)
def test_a_column_has_the_decimals_of_its_smallest_amount(amounts, places):
    assert filters.places_of(amounts) == places


def test_credits_are_counted_and_never_look_like_money():
    assert filters.credit_count(4_005) == "4,005 credits"
    assert filters.credit_count(1) == "1 credit"
    assert filters.credit_count(-400, sign=True) == "−400 credits"
    assert filters.credit_count(10, sign=True) == "+10 credits"


def test_instants_are_in_utc_without_a_reader(app):
    when = datetime(2026, 12, 4, 14, 22, 5, tzinfo=UTC)

    with app.test_request_context():
        assert filters.moment(when) == (
            f'<time datetime="2026-12-04T14:22:05Z">4{NBSP}Dec{NBSP}2026,{NBSP}14:22</time>'
        )
        assert filters.day(when) == f'<time datetime="2026-12-04">4{NBSP}Dec{NBSP}2026</time>'
        assert filters.clock_time(when) == '<time datetime="2026-12-04T14:22:05Z">14:22</time>'


def test_a_plain_date_has_no_zone(app):
    with app.test_request_context():
        assert filters.day_text(date(2026, 12, 4)) == f"4{NBSP}Dec{NBSP}2026"


def test_instants_are_in_the_readers_zone(app, session, ada, client_of):
    with transaction(session):
        users.set_time_zone(session, users.by_id(session, ada.id), "America/New_York")

    page = client_of(ada).get("/wallet").text

    assert f'<time datetime="2026-03-14T09:30:00Z">14{NBSP}Mar{NBSP}2026,{NBSP}05:30</time>' in page
    assert "Times in America/New_York." in page


def test_what_no_page_may_hold_is_left_out():
    assert filters.printable("50\x00\x1b[31m") == "50[31m"
    assert filters.printable("a\nb\tc é") == "a\nb\tc é"
