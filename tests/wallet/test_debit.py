"""Debits: never below zero, once per key, promotional money first, however many come at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import ledger
from app.db import transaction
from app.errors import IdempotencyKeyReused, InsufficientFunds, Invalid
from app.ledger import Committer
from app.wallet.debit import debit
from tests.support.people import Person


def test_it_takes_promotional_money_first(session: Session, ada: Person) -> None:
    ada.gets(cents=100)

    with transaction(session):
        debit(session, ada.customer_id, 4_999_999, description="Prints", key="a", by="key_host")

    balance = ledger.balance(session, ada.wallet)
    assert (balance.promo, balance.paid) == (1, 1_000_000)


def test_50_at_once_on_a_wallet_for_10_leave_exactly_10(session: Session, engine: Engine, ada: Person) -> None:
    def take(number: int) -> bool:
        try:
            debit(committer, ada.customer_id, 500_000, description="Print", key=str(number), by="key_host")
        except InsufficientFunds:
            return False
        return True

    with closing(Committer(engine)) as committer, ThreadPoolExecutor(16) as crowd:
        taken = list(crowd.map(take, range(50)))

    assert sum(taken) == 10
    assert ada.balance() == 0


def test_the_committer_and_a_transaction_know_the_same_keys(session: Session, engine: Engine, ada: Person) -> None:
    same = {"description": "Print", "key": "same", "by": "key_host"}
    with closing(Committer(engine)) as committer:
        first = debit(committer, ada.customer_id, 1, **same)

    with transaction(session):
        second = debit(session, ada.customer_id, 1, **same)

    assert second.id == first.id
    assert second.replayed


def test_a_key_longer_than_the_books_hold_still_tells_requests_apart(session: Session, ada: Person) -> None:
    long = "k" * 255
    with transaction(session):
        debit(session, ada.customer_id, 1, description="Print", key=long, by="key_host")

    with pytest.raises(IdempotencyKeyReused), transaction(session):
        debit(session, ada.customer_id, 2, description="Print", key=long, by="key_host")
    with transaction(session):
        assert not debit(session, ada.customer_id, 2, description="Print", key=long[:-1] + "x", by="key_host").replayed


def test_it_refuses_an_amount_out_of_range(session: Session, ada: Person) -> None:
    for amount in (0, -1, -(2**63), 10**15 + 1):
        with pytest.raises(Invalid) as refused, transaction(session):
            debit(session, ada.customer_id, amount, description="Print", key="a", by="key_host")
        assert refused.value.field == "amount_micros"


def test_it_refuses_words_nobody_can_print(session: Session, ada: Person) -> None:
    for words in ("", " ", "\x00", "a\x07b", "\ud800", "x" * 201):
        with pytest.raises(Invalid) as refused, transaction(session):
            debit(session, ada.customer_id, 1, description=words, key="a", by="key_host")
        assert refused.value.field == "description"
