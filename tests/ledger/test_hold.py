"""Holding, settling, releasing and expiring."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import ledger
from app.db import transaction
from app.errors import IdempotencyKeyReused, InsufficientFunds, Invalid, NotFound
from app.ledger import Account, HoldEnded, SettlementTooLarge
from tests.ledger.conftest import REVENUE, Wallet


def test_a_hold_lowers_what_is_available_and_not_the_balance(wallet: Wallet) -> None:
    wallet.tops_up(10)

    hold = wallet.holds(6)

    assert hold.state == "held"
    assert (wallet.balance.balance, wallet.balance.held, wallet.balance.available) == (10, 6, 4)


def test_held_money_cannot_be_spent_or_held_again(wallet: Wallet, everything: Callable[[], Any]) -> None:
    wallet.tops_up(10)
    wallet.holds(6)
    before = everything()

    with pytest.raises(InsufficientFunds):
        wallet.spends(5)
    with pytest.raises(InsufficientFunds):
        wallet.holds(5)

    assert everything() == before


def test_a_hold_is_made_once_per_key(wallet: Wallet) -> None:
    wallet.tops_up(10)
    hold = wallet.holds(6, key="h")

    again = wallet.holds(6, key="h", minutes=20)

    assert again.id == hold.id
    assert again.replayed
    assert again.expires_at == hold.expires_at
    with pytest.raises(IdempotencyKeyReused):
        wallet.holds(5, key="h")


def test_settling_spends_the_amount_and_returns_the_rest(wallet: Wallet) -> None:
    wallet.tops_up(10)
    hold = wallet.holds(6)

    ended, entry = wallet.settles(hold, 4)

    assert ended.state == "settled"
    assert entry is not None
    assert (ended.settled_amount, ended.settled_entry) == (4, entry.id)
    assert (wallet.balance.balance, wallet.balance.held) == (6, 0)


def test_settling_nothing_writes_no_entry(wallet: Wallet) -> None:
    wallet.tops_up(10)

    ended, entry = wallet.settles(wallet.holds(6), 0)

    assert (ended.state, ended.settled_amount, entry) == ("settled", 0, None)
    assert wallet.balance.available == 10


def test_settling_shares_between_accounts(wallet: Wallet, session: Session) -> None:
    wallet.tops_up(10)
    hold = wallet.holds(6)
    to = {REVENUE: 1, Account("house", "payable:pub_1", "usd"): 5}

    with transaction(session):
        _, entry = ledger.settle(session, wallet.customer_id, hold.id, 6, kind="invocation", to=to)

    assert entry is not None
    assert len(entry.legs) == 3


def test_settling_over_the_hold_takes_what_is_there_and_leaves_a_debt_for_the_rest(wallet: Wallet) -> None:
    wallet.tops_up(10)
    hold = wallet.holds(8)

    wallet.settles(hold, 13)

    assert (wallet.balance.balance, wallet.balance.debt) == (-3, 3)


def test_settling_over_twice_the_hold_is_refused(wallet: Wallet, everything: Callable[[], Any]) -> None:
    wallet.tops_up(10)
    hold = wallet.holds(4)
    before = everything()

    with pytest.raises(SettlementTooLarge) as refused:
        wallet.settles(hold, 9)

    assert refused.value.details["maximum"] == 8
    assert everything() == before


def test_settling_again_answers_the_same_and_anything_else_is_refused(wallet: Wallet) -> None:
    wallet.tops_up(10)
    hold = wallet.holds(6)
    ended, entry = wallet.settles(hold, 4)

    assert wallet.settles(hold, 4) == (ended, entry)
    with pytest.raises(HoldEnded):
        wallet.settles(hold, 5)
    with pytest.raises(HoldEnded):
        wallet.settles(hold, 4, kind="compute")
    with pytest.raises(HoldEnded):
        wallet.releases(hold)
    assert wallet.balance.balance == 6


def test_releasing_gives_it_all_back_once(wallet: Wallet) -> None:
    wallet.tops_up(10)
    hold = wallet.holds(6)

    assert wallet.releases(hold).state == "released"
    assert wallet.releases(hold).state == "released"

    assert wallet.balance.available == 10
    with pytest.raises(HoldEnded):
        wallet.settles(hold, 1)


def test_holds_end_by_themselves_when_their_time_is_over(wallet: Wallet, session: Session, clock: Any) -> None:
    wallet.tops_up(10)
    early, late = wallet.holds(3, minutes=5), wallet.holds(4, minutes=50)
    clock.advance(minutes=5)

    with transaction(session):
        ended = ledger.expire_holds(session, the_clock.now(), 100)

    assert ended == 1
    assert wallet.balance.held == 4
    found = ledger.find_hold(session, wallet.customer_id, early.id)
    assert found is not None
    assert found.state == "expired"
    assert [hold.id for hold in ledger.live_holds(session, wallet.account)] == [late.id]


def test_an_expired_hold_cannot_be_settled_and_stays_as_it_is_when_released(
    wallet: Wallet, session: Session, clock: Any
) -> None:
    wallet.tops_up(10)
    hold = wallet.holds(3)
    clock.advance(hours=1)
    with transaction(session):
        ledger.expire_holds(session, the_clock.now(), 100)

    with pytest.raises(HoldEnded):
        wallet.settles(hold, 3)

    assert wallet.releases(hold).state == "expired"
    assert wallet.balance.available == 10


def test_an_overdue_hold_can_be_settled_until_it_is_swept(wallet: Wallet, clock: Any) -> None:
    wallet.tops_up(10)
    hold = wallet.holds(3)
    clock.advance(hours=1)

    ended, _ = wallet.settles(hold, 3)

    assert ended.state == "settled"


def test_expiry_takes_as_many_as_it_is_told(wallet: Wallet, session: Session, clock: Any) -> None:
    wallet.tops_up(10)
    for _ in range(5):
        wallet.holds(1)
    clock.advance(hours=1)

    with transaction(session):
        counts = [ledger.expire_holds(session, the_clock.now(), 2) for _ in range(4)]

    assert counts == [2, 2, 1, 0]


def test_a_hold_needs_an_end_in_the_future_and_an_amount(wallet: Wallet, session: Session) -> None:
    wallet.tops_up(10)

    with pytest.raises(Invalid):
        wallet.holds(1, minutes=0)
    with pytest.raises(Invalid):
        wallet.holds(0)
    with pytest.raises(NotFound), transaction(session):
        ledger.release(session, wallet.customer_id, "hold_none")


def test_another_customers_hold_is_not_found(wallet: Wallet, session: Session) -> None:
    wallet.tops_up(10)
    hold = wallet.holds(3)

    with pytest.raises(NotFound), transaction(session):
        ledger.release(session, "cus_other", hold.id)


def test_credits_can_be_held_too(session: Session) -> None:
    units = Account("cus_c", "credits", "credits")
    house = Account("house", "promotions", "credits")
    with transaction(session):
        ledger.post(session, "credit_grant", {units: 10, house: -10}, customer_id="cus_c", key="g")
        ledger.hold(session, units, 4, key="h", expires_at=the_clock.now() + timedelta(minutes=1))

    assert ledger.balance(session, units).available == 6
