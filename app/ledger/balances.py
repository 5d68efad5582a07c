"""Balances: one row read, whatever the history of the account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session

from app.ledger import tables
from app.ledger.accounts import Account, Balance

_a = tables.accounts
_FIGURES = (_a.c.balance, _a.c.held, _a.c.debt, _a.c.promo, _a.c.version, _a.c.frozen)

Totals = dict[str, tuple[int, int, int]]  # entry kind -> (entries, amount in, amount out)


def balance(session: Session, account: Account) -> Balance:
    """What the account holds now; zeros for one that was never used. One row, whatever its history."""
    row = session.execute(select(*_FIGURES).where(*_is(account))).one_or_none()
    return Balance() if row is None else Balance(*row)


def balance_and_totals(session: Session, account: Account) -> tuple[Balance, Totals]:
    """Both by one query: they stand in the same row, and are of one moment."""
    row = session.execute(select(*_FIGURES, _a.c.tallies).where(*_is(account))).one_or_none()
    return (Balance(), {}) if row is None else (Balance(*row[:-1]), _sorted(row.tallies))


def balances(session: Session, accounts: list[Account]) -> dict[Account, Balance]:
    """Many balances by one query, for lists of customers."""
    rows = session.execute(
        select(_a.c.customer_id, _a.c.kind, _a.c.asset, *_FIGURES)
        # The first list is for SQLite, which reads the whole table where it is given tuples alone.
        .where(_a.c.customer_id.in_({account.customer_id for account in accounts}))
        .where(tuple_(_a.c.customer_id, _a.c.kind, _a.c.asset).in_([tuple(account) for account in accounts]))
    )
    found = {Account(*row[:3]): Balance(*row[3:]) for row in rows}
    return {account: found.get(account, Balance()) for account in accounts}


def totals(session: Session, account: Account) -> Totals:
    """By entry kind: how many entries, how much in, how much out. Kept with every posting, never counted."""
    return _sorted(session.scalar(select(_a.c.tallies).where(*_is(account))) or {})


def _sorted(kept: Mapping[str, Sequence[int]]) -> Totals:
    return {kind: (count, came, went) for kind, (count, came, went) in sorted(kept.items())}


def _is(account: Account) -> list[ColumnElement[bool]]:
    return [_a.c.customer_id == account.customer_id, _a.c.kind == account.kind, _a.c.asset == account.asset]
