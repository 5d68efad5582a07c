"""A customer's ledger accounts for the ledger's own tests, and short ways to move money and to look at every table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app import clock, ids, ledger
from app.db import transaction
from app.ledger import Account, Entry, Hold

REVENUE = Account("house", "revenue", "usd")
CASH = Account("house", "cash:stripe", "usd")
PROMOTIONS = Account("house", "promotions", "usd")
TABLES = {
    "ledger_account": "customer_id, kind, asset",
    "ledger_entry": "customer_id, id",
    "ledger_leg": "customer_id, entry_id, position",
    "ledger_hold": "customer_id, id",
}


@dataclass
class Wallet:
    """One customer's wallet, moved through sessions of its own."""

    session: Session
    account: Account

    @property
    def customer_id(self) -> str:
        return self.account.customer_id

    def post(self, kind: str, amount: int, other: Account, key: str | None = None, **more: Any) -> Entry:
        with transaction(self.session):
            return ledger.post(
                self.session,
                kind,
                {self.account: amount, other: -amount},
                customer_id=self.customer_id,
                key=key or ids.new("key"),
                **more,
            )

    def tops_up(self, amount: int, key: str | None = None, **more: Any) -> Entry:
        return self.post("topup", amount, CASH, key, **more)

    def is_given(self, amount: int) -> Entry:
        return self.post("promo", amount, PROMOTIONS)

    def spends(self, amount: int, key: str | None = None, **more: Any) -> Entry:
        return self.post("debit", -amount, REVENUE, key, **more)

    def suffers_chargeback(self, amount: int) -> Entry:
        return self.post("chargeback", -amount, CASH)

    def holds(self, amount: int, key: str | None = None, minutes: int = 10) -> Hold:
        with transaction(self.session):
            expiry = clock.now() + timedelta(minutes=minutes)
            return ledger.hold(self.session, self.account, amount, key=key or ids.new("key"), expires_at=expiry)

    def settles(self, hold: Hold, amount: int, kind: str = "llm") -> tuple[Hold, Entry | None]:
        with transaction(self.session):
            return ledger.settle(self.session, self.customer_id, hold.id, amount, kind=kind, to=REVENUE)

    def releases(self, hold: Hold) -> Hold:
        with transaction(self.session):
            return ledger.release(self.session, self.customer_id, hold.id)

    def reverses(self, entry: Entry, key: str | None = None) -> Entry:
        with transaction(self.session):
            return ledger.reverse(
                self.session, entry.id, customer_id=self.customer_id, key=key or ids.new("key"), reason="a mistake"
            )

    @property
    def balance(self) -> ledger.Balance:
        with transaction(self.session):
            return ledger.balance(self.session, self.account)


@pytest.fixture
def wallet(session: Session) -> Wallet:
    return Wallet(session, Account(ids.new("cus"), "wallet", "usd"))


@pytest.fixture
def committer(engine: Engine) -> Iterator[ledger.Committer]:
    made = ledger.Committer(engine)
    yield made
    made.close()


@pytest.fixture
def everything(engine: Engine) -> Callable[[], dict[str, list[Any]]]:
    """Every row of every ledger table, to see that nothing has changed."""

    def read(customer_id: str | None = None) -> dict[str, list[Any]]:
        return table_rows(engine, customer_id)

    return read


def table_rows(engine: Engine, customer_id: str | None = None) -> dict[str, list[Any]]:
    where = "WHERE customer_id = :customer" if customer_id else ""
    with engine.connect() as connection:
        return {
            table: [
                tuple(str(value) for value in row)
                for row in connection.execute(
                    text(f"SELECT * FROM {table} {where} ORDER BY {order}"), {"customer": customer_id}
                )
            ]
            for table, order in TABLES.items()
        }
