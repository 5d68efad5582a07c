"""A large batch waits for PostgreSQL outside the driver: whoever has the lock it waits for may be in this process."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import ids, ledger
from app.db import make_engine
from app.errors import Refusal
from app.ledger import Account, Committer, Entry, clerk_postgresql
from tests.ledger.conftest import REVENUE
from tests.ledger.test_large_batch import balances, posting

pytestmark = pytest.mark.postgresql


@pytest.fixture
def database_url(pg_url: str) -> str:
    return pg_url


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerk_postgresql, "PART", 3)


@pytest.mark.usefixtures("small_parts")
def test_it_waits_for_a_lock_without_keeping_the_one_who_has_it(session: Session, database_url: str) -> None:
    # Were everybody kept waiting, even the one with the lock, this would end it.
    engine = make_engine(database_url + ("&" if "?" in database_url else "?") + "options=-c%20lock_timeout%3D20s")
    committer = Committer(engine)
    accounts = [Account(ids.new("cus"), "wallet", "usd") for _ in range(10)]
    committer.post_many([posting(account, 100, "fill") for account in accounts])
    last = max(accounts)
    ledger.post(session, "debit", {last: -10, REVENUE: 10}, customer_id=last.customer_id, key="in a session")
    answers: list[Entry | Refusal] = []
    waits = threading.Thread(
        target=lambda: answers.extend(committer.post_many([posting(account, -1, "n") for account in accounts]))
    )

    waits.start()
    while waits.is_alive() and not session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
        time.sleep(0.01)
    session.commit()
    waits.join()
    committer.close()
    engine.dispose()

    assert [isinstance(answer, Entry) for answer in answers] == [True] * 10
    assert sorted(balances(session, accounts)) == [89] + [99] * 9
