"""Reversing an entry: a new entry that moves the same back, once."""

from __future__ import annotations

import pytest

from app.errors import InsufficientFunds, NotFound
from app.ledger import AlreadyReversed, ChartViolation
from tests.ledger.conftest import Wallet


def test_it_moves_back_what_the_entry_moved(wallet: Wallet) -> None:
    wallet.tops_up(10)
    spent = wallet.spends(4)

    undone = wallet.reverses(spent)

    assert wallet.balance.balance == 10
    assert undone.kind == "reversal"
    assert undone.reverses == spent.id


def test_it_happens_once(wallet: Wallet) -> None:
    wallet.tops_up(10)
    spent = wallet.spends(4)
    wallet.reverses(spent)

    with pytest.raises(AlreadyReversed):
        wallet.reverses(spent)

    assert wallet.balance.balance == 10


def test_it_answers_again_for_the_same_key(wallet: Wallet) -> None:
    wallet.tops_up(10)
    spent = wallet.spends(4)

    first, again = wallet.reverses(spent, key="r"), wallet.reverses(spent, key="r")

    assert first == again
    assert again.replayed


def test_it_gives_back_the_promotional_part_it_took(wallet: Wallet) -> None:
    wallet.is_given(5)
    wallet.tops_up(10)
    spent = wallet.spends(8)

    wallet.reverses(spent)

    assert (wallet.balance.balance, wallet.balance.promo) == (15, 5)


def test_it_refuses_to_take_back_what_is_spent(wallet: Wallet) -> None:
    came = wallet.tops_up(10)
    wallet.spends(4)

    with pytest.raises(InsufficientFunds):
        wallet.reverses(came)


def test_it_refuses_an_entry_of_nobody(wallet: Wallet) -> None:
    came = wallet.tops_up(10)
    wallet.account = wallet.account._replace(customer_id="cus_other")

    with pytest.raises(NotFound):
        wallet.reverses(came)


def test_it_does_not_reverse_a_reversal(wallet: Wallet) -> None:
    undone = wallet.reverses(wallet.tops_up(10))

    with pytest.raises(ChartViolation):
        wallet.reverses(undone)
