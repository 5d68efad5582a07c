"""A hold that grows under its key: one for a whole day's use, raised as it happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import ledger
from app.db import transaction
from app.errors import IdempotencyKeyReused, InsufficientFunds, Invalid
from app.ledger import Account, Hold, HoldEnded, SettlementTooLarge
from tests.ledger.conftest import REVENUE, Wallet

Raise = Callable[..., Hold]


@pytest.fixture
def raises(wallet: Wallet) -> Raise:
    """Raise the wallet's hold "day", in a transaction of its own."""

    def raise_it(by: int, key: str = "day", minutes: int = 10, session: Session | None = None) -> Hold:
        session = session or wallet.session
        with transaction(session):
            expiry = the_clock.now() + timedelta(minutes=minutes)
            return ledger.raise_hold(session, wallet.account, by, key=key, expires_at=expiry, data={"meter": "m"})

    return raise_it


def test_the_first_makes_it_and_the_next_raise_it(wallet: Wallet, raises: Raise, clock: Any) -> None:
    wallet.tops_up(10)

    first = raises(3)
    clock.advance(minutes=1)
    second = raises(4)

    assert (first.amount, second.amount, second.state) == (3, 7, "held")
    assert (second.id, second.expires_at, second.data) == (first.id, first.expires_at, {"meter": "m"})
    assert [hold.amount for hold in ledger.live_holds(wallet.session, wallet.account)] == [7]
    assert (wallet.balance.balance, wallet.balance.held, wallet.balance.available) == (10, 7, 3)


def test_what_is_not_there_cannot_be_added(wallet: Wallet, raises: Raise, everything: Callable[[], Any]) -> None:
    wallet.tops_up(10)
    raises(6)
    before = everything()

    with pytest.raises(InsufficientFunds) as refused:
        raises(5)

    assert (refused.value.details["available_micros"], refused.value.details["needed_micros"]) == (4, 5)
    assert everything() == before
    assert raises(4).amount == 10


def test_an_empty_wallet_makes_none(wallet: Wallet, raises: Raise, everything: Callable[[], Any]) -> None:
    before = everything()

    with pytest.raises(InsufficientFunds):
        raises(1)

    assert everything() == before


def test_only_by_more_than_nothing(wallet: Wallet, raises: Raise) -> None:
    wallet.tops_up(ledger.MAX_AMOUNT)
    raises(ledger.MAX_AMOUNT)

    for by in (0, -1, ledger.MAX_AMOUNT + 1):
        with pytest.raises(Invalid):
            raises(by)
    with pytest.raises(Invalid):  # a hold larger than any movement could not be settled
        raises(1)


@pytest.mark.parametrize("end", ["settle", "release", "expire"])
def test_one_that_ended_is_not_raised(wallet: Wallet, raises: Raise, clock: Any, end: str) -> None:
    wallet.tops_up(10)
    hold = raises(3)
    if end == "settle":
        wallet.settles(hold, 3)
    elif end == "release":
        wallet.releases(hold)
    else:
        clock.advance(hours=1)
        with transaction(wallet.session):
            ledger.expire_holds(wallet.session, the_clock.now())

    with pytest.raises(HoldEnded) as refused:
        raises(1)

    assert refused.value.details["hold_id"] == hold.id
    assert wallet.balance.held == 0


def test_one_past_its_time_is_raised_until_it_is_swept(wallet: Wallet, raises: Raise, clock: Any) -> None:
    wallet.tops_up(10)
    raises(3)
    clock.advance(hours=1)

    assert raises(1).amount == 4


def test_the_key_of_another_hold_is_not_taken(wallet: Wallet, raises: Raise) -> None:
    wallet.tops_up(10)
    wallet.holds(3, key="mine")
    raises(3)
    units = Account(wallet.customer_id, "credits", "credits")
    expiry = the_clock.now() + timedelta(minutes=1)

    with pytest.raises(IdempotencyKeyReused):
        raises(1, key="mine")
    with pytest.raises(IdempotencyKeyReused):
        wallet.holds(3, key="day")
    with pytest.raises(IdempotencyKeyReused), transaction(wallet.session):
        ledger.raise_hold(wallet.session, units, 1, key="day", expires_at=expiry)


def test_it_is_settled_for_all_of_it_promotional_money_first(wallet: Wallet, raises: Raise) -> None:
    wallet.tops_up(10)
    wallet.is_given(5)
    raises(4)
    hold = raises(4)

    ended, entry = wallet.settles(hold, 8, kind="overage")

    assert entry is not None
    assert entry.leg(wallet.account).promo_amount == -5
    assert (ended.amount, ended.settled_amount) == (8, 8)
    assert (wallet.balance.balance, wallet.balance.held, wallet.balance.promo) == (7, 0, 0)


def test_twice_the_raised_amount_is_the_most_it_settles(wallet: Wallet, raises: Raise) -> None:
    wallet.tops_up(10)
    raises(2)
    hold = raises(3)

    with pytest.raises(SettlementTooLarge) as refused:
        wallet.settles(hold, 11)
    wallet.settles(hold, 10)

    assert refused.value.details["maximum"] == 10


def test_it_is_raised_and_ended_within_one_transaction(wallet: Wallet, raises: Raise) -> None:
    wallet.tops_up(10)
    raises(1)
    words: dict[str, Any] = {"key": "day", "expires_at": the_clock.now() + timedelta(minutes=1)}

    with transaction(wallet.session):
        ledger.raise_hold(wallet.session, wallet.account, 2, **words)
        hold = ledger.raise_hold(wallet.session, wallet.account, 3, **words)
        ledger.settle(wallet.session, wallet.customer_id, hold.id, 6, kind="overage", to=REVENUE)

    assert (wallet.balance.balance, wallet.balance.held) == (4, 0)


def test_the_committer_settles_what_was_raised_behind_its_back(
    wallet: Wallet, raises: Raise, committer: ledger.Committer
) -> None:
    wallet.tops_up(10)
    hold = raises(1)
    with pytest.raises(SettlementTooLarge):
        committer.settle(wallet.customer_id, hold.id, 8, kind="overage", to=REVENUE)
    raises(3)

    ended, _ = committer.settle(wallet.customer_id, hold.id, 8, kind="overage", to=REVENUE)

    assert ended.amount == 4
    assert wallet.balance.balance == 2


def test_threads_raise_it_to_the_last_micro_and_no_further(engine: Engine, wallet: Wallet, raises: Raise) -> None:
    # given a wallet that pays for fifty, debited and raised by eight threads, the first raise among them
    wallet.tops_up(50)
    done: list[int] = []
    wrong: list[BaseException] = []

    def work(me: int) -> None:
        with Session(engine, expire_on_commit=False) as session:
            for number in range(10):
                try:
                    if me % 4 == 3:
                        legs = {wallet.account: -1, REVENUE: 1}
                        with transaction(session):
                            ledger.post(session, "debit", legs, customer_id=wallet.customer_id, key=f"{me}:{number}")
                    else:
                        raises(1, session=session)
                    done.append(me)
                except InsufficientFunds:
                    pass
                except BaseException as failure:
                    wrong.append(failure)

    threads = [threading.Thread(target=work, args=(me,)) for me in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # then each micro was taken once, and the hold is what was raised
    [hold] = ledger.live_holds(wallet.session, wallet.account)
    assert wrong == []
    assert len(done) == 50
    assert hold.amount == sum(1 for me in done if me % 4 != 3)
    assert (wallet.balance.held, wallet.balance.available) == (hold.amount, 0)
    assert ledger.audit(wallet.session, full=True).clean


def test_a_raise_and_an_end_at_once_agree(engine: Engine, wallet: Wallet, raises: Raise) -> None:
    wallet.tops_up(1_000)
    for day in range(5):
        hold = raises(10, key=f"day {day}")
        raised: list[int] = []

        def keep_raising(day: int = day, raised: list[int] = raised) -> None:
            with Session(engine, expire_on_commit=False) as session:
                try:
                    while True:
                        raised.append(raises(1, key=f"day {day}", session=session).amount)
                except (HoldEnded, InsufficientFunds):
                    pass

        threads = [threading.Thread(target=keep_raising) for _ in range(2)]
        for thread in threads:
            thread.start()
        ended = wallet.releases(hold)
        for thread in threads:
            thread.join()

        assert ended.amount == max([10, *raised])
    assert wallet.balance.held == 0
    assert ledger.audit(wallet.session, full=True).clean


@pytest.mark.parametrize(
    "change",
    [
        "amount = amount - 1",
        "amount = amount",
        "amount = amount + 1, expires_at = '2099-01-01 00:00:00'",
        "amount = amount + 1, created_at = '2099-01-01 00:00:00'",
        "amount = amount + 1, data = '{}'",
        "amount = amount + 1, key = 'other'",
        "amount = amount + 1, settled_amount = 1",
        "amount = amount + 1, settled_entry = 'wtxn_1'",
        "amount = amount + 1, state = 'released', ended_at = '2099-01-01 00:00:00'",
    ],
)
def test_the_database_lets_nothing_but_the_amount_grow(
    wallet: Wallet, raises: Raise, engine: Engine, change: str
) -> None:
    wallet.tops_up(10)
    raises(5)

    with pytest.raises(DBAPIError, match="only grows"), engine.begin() as connection:
        connection.execute(text(f"UPDATE ledger_hold SET {change}"))


@pytest.mark.books_broken_on_purpose
def test_the_audit_notices_a_hold_raised_without_its_account(wallet: Wallet, raises: Raise, engine: Engine) -> None:
    wallet.tops_up(10)
    raises(5)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ledger_hold SET amount = amount + 1"))

    [fault] = ledger.audit(wallet.session).faults

    assert "5 is held; its live holds come to 6" in fault
