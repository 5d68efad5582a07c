"""The audit: silent over good books, and one plain sentence for each way they can be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app import ledger
from app.db import transaction
from tests.ledger.conftest import Wallet


@contextmanager
def tampered(engine: Engine) -> Iterator[Connection]:
    """A connection with every safety net taken down, as only somebody with the database in hand could."""
    # A connection without what our engines set on each: SQLite then checks no foreign keys.
    bare = create_engine(engine.url, poolclass=NullPool)
    with bare.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
            names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
            for name in names:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            for table in ("ledger_account", "ledger_entry", "ledger_leg", "ledger_hold"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
                checks = connection.scalars(
                    text(f"SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = '{table}'::regclass")
                ).all()
                for name in checks:
                    connection.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))
        yield connection


def test_good_books_are_clean(wallet: Wallet, session: Session) -> None:
    wallet.tops_up(100)
    wallet.is_given(10)
    wallet.reverses(wallet.spends(5))
    wallet.settles(wallet.holds(5), 3)

    found = ledger.audit(session, full=True)

    assert found.clean
    assert found.checked == {"legs": 10, "accounts": 1, "entries": 5, "holds": 1}


@pytest.mark.books_broken_on_purpose
@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("UPDATE ledger_leg SET amount = amount + 1 WHERE account = 'revenue'", "does not sum to zero"),
        ("DELETE FROM ledger_leg WHERE account = 'revenue'", "legs and has 1"),
        ("DELETE FROM ledger_leg", "has no legs"),
        ("DELETE FROM ledger_entry", "which does not exist"),
        (
            "UPDATE ledger_leg SET balance_after = balance_after + 1 WHERE seq = 1",
            "does not follow from the one before",
        ),
        ("DELETE FROM ledger_leg WHERE seq = 1", "does not follow from the one before"),
        ("UPDATE ledger_leg SET kind_seq = 7 WHERE seq = 2", "number 7 of its kind debit"),
        ("UPDATE ledger_account SET balance = balance + 1", "stores a balance of 106"),
        ("UPDATE ledger_account SET version = 1", "stores a balance of 105 at version 1"),
        ("UPDATE ledger_account SET promo = 1", "promotional 1"),
        ("UPDATE ledger_account SET held = held + 1", "says 6 is held; its live holds come to 5"),
        ("UPDATE ledger_account SET debt = 3", "debt 3"),
        ("UPDATE ledger_hold SET state = 'released' WHERE state = 'held'", "its live holds come to 0"),
        ("UPDATE ledger_hold SET settled_amount = 9 WHERE state = 'settled'", "does not say so"),
        ("UPDATE ledger_account SET tallies = '{}'", "keeps [0, 0, 0] for debit; its lines come to [1, 0, 3]"),
        (
            "UPDATE ledger_leg SET kind = 'gift' WHERE account = 'revenue' AND kind = 'debit'",
            "There is no entry kind 'gift'",
        ),
        ("UPDATE ledger_leg SET account = 'cash:stripe' WHERE account = 'revenue'", "may not credit cash:stripe"),
        ("DELETE FROM ledger_account", "no such account"),
        ("UPDATE ledger_rollup SET amount_in = amount_in + 1 WHERE house = 0", "is off by 0 legs, 1 in and 0 out"),
    ],
)
def test_it_names_what_is_wrong(wallet: Wallet, session: Session, engine: Engine, damage: str, sentence: str) -> None:
    wallet.tops_up(110)
    wallet.spends(3)
    wallet.settles(wallet.holds(5), 2)
    wallet.holds(5)
    for _ in range(2):
        with transaction(session):
            ledger.roll_up(session)
    with tampered(engine) as connection:
        connection.execute(text(damage))

    faults = ledger.audit(session, full=True).faults

    assert any(sentence in fault for fault in faults), faults


def test_an_incremental_audit_looks_at_what_is_new(wallet: Wallet, session: Session) -> None:
    wallet.tops_up(100)
    for _ in range(3):
        with transaction(session):
            ledger.audit(session)
    wallet.spends(1)

    with transaction(session):
        found = ledger.audit(session)

    assert found.clean
    assert found.checked["legs"] == 2


@pytest.mark.books_broken_on_purpose
def test_an_incremental_audit_does_not_pass_a_fault(wallet: Wallet, session: Session, engine: Engine) -> None:
    wallet.tops_up(100)
    with tampered(engine) as connection:
        connection.execute(text("UPDATE ledger_leg SET amount = amount + 1 WHERE account = 'cash:stripe'"))

    for _ in range(3):
        with transaction(session):
            assert not ledger.audit(session).clean


def test_the_trial_balance_sums_to_zero_before_and_after_rolling_up(wallet: Wallet, session: Session) -> None:
    wallet.tops_up(100)
    wallet.spends(30)
    before = ledger.trial_balance(session)

    rolled = 0
    for _ in range(3):
        with transaction(session):
            rolled += ledger.roll_up(session, limit=3)
    wallet.spends(1)
    after = ledger.trial_balance(session)

    assert rolled == 4
    assert {(row.account, row.balance) for row in before} == {("wallet", 70), ("cash:stripe", -100), ("revenue", 30)}
    assert {(row.account, row.balance) for row in after} == {("wallet", 69), ("cash:stripe", -100), ("revenue", 31)}
    assert sum(row.balance for row in after) == 0
