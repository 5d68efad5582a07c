"""Somebody with the database's password: what SQL can do to a hold, and whether the audit notices."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import clock, ledger
from app.db import transaction
from app.ledger import Account
from tests.support.people import Person

pytestmark = pytest.mark.both_databases

REVENUE = Account("house", "revenue", "usd")
COLUMNS = (
    "customer_id, id, account, asset, amount, state, key, request_hash, created_at, expires_at, ended_at, "
    "settled_amount, settled_entry, data"
)
# A settled hold written anew as one that was released: its money would look as if it had come back.
FORGED = "SELECT customer_id, {id}, account, asset, amount, 'released', key, request_hash, created_at, expires_at, "
FORGED += "ended_at, NULL, NULL, data FROM ledger_hold WHERE state = 'settled'"


@pytest.fixture
def settled(session: Session, ada: Person) -> str:
    """The id of a hold of Ada's that was settled for a cent; beside it one that is live."""
    ada.gets(1_000)
    tomorrow = clock.now() + timedelta(days=1)
    with transaction(session):
        held = ledger.hold(session, ada.wallet, 20_000, key="one", expires_at=tomorrow)
        ledger.hold(session, ada.wallet, 20_000, key="two", expires_at=tomorrow)
        ledger.settle(session, ada.customer_id, held.id, 10_000, kind="debit", to=REVENUE)
    return held.id


def test_a_hold_cannot_be_replaced(engine: Engine, settled: str) -> None:
    """PostgreSQL has no REPLACE: there the same wish is an INSERT, and the keys refuse it."""
    insert = "INSERT OR REPLACE" if _is_sqlite(engine) else "INSERT"

    for name in ("id", "'hold_forged'"):
        with pytest.raises(DBAPIError, match=r"UNIQUE|unique"), engine.begin() as connection:
            connection.execute(text(f"{insert} INTO ledger_hold ({COLUMNS}) {FORGED.format(id=name)}"))


def test_an_ending_hold_keeps_its_key(engine: Engine, settled: str) -> None:
    update = "UPDATE OR REPLACE" if _is_sqlite(engine) else "UPDATE"

    for change in ("key = 'one'", "key = 'other'", "request_hash = ''"):
        ended = f"ledger_hold SET state = 'released', ended_at = created_at, {change} WHERE state = 'held'"
        with pytest.raises(DBAPIError, match=r"ends once|unique"), engine.begin() as connection:
            connection.execute(text(f"{update} {ended}"))


@pytest.mark.books_broken_on_purpose
def test_the_audit_misses_no_settlement_whose_hold_says_otherwise(engine: Engine, settled: str) -> None:
    with Session(engine) as session:
        assert ledger.audit(session, full=True).clean
    guard = "ledger_hold_ends_once" if _is_sqlite(engine) else "ledger_hold_ends_once ON ledger_hold"

    # when the guard was taken away, and the hold rewritten
    with engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER {guard}"))
        connection.execute(
            text(
                "UPDATE ledger_hold SET state = 'released', settled_amount = NULL, settled_entry = NULL "
                "WHERE state = 'settled'"
            )
        )

    with Session(engine) as session:
        [fault] = ledger.audit(session, full=True).faults
    assert settled in fault


def _is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"
