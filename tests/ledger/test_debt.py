"""Debt: only by a chargeback, a provider's refund or a settlement over its hold, and filled by what comes next."""

from __future__ import annotations

import pytest

from app.errors import InsufficientFunds
from tests.ledger.conftest import CASH, Wallet


@pytest.mark.parametrize("kind", ["chargeback", "provider_refund"])
def test_money_the_provider_took_back_may_leave_a_debt(wallet: Wallet, kind: str) -> None:
    wallet.tops_up(10)
    wallet.spends(10)

    wallet.post(kind, -10, CASH)

    assert (wallet.balance.balance, wallet.balance.debt, wallet.balance.available) == (-10, 10, -10)


def test_the_next_top_up_fills_the_hole_first(wallet: Wallet) -> None:
    wallet.tops_up(10)
    wallet.spends(10)
    wallet.suffers_chargeback(10)

    wallet.tops_up(4)

    assert (wallet.balance.balance, wallet.balance.debt) == (-6, 6)


def test_nothing_is_spent_from_a_hole(wallet: Wallet) -> None:
    wallet.suffers_chargeback(10)

    with pytest.raises(InsufficientFunds):
        wallet.spends(1)


def test_a_refund_we_make_ourselves_stops_at_the_floor(wallet: Wallet) -> None:
    wallet.tops_up(10)
    wallet.spends(5)

    with pytest.raises(InsufficientFunds):
        wallet.post("refund", -6, CASH)


def test_a_chargeback_does_not_touch_what_is_held(wallet: Wallet) -> None:
    wallet.tops_up(10)
    hold = wallet.holds(8)

    wallet.suffers_chargeback(10)
    wallet.settles(hold, 8)

    assert (wallet.balance.balance, wallet.balance.held, wallet.balance.debt) == (-8, 0, 8)


def test_releasing_a_hold_shrinks_the_debt(wallet: Wallet) -> None:
    wallet.tops_up(10)
    hold = wallet.holds(8)
    wallet.suffers_chargeback(10)
    assert wallet.balance.debt == 8

    wallet.releases(hold)

    assert (wallet.balance.balance, wallet.balance.debt) == (0, 0)
