"""The house's accounts, entry by entry: every leg once, newest first, with the account's sum after it."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app import ledger
from app.db import transaction
from app.ledger import Account, blocks

WALLET = Account("cus_1", "wallet", "usd")
CASH, REVENUE = Account("house", "cash:stripe", "usd"), Account("house", "revenue", "usd")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch) -> None:
    monkeypatch.setattr(blocks, "SIZE", 4)
    monkeypatch.setattr(blocks, "_MOST_RANGES", 2)


def fills(session: Session, first: int, count: int) -> None:
    with transaction(session):
        for number in range(first, first + count):
            if number % 7 == 0:
                ledger.post(session, "topup", {WALLET: 100, CASH: -100}, customer_id="cus_1", key=f"t{number}")
            else:
                ledger.post(session, "debit", {WALLET: -1, REVENUE: 1}, customer_id="cus_1", key=f"d{number}")


def counts(session: Session) -> None:
    for _ in range(4):  # on PostgreSQL the newest legs are left for the next time
        with transaction(session):
            ledger.count_blocks(session, limit=9)


def walked(session: Session, account: str, limit: int) -> list[ledger.HouseLine]:
    lines: list[ledger.HouseLine] = []
    while True:
        page = ledger.house_lines(session, account, "usd", before=lines[-1].number if lines else None, limit=limit)
        lines += page
        if len(page) < limit:
            session.rollback()
            return lines


@pytest.mark.parametrize("counted", ["a part", "all"])
def test_every_leg_comes_once_with_the_sum_after_it(session: Session, counted: str) -> None:
    fills(session, 0, 22)
    for _ in range({"a part": 1, "all": 9}[counted]):
        counts(session)
    fills(session, 22, 8)

    for account, expected in (("revenue", [1] * 25), ("cash:stripe", [-100] * 5)):
        for limit in (3, 50):
            lines = walked(session, account, limit)
            assert [line.amount for line in lines] == expected
            assert [line.balance_after for line in lines] == [sum(expected[n:]) for n in range(len(lines))]
            assert len({line.entry_id for line in lines}) == len(expected)
            assert [line.number for line in lines] == sorted((line.number for line in lines), reverse=True)


def test_an_account_that_never_moved_has_none(session: Session) -> None:
    assert ledger.house_lines(session, "losses", "usd") == []
