"""Spending credits: which grants pay, once per key, never below zero, and what it costs said before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app import credits
from app.errors import IdempotencyKeyReused, InsufficientFunds, Invalid
from tests.credits.conftest import Purse, in_days


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture(autouse=True)
def draw(action: Callable[..., None]) -> None:
    """Drawing costs 10 credits."""
    action("draw", 10)


def test_what_ends_first_is_spent_first_then_the_given_then_the_older(purse: Purse, clock) -> None:
    purse.buys(10)
    clock.advance(seconds=1)
    purse.gets(10)
    clock.advance(seconds=1)
    purse.gets(10)
    purse.buys(10, expires_at=in_days(60))
    purse.gets(10, expires_at=in_days(30))

    seen = []
    for _ in range(5):
        before = purse.left
        purse.spends()
        seen.append(next(place for place, (was, now) in enumerate(zip(before, purse.left, strict=True)) if was != now))

    assert seen == [4, 3, 1, 2, 0]


def test_a_lower_priority_goes_before_everything(purse: Purse) -> None:
    purse.gets(10, expires_at=in_days(1))
    purse.buys(10, priority=-1)

    purse.spends()

    assert sorted(purse.left) == [0, 10]
    assert credits.balance(purse.session, purse.customer_id).ends_next == 10


def test_one_spend_may_take_from_several(purse: Purse, clock) -> None:
    purse.gets(15)
    clock.advance(seconds=1)
    purse.gets(15)

    spent = purse.spends(quantity=2)

    assert (spent.cost, spent.balance_after, purse.left) == (20, 10, [0, 10])


def test_the_same_key_spends_once_whatever_it_costs_by_then(purse: Purse) -> None:
    purse.gets(100)
    first = purse.spends(key="k")

    again = purse.spends(key="k")

    assert again.replayed
    assert (again.entry.id, again.balance_after, purse.balance) == (first.entry.id, 90, 90)
    with pytest.raises(IdempotencyKeyReused):
        purse.spends(quantity=2, key="k")


def test_more_than_there_is_is_refused_with_the_figures(purse: Purse) -> None:
    purse.gets(15)

    with pytest.raises(InsufficientFunds) as refused:
        purse.spends(quantity=2)

    assert refused.value.details == {"available": 15, "needed": 20}
    assert purse.left == [15]


def test_what_is_over_is_not_spent_though_nobody_has_written_it_off(purse: Purse, clock) -> None:
    purse.gets(100, expires_at=in_days(1))
    purse.gets(10)
    clock.advance(days=1)  # the instant itself belongs to what comes after

    assert credits.balance(purse.session, purse.customer_id).available == 10
    with pytest.raises(InsufficientFunds):
        purse.spends(quantity=2)
    assert purse.spends().balance_after == 0


def test_a_quote_says_what_it_costs_and_changes_nothing(purse: Purse) -> None:
    purse.gets(15)

    asked = credits.quote(purse.session, purse.customer_id, "draw", 2)

    assert (asked.unit_cost, asked.cost, asked.balance, asked.balance_after) == (10, 20, 15, -5)
    assert not asked.enough
    assert purse.balance == 15


@pytest.mark.parametrize("quantity", [0, -1, 1_000_001])
def test_a_quantity_out_of_range_is_refused(purse: Purse, quantity: int) -> None:
    with pytest.raises(Invalid):
        credits.quote(purse.session, purse.customer_id, "draw", quantity)


def test_an_action_nobody_offers_is_refused(purse: Purse) -> None:
    with pytest.raises(credits.UnknownAction):
        purse.spends("fly")
