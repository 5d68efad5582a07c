"""Undoing: a return goes to the grants it was taken from, once; a grant goes back whole or what is left of it."""

from __future__ import annotations

import pytest

from app import credits
from app.db import transaction
from app.errors import NotFound
from app.ledger import AlreadyReversed
from tests.credits.conftest import WHY, Purse, in_days


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_what_was_taken_returns_to_the_same_grants_whatever_todays_order(purse: Purse, clock) -> None:
    purse.gets(10)
    clock.advance(seconds=1)
    purse.gets(10)
    taken = purse.loses(15)
    clock.advance(seconds=1)
    purse.gets(10, expires_at=in_days(1))  # would be first now

    purse.undoes(taken.id)

    assert (purse.left, purse.balance) == ([10, 10, 10], 30)


def test_what_returns_to_a_grant_that_is_over_ends_at_once(purse: Purse, clock) -> None:
    purse.gets(10, expires_at=in_days(1))
    clock.advance(seconds=1)
    purse.gets(10)
    taken = purse.loses(15)
    clock.advance(days=2)

    purse.undoes(taken.id)

    assert (purse.left, purse.balance) == ([0, 10], 10)


def test_once_and_the_same_key_is_the_same_return(purse: Purse) -> None:
    purse.gets(10)
    taken = purse.loses(10)

    first = purse.undoes(taken.id, key="k")

    assert purse.undoes(taken.id, key="k").id == first.id
    with pytest.raises(AlreadyReversed):
        purse.undoes(taken.id, key="other")
    assert purse.balance == 10


def test_a_whole_grant_goes_back_and_one_that_is_used_in_part_does_not(purse: Purse) -> None:
    whole, part = purse.gets(10, expires_at=in_days(9)), purse.gets(10, expires_at=in_days(3))
    purse.loses(4)

    purse.undoes(whole.entry_id)
    with pytest.raises(credits.CreditsSpent) as refused:
        purse.undoes(part.entry_id)

    assert refused.value.details == {"amount": 10, "remaining": 6}
    assert purse.balance == 6


def test_what_is_left_of_a_grant_can_be_taken_alone(purse: Purse) -> None:
    paid, _ = purse.buys(10), purse.gets(10)
    purse.loses(14)

    for _ in range(2):
        with transaction(purse.session):
            told = {"key": "revoke:1", "reason": WHY, "actor": "stripe"}
            taken = credits.revoke(purse.session, purse.customer_id, paid.id, **told)

    assert (taken, purse.balance) == (0, 0)


def test_a_return_and_an_end_are_not_undone(purse: Purse, clock) -> None:
    purse.gets(10, expires_at=in_days(1))
    back = purse.undoes(purse.loses(5).id)

    with pytest.raises(credits.NotReversible):
        purse.undoes(back.id)
    with pytest.raises(NotFound):
        purse.undoes("wtxn_nowhere")
