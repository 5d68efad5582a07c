"""The worker keeps the books in order: daily sums, and an audit that tells staff when they are wrong."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from app import ledger
from app.activity.models import Activity
from app.customers.models import Customer
from app.db import transaction
from app.wallet import adjust
from app.worker import books
from tests.ledger.test_audit import tampered


def alerts(session: Session) -> list[Activity]:
    with transaction(session):
        return list(session.scalars(select(Activity).where(Activity.action == "books.wrong")))


def test_good_books_are_rolled_up_and_raise_no_alert(session: Session, sessions, payer: Customer) -> None:
    with transaction(session):
        adjust.adjust(session, payer.id, 5_000_000, reason="Money for a test", actor="system", key="k")
        before = ledger.trial_balance(session)

    rolled = sum(books.roll_up(sessions) for _ in range(3))
    books.audit(sessions)

    assert rolled == 2, "both legs of the one entry"
    with transaction(session):
        assert ledger.trial_balance(session) == before
    assert alerts(session) == []


@pytest.mark.books_broken_on_purpose
def test_wrong_books_are_told_to_staff(
    session: Session, sessions, engine: Engine, payer: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    with tampered(engine) as connection:
        connection.execute(text("UPDATE ledger_account SET balance = balance + 1"))

    books.audit(sessions)

    assert "the books are wrong" in caplog.text
    (alert,) = alerts(session)
    assert alert.details["fault_count"] >= 1
    assert alert.details["faults"]


@pytest.mark.books_broken_on_purpose
def test_the_same_faults_are_told_to_staff_once_and_others_again(
    session: Session, sessions, engine: Engine, payer: Customer
) -> None:
    # given wrong books, audited every quarter of an hour
    with tampered(engine) as connection:
        connection.execute(text("UPDATE ledger_account SET balance = balance + 1"))
    for _ in range(3):
        books.audit(sessions)
    assert len(alerts(session)) == 1

    # when another fault comes along
    with tampered(engine) as connection:
        connection.execute(text("UPDATE ledger_account SET balance = balance + 1"))
    for _ in range(3):
        books.audit(sessions)

    # then that is told too
    assert len(alerts(session)) == 2
