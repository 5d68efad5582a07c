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


def account_sums(session: Session, kind: str, which: tuple[str, ...] = ("some",)) -> dict[str, AccountSums]:
    """By word of WHICH, over the customers' accounts of a kind; one query over them all, who are as many as customers.

    Nothing keeps these figures: an index over balances would be written with every debit.
    """
    columns: list[ColumnElement[int]] = []
    for word in which:
        sums = (func.count(), func.sum(_a.c.balance), func.sum(_a.c.held))
        columns += [func.coalesce(each.filter(WHICH[word]), 0) for each in sums]
    wanted = select(*columns).where(_a.c.kind == kind, or_(*(WHICH[word] for word in which)))
    figures = list(map(int, session.execute(wanted).one()))
    return {word: AccountSums(*figures[3 * place : 3 * place + 3]) for place, word in enumerate(which)}
