"""Credits from before there were grants: what an account held becomes a grant, and the books agree."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from app import credits, ledger, schema
from app.credits.accounts import credits_of, promotions, revenue
from app.db import make_engine, transaction
from app.flows import audit_books


def test_a_balance_from_before_becomes_a_grant_that_never_ends(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    schema.upgrade(url, "0010")
    engine = make_engine(url)
    with engine.begin() as connection:  # what today's ledger reads and the tables of then have not
        connection.execute(text("ALTER TABLE ledger_account ADD COLUMN frozen BOOLEAN NOT NULL DEFAULT 0"))
    with Session(engine) as session, transaction(session):
        mine, told = credits_of("cus_1"), {"customer_id": "cus_1"}
        ledger.post(session, "promo", {mine: 100, promotions(): -100}, key="coupon:red_1", **told)
        ledger.post(session, "credit_spend", {mine: -30, revenue(): 30}, key="spent", **told)

    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE ledger_account DROP COLUMN frozen"))
    schema.upgrade(url)

    with Session(engine) as session:
        assert audit_books.audit(session, full=True).faults == []
        with transaction(session):
            credits.adjust(session, "cus_1", -20, reason="Taken", actor="staff:usr_1", key="k")
        kept = credits.balance(session, "cus_1")
        assert (kept.available, kept.ends_at) == (50, None)
        assert audit_books.audit(session, full=True).faults == []
    engine.dispose()
