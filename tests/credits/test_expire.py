"""The end of credits: what is left goes to the house, on time, once, and nothing else does."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app import clock as the_clock
from app.db import transaction
from app.flows import audit_books
from tests.credits.conftest import Purse, in_days
from tests.support import credits_end


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_what_is_left_ends_at_its_instant_and_once(purse: Purse, clock) -> None:
    purse.gets(10, expires_at=in_days(1))
    purse.gets(10, expires_at=in_days(2))
    purse.gets(10)
    purse.loses(4)
    assert purse.sees_what_is_due_end() == 0

    clock.advance(days=1)

    assert [purse.sees_what_is_due_end() for _ in range(2)] == [1, 0]
    assert (sorted(purse.left), purse.balance) == ([0, 10, 10], 20)


def test_a_grant_that_was_spent_ends_without_a_line(purse: Purse, clock) -> None:
    purse.gets(10, expires_at=in_days(1))
    purse.loses(10)
    clock.advance(days=2)

    assert purse.sees_what_is_due_end() == 0


@pytest.mark.books_broken_on_purpose
def test_the_audit_names_what_does_not_agree(purse: Purse) -> None:
    purse.gets(10)
    with transaction(purse.session):
        purse.session.execute(text("UPDATE credit_grant SET remaining = 9"))

    found = audit_books.audit(purse.session, full=True).faults

    assert found[0] == "cus_1 has 10 credits in the books and 9 left in their grants."
    assert "its movements come to 10" in found[1]


def test_of_many_customers_some_at_a_time(purse: Purse, session, clock) -> None:
    for number in range(3):
        Purse(session, f"cus_{number}").gets(10, expires_at=in_days(1))
    clock.advance(days=2)

    done = []
    for _ in range(3):
        with transaction(session):
            done.append(credits_end.expire_due(session, the_clock.now(), 2))
    assert done == [2, 1, 0]
