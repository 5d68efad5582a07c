"""Money by day: what customers put into their wallets, and what their wallets paid for. Days in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from app import ledger

# Topped up: paid into wallets. Spent: what wallets paid us; a refund is money on its way back, and no spending.
TOPPED_UP = ("topup",)
SPENT = tuple(kind for kind in ledger.WALLET_KINDS if ledger.ENTRY_KINDS[kind].spends and kind != "refund")


@dataclass(frozen=True, slots=True)
class Day:
    """One day: how many top-ups and what they came to, how often was spent and how much; in micros."""

    day: date
    top_ups: int = 0
    topped_up: int = 0
    spendings: int = 0
    spent: int = 0


def last_days(session: Session, asset: str, today: date, count: int = 30) -> list[Day]:
    """The last `count` days, oldest first, today included. One query over the kept sums and what came since."""
    first = today - timedelta(days=count - 1)
    kinds = (*TOPPED_UP, *SPENT)
    found: dict[date, list[int]] = {}
    for told in ledger.by_day(session, since=first, until=today, account="wallet", kinds=kinds):
        if told.asset != asset:
            continue
        sums = found.setdefault(told.day, [0, 0, 0, 0])
        if told.kind in TOPPED_UP:
            sums[0] += told.lines
            sums[1] += told.amount_in
        else:
            sums[2] += told.lines
            sums[3] += told.amount_out
    days = [first + timedelta(days=number) for number in range(count)]
    return [Day(day, *found.get(day, ())) for day in days]
