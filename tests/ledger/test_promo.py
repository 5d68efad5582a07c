"""Promotional money: spent first, refunded last, never more than there is."""

from __future__ import annotations

from tests.ledger.conftest import CASH, Wallet


def test_it_is_spent_before_paid_money(wallet: Wallet) -> None:
    wallet.tops_up(10)
    wallet.is_given(5)

    wallet.spends(3)

    assert (wallet.balance.promo, wallet.balance.paid) == (2, 10)


def test_it_runs_out_and_paid_money_follows(wallet: Wallet) -> None:
    wallet.tops_up(10)
    wallet.is_given(5)

    spent = wallet.spends(8)

    assert (wallet.balance.promo, wallet.balance.paid) == (0, 7)
    assert spent.leg(wallet.account).promo_amount == -5


def test_a_refund_takes_paid_money_first(wallet: Wallet) -> None:
    wallet.tops_up(10)
    wallet.is_given(5)

    wallet.post("refund", -10, CASH)

    assert (wallet.balance.promo, wallet.balance.paid) == (5, 0)


def test_a_chargeback_takes_paid_money_first_and_then_the_gift(wallet: Wallet) -> None:
    wallet.tops_up(10)
    wallet.is_given(5)

    wallet.suffers_chargeback(12)

    assert (wallet.balance.promo, wallet.balance.paid) == (3, 0)


def test_a_gift_first_fills_the_hole(wallet: Wallet) -> None:
    wallet.tops_up(10)
    wallet.spends(10)
    wallet.suffers_chargeback(10)

    wallet.is_given(15)

    assert (wallet.balance.balance, wallet.balance.promo) == (5, 5)
