"""How PostgreSQL finds a row of the books: by both columns asked for, however the statistics look."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app import clock, ids, ledger
from app.ledger import Account, Committer, marks
from tests.ledger.conftest import CASH

pytestmark = pytest.mark.postgresql
INDEXES = [
    ("ledger_entry", "id", "pk_ledger_entry"),
    ("ledger_entry", "key", "uq_ledger_entry_customer_id_key"),
    ("ledger_hold", "id", "pk_ledger_hold"),
    ("ledger_hold", "key", "uq_ledger_hold_customer_id_key"),
]


@pytest.fixture
def database_url(pg_url: str) -> str:
    return pg_url


@pytest.fixture
def one_row_each(engine: Engine, committer: Committer) -> None:
    """Statistics made while every customer had one entry and one hold."""
    wallets = [Account(ids.new("cus"), "wallet", "usd") for _ in range(300)]
    expiry = clock.now() + timedelta(minutes=1)
    committer.post_many(
        [ledger.posting("topup", {w: 10, CASH: -10}, customer_id=w.customer_id, key="k") for w in wallets]
    )
    for wallet in wallets[:30]:
        committer.hold(wallet, 1, key="k", expires_at=expiry)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE ledger_entry, ledger_leg, ledger_hold"))


@pytest.mark.usefixtures("one_row_each")
def test_no_index_on_the_customer_alone_is_used_for_one_row(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        for table, column, index in INDEXES:
            sql = f"EXPLAIN SELECT * FROM {table} WHERE customer_id = 'cus_1' AND {column} = 'one'"
            plan = "\n".join(connection.scalars(text(sql)))
            assert index in plan, plan
            assert "Filter" not in plan, plan


@pytest.mark.usefixtures("one_row_each")
def test_what_comes_after_a_mark_is_known_to_be_little(session: Session) -> None:
    session.execute(text("INSERT INTO ledger_mark (name, number) SELECT 'all', max(number) FROM ledger_leg"))
    sql, given = marks.after(session, "all")

    asked = text(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM ledger_leg l WHERE {sql}")
    [told] = session.scalars(asked, given).one()

    assert told["Plan"]["Plan Rows"] < 20, told
    session.rollback()
