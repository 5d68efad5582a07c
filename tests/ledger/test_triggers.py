"""What the databases themselves refuse, whatever program speaks to them: raw SQL against the books."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tests.ledger.conftest import Wallet

ENTRY = (
    "INSERT INTO ledger_entry (customer_id, id, kind, key, request_hash, occurred_at, recorded_at, data, legs) "
    "VALUES ('cus_x', '{id}', 'debit', '{key}', 'h', '2026-01-01 00:00:00', '2026-01-01 00:00:00', '{{}}', {legs})"
)
LEG = (
    "INSERT INTO ledger_leg (customer_id, entry_id, position, account, asset, kind, amount, promo_amount, recorded_at) "
    "VALUES ('cus_x', '{id}', {position}, '{account}', '{asset}', 'debit', {amount}, 0, '2026-01-01 00:00:00')"
)


def refused(engine: Engine, *statements: str, because: str) -> None:
    """Run statements in one transaction; the database refuses one of them, or the commit."""
    with pytest.raises(DBAPIError, match=because), engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def leg(number: int, amount: int, *, id_: str = "e1", asset: str = "usd", account: str = "revenue") -> str:
    return LEG.format(id=id_, position=number, account=account, asset=asset, amount=amount)


def entry(id_: str = "e1", key: str = "k1", legs: int = 2) -> str:
    return ENTRY.format(id=id_, key=key, legs=legs)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET kind = 'topup'",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_leg SET amount = amount + 1",
        "DELETE FROM ledger_leg",
        "DELETE FROM ledger_hold",
        "DELETE FROM ledger_account",
        "UPDATE ledger_hold SET amount = 1",
        "UPDATE ledger_account SET balance = balance + 1",
        "UPDATE ledger_account SET balance = balance + 1, revision = revision + 1",
        "UPDATE ledger_account SET balance = -1, debt = 1",
        "UPDATE ledger_account SET held = held + 1000000, revision = revision + 1",
        "UPDATE ledger_account SET held = -1, revision = revision + 1",
        "UPDATE ledger_account SET debt = 5, revision = revision + 1",
        "UPDATE ledger_account SET promo = 5000, revision = revision + 1",
    ],
)
def test_what_is_written_stays(wallet: Wallet, engine: Engine, statement: str) -> None:
    wallet.tops_up(1000)
    wallet.holds(10)

    refused(engine, statement, because="append-only|never deleted|CHECK|check|only with a leg|ends once|keeps its")


def test_postgresql_refuses_to_truncate(wallet: Wallet, engine: Engine) -> None:
    wallet.tops_up(1000)
    tables = ("ledger_entry", "ledger_leg", "ledger_hold", "ledger_account")
    statement = "TRUNCATE {}" if engine.dialect.name == "postgresql" else "DROP TABLE nothing_{}"

    for table in tables:
        refused(engine, statement.format(table), because="append-only|never deleted|no such table")


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param([leg(0, -5), leg(1, 4), entry()], id="does not sum to zero"),
        pytest.param([leg(0, -5), leg(1, 5, asset="eur"), entry()], id="sums to zero only across assets"),
        pytest.param([leg(0, -5), entry(legs=1)], id="one leg"),
        pytest.param([entry()], id="no legs"),
        pytest.param([leg(0, -5), leg(1, 5)], id="legs without an entry"),
        pytest.param([leg(0, -5), leg(1, 5), entry(legs=3)], id="a leg is missing"),
        pytest.param([leg(0, 0), leg(1, 0), entry()], id="legs of nothing"),
        pytest.param([entry(), leg(0, -5), leg(1, 4)], id="unbalanced, entry first"),
    ],
)
def test_an_entry_that_is_not_whole_cannot_be_written(engine: Engine, statements: list[str]) -> None:
    refused(engine, *statements, because="sum to zero|no legs|FOREIGN KEY|CHECK|check|already written")


def test_no_leg_joins_an_entry_later(wallet: Wallet, engine: Engine) -> None:
    made = wallet.tops_up(1000)
    more = [leg(2, -5, id_=made.id), leg(3, 5, id_=made.id)]

    refused(engine, *(one.replace("cus_x", made.customer_id) for one in more), because="already written|sum to zero")


def test_a_key_is_written_once(wallet: Wallet, engine: Engine) -> None:
    made = wallet.tops_up(1000, key="once")
    again = entry(id_="e2", key="once").replace("cus_x", made.customer_id)

    refused(engine, again, because="UNIQUE|unique|no legs")


def test_an_entry_is_not_replaced(wallet: Wallet, engine: Engine) -> None:
    made = wallet.tops_up(1000, key="once")
    again = entry(id_=made.id, key="once").replace("cus_x", made.customer_id)
    if engine.dialect.name == "sqlite":
        again = again.replace("INSERT", "INSERT OR REPLACE")

    refused(engine, again, because="UNIQUE|unique")


def test_an_account_opens_empty_and_never_for_the_house(engine: Engine) -> None:
    insert = "INSERT INTO ledger_account (customer_id, kind, asset, balance) VALUES ('{}', 'wallet', 'usd', {})"

    refused(engine, insert.format("cus_x", 5), because="opens empty")
    refused(engine, insert.format("house", 0), because="CHECK|check")


def test_a_hold_ends_once(wallet: Wallet, engine: Engine) -> None:
    wallet.tops_up(10)
    wallet.releases(wallet.holds(5))

    refused(engine, "UPDATE ledger_hold SET state = 'held', ended_at = NULL", because="ends once")
    refused(engine, "UPDATE ledger_hold SET state = 'settled'", because="ends once")


def test_the_connection_is_durable(engine: Engine) -> None:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            assert connection.scalar(text("PRAGMA synchronous")) == 2
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        else:
            assert connection.scalar(text("SHOW synchronous_commit")) == "on"
