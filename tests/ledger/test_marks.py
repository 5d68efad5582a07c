"""Sums and audits go as far as nobody is still writing: on PostgreSQL movements are committed out of order."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app import ids, ledger
from app.db import transaction
from app.ledger import Account
from tests.ledger.conftest import CASH, Wallet


@pytest.fixture
def database_url(pg_url: str) -> str:
    return pg_url


@pytest.mark.parametrize("written_after_the_look", [False, True])
def test_a_movement_that_is_committed_late_is_rolled_up(
    wallet: Wallet, engine: Engine, written_after_the_look: bool
) -> None:
    """It has its number, or its transaction's, before others that are there at once; sums and audits wait for it."""
    late = Wallet(Session(engine), Account(ids.new("cus"), "wallet", "usd"))
    rounds = Session(engine)
    legs = {late.account: 7, CASH: -7}
    late.session.execute(text("SELECT pg_current_xact_id()"))
    if not written_after_the_look:
        ledger.post(late.session, "topup", legs, customer_id=late.customer_id, key="late")
    for _ in range(3):
        with transaction(rounds):
            ledger.roll_up(rounds)
    wallet.tops_up(100)
    if written_after_the_look:
        ledger.post(late.session, "topup", legs, customer_id=late.customer_id, key="late")
    for _ in range(3):
        with transaction(rounds):
            ledger.roll_up(rounds)
    late.session.commit()

    rolled = 0
    for _ in range(3):
        with transaction(rounds):
            rolled += ledger.roll_up(rounds)

    assert rolled == 4
    assert ledger.audit(rounds, full=True).faults == []
    late.session.close()
    rounds.close()
