"""Everybody's accounts: what customers hold, by customer, and what all of it comes to. For staff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.ledger import tables
from app.ledger.accounts import Account, Balance

_a = tables.accounts
_FIGURES = (_a.c.balance, _a.c.held, _a.c.debt, _a.c.promo, _a.c.version, _a.c.frozen)
# What a filter's words mean. "some": the account holds something, or owes it.
WHICH: Mapping[str, ColumnElement[bool]] = {
    "some": or_(_a.c.balance != 0, _a.c.held != 0),
    "above": _a.c.balance > 0,
    "below": _a.c.balance < 0,
    "held": _a.c.held > 0,
    "frozen": _a.c.frozen,
}


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Some accounts, those of the newest customers first; `older` is the customer to go on below, None at the end."""

    found: list[tuple[Account, Balance]]
    older: str | None


@dataclass(frozen=True, slots=True)
class AccountSums:
    """Over the accounts of one asset: how many there are, and their sums, in the asset's smallest unit."""

    accounts: int = 0
    balance: int = 0
    held: int = 0
    promo: int = 0


def account_page(
    session: Session, kind: str, *, which: str = "some", before: str | None = None, limit: int = 50
) -> AccountPage:
    """The customers' accounts of a kind (wallet, credits); `which` is a word of WHICH."""
    wanted = select(_a.c.customer_id, _a.c.kind, _a.c.asset, *_FIGURES).where(_a.c.kind == kind, WHICH[which])
    if before is not None:
        wanted = wanted.where(_a.c.customer_id < before)
    rows = session.execute(wanted.order_by(_a.c.customer_id.desc()).limit(limit + 1)).all()
    found = [(Account(*row[:3]), Balance(*row[3:])) for row in rows[:limit]]
    return AccountPage(found, found[-1][0].customer_id if len(rows) > limit else None)


def account_sums(session: Session, which: tuple[str, ...] = ("some",)) -> dict[tuple[str, str], AccountSums]:
    """By kind of account and word of WHICH, in one query over the accounts, which are as many as the customers."""
    columns: list[ColumnElement[int]] = []
    for word in which:
        for column in (None, _a.c.balance, _a.c.held, _a.c.promo):
            of_all = func.count() if column is None else func.sum(column)
            columns.append(func.coalesce(of_all.filter(WHICH[word]), 0))
    found: dict[tuple[str, str], AccountSums] = {}
    for kind, *figures in session.execute(select(_a.c.kind, *columns).group_by(_a.c.kind)):
        for place, word in enumerate(which):
            found[kind, word] = AccountSums(*map(int, figures[4 * place : 4 * place + 4]))
    return found
