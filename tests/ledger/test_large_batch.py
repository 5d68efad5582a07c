"""A large batch is written part by part, in one transaction: no part stands without the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import clock, ids, ledger
from app.errors import IdempotencyKeyReused, InsufficientFunds
from app.ledger import Account, Committer, Entry, Posting, clerk_postgresql
from app.ledger.direct_write import DirectWrite
from tests.ledger.conftest import CASH, REVENUE, Wallet


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerk_postgresql, "PART", 3)


@pytest.fixture
def accounts(committer: Committer) -> list[Account]:
    """Ten wallets with 100 each, known to the committer."""
    made = [Account(ids.new("cus"), "wallet", "usd") for _ in range(10)]
    committer.post_many([posting(account, 100, "fill") for account in made])
    return made


def posting(account: Account, amount: int, key: str) -> Posting:
    kind, other = ("topup", CASH) if amount > 0 else ("debit", REVENUE)
    return ledger.posting(kind, {account: amount, other: -amount}, customer_id=account.customer_id, key=key)


def balances(session: Session, accounts: list[Account]) -> list[int]:
    return [ledger.balance(session, account).balance for account in accounts]


def test_each_answers_for_itself_in_the_order_asked(
    committer: Committer, accounts: list[Account], session: Session
) -> None:
    many = [posting(accounts[n % 10], -1 - n // 10, f"n{n}") for n in range(30)][::-1]

    answers = committer.post_many(many)

    assert [a.key for a in answers if isinstance(a, Entry)] == [one.key for one in many]
    assert balances(session, accounts) == [94] * 10
    assert ledger.audit(session, full=True).clean


def test_a_refusal_in_a_late_part_touches_nobody_else(
    committer: Committer, accounts: list[Account], session: Session
) -> None:
    many = [posting(account, -60, key) for key in ("one", "two") for account in accounts]

    answers = committer.post_many(many)

    assert [isinstance(answer, Entry) for answer in answers] == [True] * 10 + [False] * 10
    assert all(isinstance(answer, InsufficientFunds) for answer in answers[10:])
    assert balances(session, accounts) == [40] * 10


def test_a_key_seen_in_an_earlier_part_or_batch_is_known(committer: Committer, accounts: list[Account]) -> None:
    first = posting(accounts[0], -1, "once")
    others = [posting(accounts[0], -1, f"n{n}") for n in range(5)]

    [one, *_, again, other] = committer.post_many(
        [first, *others, posting(accounts[0], -1, "once"), posting(accounts[0], -2, "once")]
    )
    [later, *_] = committer.post_many([first, *(posting(accounts[0], -1, f"m{n}") for n in range(5))])

    assert isinstance(one, Entry)
    assert isinstance(again, Entry)
    assert isinstance(later, Entry)
    assert (again.id, again.replayed, later.id, later.replayed) == (one.id, True, one.id, True)
    assert isinstance(other, IdempotencyKeyReused)


def test_what_others_moved_meanwhile_is_noticed_in_any_part(
    committer: Committer, accounts: list[Account], session: Session, engine: Engine
) -> None:
    for account in (min(accounts), max(accounts)):
        Wallet(session, account).spends(50)

    answers = committer.post_many([posting(account, -50, "all") for account in accounts])

    assert all(isinstance(answer, Entry) for answer in answers)
    left = balances(session, accounts)
    assert sorted(left) == [0, 0] + [50] * 8
    assert ledger.audit(session, full=True).clean


def test_a_fault_leaves_the_others_done_and_the_connection_fit(
    committer: Committer, accounts: list[Account], session: Session
) -> None:
    wrong = posting(accounts[5], -1, "wrong")
    wrong.data = {"never": object()}
    many = [posting(account, -1, "right") for account in accounts]

    with pytest.raises(TypeError):
        committer.post_many([*many, wrong])
    committer.post_many([posting(account, -1, "after") for account in accounts])

    assert balances(session, accounts) == [98] * 10


@pytest.mark.postgresql
def test_a_connection_lost_between_parts_loses_nothing(
    committer: Committer, accounts: list[Account], session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    send: Callable[..., None] = DirectWrite.send

    def lose_it_once(self: DirectWrite, *call: Any) -> None:
        sent.append(1)
        if len(sent) == 3:
            self._connection.finish()
        send(self, *call)

    monkeypatch.setattr(DirectWrite, "send", lose_it_once)

    answers = committer.post_many([posting(account, -1, "n") for account in accounts])

    assert all(isinstance(answer, Entry) for answer in answers)
    assert balances(session, accounts) == [99] * 10


def test_holds_in_a_large_batch_of_threads_are_kept(committer: Committer, accounts: list[Account]) -> None:
    expiry = clock.now() + timedelta(minutes=5)
    holds = [committer.hold(account, 10, key="h", expires_at=expiry) for account in accounts]
    committer.post_many([posting(account, -1, "n") for account in accounts])

    ended = [committer.settle(hold.customer_id, hold.id, 10, kind="llm", to=REVENUE)[0] for hold in holds]

    assert {hold.state for hold in ended} == {"settled"}
