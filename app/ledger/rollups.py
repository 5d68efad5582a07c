"""Sums by day, so that the house's accounts are read as fast at ten million legs as at ten."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.ledger import tables


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One line of the trial balance: all accounts of a name and asset, the house's or the customers'."""

    account: str
    asset: str
    house: bool
    legs: int
    amount_in: int
    amount_out: int

    @property
    def balance(self) -> int:
        return self.amount_in - self.amount_out


def trial_balance(session: Session) -> list[TrialRow]:
    """Every account's sum. Over all rows, the balances of one asset add up to zero."""
    leg = tables.legs
    house = leg.c.seq.is_(None)
    came = func.sum(case((leg.c.amount > 0, leg.c.amount), else_=0))
    went = func.sum(case((leg.c.amount < 0, -leg.c.amount), else_=0))
    rows = session.execute(
        select(leg.c.account, leg.c.asset, house, func.count(), came, went)
        .group_by(leg.c.account, leg.c.asset, house)
        .order_by(leg.c.asset, house, leg.c.account)
    )
    return [TrialRow(row[0], row[1], bool(row[2]), int(row[3]), int(row[4]), int(row[5])) for row in rows]
