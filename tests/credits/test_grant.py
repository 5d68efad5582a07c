"""Granting credits: once per key, to whom they belong, in the audit log."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app import activity, clock, credits
from app.db import transaction
from app.errors import IdempotencyKeyReused, Invalid
from tests.credits.conftest import Purse, in_days


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_a_grant_is_there_to_spend(purse: Purse) -> None:
    given = purse.gets(100, "checkin", expires_at=in_days(30))

    assert (given.amount, given.remaining, given.balance_after, given.replayed) == (100, 100, 100, False)
    kept = credits.balance(purse.session, purse.customer_id)
    assert (kept.available, kept.ends_next, kept.ends_at) == (100, 100, given.expires_at)


def test_the_same_key_grants_once(purse: Purse) -> None:
    first = purse.gets(100, "welcome", key="welcome:customer")
    again = purse.gets(100, "welcome", key="welcome:customer")

    assert again.replayed
    assert (again.id, again.entry_id, purse.balance) == (first.id, first.entry_id, 100)
    assert len(activity.of_everyone(purse.session, action="credits.granted", limit=5).lines) == 1


def test_the_same_key_with_another_amount_is_refused(purse: Purse) -> None:
    purse.gets(100, key="once")

    with pytest.raises(IdempotencyKeyReused):
        purse.gets(101, key="once")

    assert purse.left == [100]


def test_an_adjustment_again_with_another_end_is_refused(purse: Purse) -> None:
    told = {"reason": "Goodwill", "actor": "staff:usr_1", "key": "k"}
    with transaction(purse.session):
        credits.adjust(purse.session, purse.customer_id, 5, expires_at=in_days(1), **told)

    with pytest.raises(IdempotencyKeyReused), transaction(purse.session):
        credits.adjust(purse.session, purse.customer_id, 5, **told)


@pytest.mark.parametrize("amount", [0, -1, 10**9 + 1])
def test_an_amount_out_of_range_is_refused(purse: Purse, amount: int) -> None:
    with pytest.raises(Invalid):
        purse.gets(amount)


def test_credits_that_are_over_before_they_come_are_refused(purse: Purse) -> None:
    with pytest.raises(Invalid):
        purse.gets(10, expires_at=clock.now() - timedelta(seconds=1))
