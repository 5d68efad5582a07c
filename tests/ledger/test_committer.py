"""The group committer: the same rules, in batches, each caller answered for itself."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import ledger
from app.db import make_engine, transaction
from app.errors import IdempotencyKeyReused, InsufficientFunds, Refusal
from app.ledger import Account, ChartViolation, Committer, Entry, Posting, clerk
from tests.ledger.conftest import CASH, REVENUE, Wallet


def debit(wallet: Wallet, amount: int, key: str) -> Posting:
    return ledger.posting("debit", {wallet.account: -amount, REVENUE: amount}, customer_id=wallet.customer_id, key=key)


def test_it_posts_and_answers_the_same_for_the_same_key(wallet: Wallet, committer: Committer) -> None:
    legs = {wallet.account: 100, CASH: -100}

    first = committer.post("topup", legs, customer_id=wallet.customer_id, key="k", data={"a": 1})
    again = committer.post("topup", legs, customer_id=wallet.customer_id, key="k", data={"a": 1})

    assert first == again
    assert again.replayed
    with pytest.raises(IdempotencyKeyReused):
        committer.post("topup", legs, customer_id=wallet.customer_id, key="k", data={"a": 2})


def test_it_refuses_what_the_wallet_cannot_pay(
    wallet: Wallet, committer: Committer, everything: Callable[[], Any]
) -> None:
    wallet.tops_up(10)
    before = everything()

    with pytest.raises(InsufficientFunds) as refused:
        committer.post("debit", {wallet.account: -11, REVENUE: 11}, customer_id=wallet.customer_id, key="k")

    assert refused.value.details["available_micros"] == 10
    assert everything() == before


def test_a_refused_item_does_not_touch_its_neighbours(wallet: Wallet, committer: Committer) -> None:
    wallet.tops_up(10)
    many = [debit(wallet, 6, "a"), debit(wallet, 6, "b"), debit(wallet, 4, "c"), debit(wallet, 6, "a")]

    first, second, third, fourth = committer.post_many(many)

    assert isinstance(first, Entry)
    assert isinstance(second, InsufficientFunds)
    assert isinstance(third, Entry)
    assert isinstance(fourth, Entry)
    assert fourth.id == first.id
    assert fourth.replayed
    assert wallet.balance.balance == 0


def test_a_faulty_item_does_not_touch_its_neighbours(wallet: Wallet, committer: Committer) -> None:
    wallet.tops_up(10)
    wrong = debit(wallet, 1, "b")
    wrong.data = {"never": object()}  # what `ledger.posting` would not have let through

    with pytest.raises(TypeError):
        committer.post_many([debit(wallet, 1, "a"), wrong, debit(wallet, 1, "c")])

    assert wallet.balance.balance == 8


def test_the_same_key_with_other_content_is_refused_within_a_batch(wallet: Wallet, committer: Committer) -> None:
    wallet.tops_up(10)

    first, second = committer.post_many([debit(wallet, 1, "a"), debit(wallet, 2, "a")])

    assert isinstance(first, Entry)
    assert isinstance(second, IdempotencyKeyReused)


def test_order_of_arrival_decides_who_gets_the_last_cent(wallet: Wallet, committer: Committer) -> None:
    wallet.tops_up(100)

    answers = committer.post_many([debit(wallet, 1, f"n{number}") for number in range(150)])

    assert [isinstance(answer, Entry) for answer in answers] == [True] * 100 + [False] * 50
    assert [a.balance_after for a in answers if isinstance(a, Entry)] == list(range(99, -1, -1))


def test_it_crashes_on_a_movement_outside_the_chart(wallet: Wallet, committer: Committer) -> None:
    with pytest.raises(ChartViolation):
        committer.post("debit", {wallet.account: -1, CASH: 1}, customer_id=wallet.customer_id, key="k")


def test_it_holds_settles_and_releases(wallet: Wallet, committer: Committer) -> None:
    wallet.tops_up(100)
    expiry = the_clock.now() + timedelta(minutes=5)
    one = committer.hold(wallet.account, 30, key="one", expires_at=expiry)
    two = committer.hold(wallet.account, 30, key="two", expires_at=expiry)
    assert committer.hold(wallet.account, 30, key="two", expires_at=expiry).replayed

    ended, entry = committer.settle(wallet.customer_id, one.id, 45, kind="llm", to=REVENUE)
    again, same = committer.settle(wallet.customer_id, one.id, 45, kind="llm", to=REVENUE)
    released = committer.release(wallet.customer_id, two.id)

    assert (again, same) == (ended, entry)
    assert released.state == "released"
    assert (wallet.balance.balance, wallet.balance.held) == (55, 0)


def test_it_notices_what_others_did_meanwhile(wallet: Wallet, committer: Committer, engine: Engine) -> None:
    wallet.tops_up(100)
    other = Committer(engine)
    expiry = the_clock.now() + timedelta(minutes=5)
    hold = committer.hold(wallet.account, 10, key="h", expires_at=expiry)

    for number in range(20):
        by = committer if number % 3 else other
        by.post("debit", {wallet.account: -1, REVENUE: 1}, customer_id=wallet.customer_id, key=f"n{number}")
        wallet.spends(1)
    other.release(wallet.customer_id, hold.id)

    assert committer.release(wallet.customer_id, hold.id).state == "released"
    assert (wallet.balance.balance, wallet.balance.held) == (60, 0)
    other.close()


def test_it_sees_a_top_up_made_elsewhere_before_it_refuses(wallet: Wallet, committer: Committer) -> None:
    wallet.tops_up(1)
    committer.post_many([debit(wallet, 1, "a")])
    wallet.tops_up(5)

    [answer] = committer.post_many([debit(wallet, 5, "b")])

    assert isinstance(answer, Entry)


def test_threads_share_transactions(wallet: Wallet, committer: Committer, session: Session) -> None:
    wallet.tops_up(10_000)
    answers: list[Entry] = []

    def work(me: int) -> None:
        for number in range(20):
            legs = {wallet.account: -1, REVENUE: 1}
            answers.append(committer.post("debit", legs, customer_id=wallet.customer_id, key=f"{me}:{number}"))

    run_all([threading.Thread(target=work, args=(me,)) for me in range(8)])

    assert len({answer.id for answer in answers}) == 160
    assert wallet.balance.balance == 10_000 - 160
    assert committer.batch_sizes.total() < 160


def test_both_ways_in_do_the_same(session: Session, committer: Committer) -> None:
    left, right = (Wallet(session, Account(f"cus_{name}", "wallet", "usd")) for name in ("left", "right"))
    steps: list[tuple[str, int, Account]] = [
        ("topup", 100, CASH),
        ("promo", 30, Account("house", "promotions", "usd")),
        ("debit", -50, REVENUE),
        ("debit", -500, REVENUE),
        ("chargeback", -100, CASH),
        ("topup", 40, CASH),
        ("refund", -1, CASH),
    ]
    for number, (kind, amount, other) in enumerate(steps):
        told = []
        for who, how in ((left, "session"), (right, "committer")):
            legs = {who.account: amount, other: -amount}
            words: dict[str, Any] = {"customer_id": who.customer_id, "key": str(number)}
            try:
                if how == "session":
                    with transaction(session):
                        entry = ledger.post(session, kind, legs, **words)
                else:
                    entry = committer.post(kind, legs, **words)
                told.append([leg[1:] for leg in entry.legs])
            except Refusal as refusal:
                told.append([refusal.details])
        assert told[0] == told[1]

    assert left.balance == right.balance


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_a_committer_of_its_own(wallet: Wallet, committer: Committer) -> None:
    wallet.tops_up(100)
    committer.post_many([debit(wallet, 1, "parent")])

    child = os.fork()
    if child == 0:
        try:
            committer.post_many([debit(wallet, 1, "child")])
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    committer.post_many([debit(wallet, 1, "parent again")])

    assert status == 0
    assert wallet.balance.balance == 97


def run_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql://nobody@127.0.0.1:9/nothing"])
def test_a_database_that_is_away_is_told_as_everywhere_else(url: str) -> None:
    gone = Committer(make_engine(url))

    with pytest.raises(OperationalError):  # which the pages and the API answer with 503
        gone.post("debit", {Account("cus_1", "wallet", "usd"): -1, REVENUE: 1}, customer_id="cus_1", key="k")


def test_a_locked_database_is_waited_for_once_and_not_five_times(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a SQLite file whose lock somebody keeps, and a wait for it that is longer than the patience
    monkeypatch.setattr(clerk, "_PATIENCE", 0.2)
    engine, other = make_engine(sqlite_url), make_engine(sqlite_url)
    tries = []  # each has a connection of its own

    def told(raw: Any, _record: Any) -> None:
        raw.execute("PRAGMA busy_timeout=500")
        tries.append(raw)

    event.listen(engine, "connect", told)
    with other.connect().execution_options(writes=True) as keeper:
        keeper.begin()

        # when somebody posts
        with pytest.raises(OperationalError):
            Committer(engine).post(
                "debit", {Account("cus_1", "wallet", "usd"): -1, REVENUE: 1}, customer_id="cus_1", key="k"
            )

    # then they are told so after one wait
    assert len(tries) == 1
    engine.dispose()
    other.dispose()
