"""A frozen account (SPEC W5): nothing is spent or held from it, by whichever way in; everything else still passes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import clock, ids, ledger
from app.db import transaction
from app.errors import WalletFrozen
from tests.ledger.conftest import CASH, REVENUE, Wallet

CHARGEBACKS = ledger.Account("house", "chargebacks:stripe", "usd")
ADJUSTMENTS = ledger.Account("house", "adjustments", "usd")


@pytest.fixture
def frozen(wallet: Wallet) -> Wallet:
    """A wallet of 100 with 40 held, frozen."""
    wallet.tops_up(100)
    wallet.holds(40, key="before")
    with transaction(wallet.session):
        assert ledger.freeze(wallet.session, wallet.account)
    return wallet


def test_nothing_is_spent_or_held_from_a_frozen_wallet(frozen: Wallet, everything: Callable[[], Any]) -> None:
    before = everything()

    for spend in (
        lambda: frozen.spends(1),
        lambda: frozen.holds(1),
        lambda: frozen.post("refund", -1, ledger.Account("house", "refunds", "usd")),
    ):
        with pytest.raises(WalletFrozen) as refused:
            spend()
        assert "wallet is frozen" in refused.value.sentence
        assert "disput" not in refused.value.sentence, "it may have been frozen by hand"

    assert everything() == before


def test_money_in_and_what_is_taken_back_pass_a_frozen_wallet(frozen: Wallet) -> None:
    hold = ledger.live_holds(frozen.session, frozen.account)[0]

    frozen.tops_up(10)
    frozen.post("chargeback", -100, CHARGEBACKS)
    frozen.post("chargeback_won", 100, CHARGEBACKS)
    frozen.post("provider_refund", -5, CASH)
    frozen.post("adjustment", -5, ADJUSTMENTS)
    frozen.settles(hold, 40)

    found = ledger.balance(frozen.session, frozen.account)
    assert (found.balance, found.held, found.frozen) == (60, 0, True)


def test_a_spend_told_again_answers_as_before_though_the_wallet_froze_since(wallet: Wallet) -> None:
    wallet.tops_up(100)
    spent = wallet.spends(10, key="once")
    with transaction(wallet.session):
        ledger.freeze(wallet.session, wallet.account)

    again = wallet.spends(10, key="once")

    assert (again, again.replayed) == (spent, True)


def test_a_thawed_wallet_spends_again(frozen: Wallet) -> None:
    with transaction(frozen.session):
        assert not ledger.freeze(frozen.session, frozen.account)
        assert ledger.thaw(frozen.session, frozen.account)
        assert not ledger.thaw(frozen.session, frozen.account)

    frozen.spends(60)

    assert ledger.balance(frozen.session, frozen.account).available == 0


def test_a_wallet_never_used_can_be_frozen(wallet: Wallet) -> None:
    with transaction(wallet.session):
        assert ledger.freeze(wallet.session, wallet.account)

    with pytest.raises(WalletFrozen):
        wallet.spends(1)


def test_the_committer_learns_of_a_freeze_it_did_not_make(engine: Engine, wallet: Wallet) -> None:
    """It remembers accounts between batches; what it remembers is refused by the write itself."""
    wallet.tops_up(100)
    committer = ledger.Committer(engine)
    committer.post("debit", {wallet.account: -1, REVENUE: 1}, customer_id=wallet.customer_id, key="before")
    with transaction(wallet.session):
        ledger.freeze(wallet.session, wallet.account)

    with pytest.raises(WalletFrozen):
        committer.post("debit", {wallet.account: -1, REVENUE: 1}, customer_id=wallet.customer_id, key="after")
    with pytest.raises(WalletFrozen):
        expiry = clock.now() + timedelta(minutes=1)
        committer.hold(wallet.account, 1, key="held after", expires_at=expiry)
    with transaction(wallet.session):
        ledger.thaw(wallet.session, wallet.account)
    committer.post("debit", {wallet.account: -1, REVENUE: 1}, customer_id=wallet.customer_id, key="after")

    committer.close()
    assert ledger.balance(wallet.session, wallet.account).balance == 98


def test_whoever_spends_while_it_freezes_comes_before_or_is_refused(engine: Engine, wallet: Wallet) -> None:
    wallet.tops_up(1000)
    committer = ledger.Committer(engine)
    spent: list[str] = []
    started, refused = threading.Event(), threading.Event()

    def spend() -> None:
        try:
            while True:
                key = ids.new("key")
                committer.post("debit", {wallet.account: -1, REVENUE: 1}, customer_id=wallet.customer_id, key=key)
                spent.append(key)
                started.set()
        except WalletFrozen:
            refused.set()

    spender = threading.Thread(target=spend)
    spender.start()
    assert started.wait(30)
    with Session(engine) as session, transaction(session):
        ledger.freeze(session, wallet.account)
    with Session(engine) as session:
        left = ledger.balance(session, wallet.account).balance
    spender.join(30)

    assert refused.is_set()
    with Session(engine) as session:
        assert ledger.balance(session, wallet.account).balance == left == 1000 - len(spent)
    committer.close()


def test_the_database_itself_lets_no_hold_grow_on_a_frozen_wallet(engine: Engine, frozen: Wallet) -> None:
    sql = "UPDATE ledger_account SET held = held + 1, revision = revision + 1 WHERE customer_id = :customer"

    with pytest.raises(DBAPIError, match="a frozen account holds no more"), engine.begin() as connection:
        connection.execute(text(sql), {"customer": frozen.customer_id})
