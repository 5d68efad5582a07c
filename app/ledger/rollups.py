"""Sums by day, so that the house's accounts are read as fast at ten million legs as at ten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from app.ledger import marks

_NAME = "rollup"
_DAY = {
    "sqlite": "substr(l.recorded_at, 1, 10)",
    "postgresql": "to_char(l.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}
_HOUSE = "CASE WHEN l.seq IS NULL THEN 1 ELSE 0 END"
_IN = "sum(CASE WHEN l.amount > 0 THEN l.amount ELSE 0 END)"
_OUT = "sum(CASE WHEN l.amount < 0 THEN -l.amount ELSE 0 END)"


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One line of the trial balance: all accounts of a name and asset, the house's or the customers' together."""

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
    """Every account's sum, exact to this moment: the roll-ups and the legs written since, in one statement.

    Over all rows, the balances of one asset add up to zero.
    """
    not_added, given = marks.after(session, _NAME)
    sql = (
        "SELECT account, asset, house, sum(legs), sum(amount_in), sum(amount_out) FROM ("
        "SELECT account, asset, house, legs, amount_in, amount_out FROM ledger_rollup UNION ALL "
        f"SELECT l.account, l.asset, {_HOUSE}, count(*), {_IN}, {_OUT} FROM ledger_leg l WHERE {not_added} "
        f"GROUP BY l.account, l.asset, {_HOUSE}) parts GROUP BY account, asset, house "
        "ORDER BY asset, house, account"
    )
    rows = session.execute(text(sql), given)
    return [TrialRow(row[0], row[1], bool(row[2]), int(row[3]), int(row[4]), int(row[5])) for row in rows]


@dataclass(frozen=True, slots=True)
class DaySum:
    """What all customers' accounts of a name moved on one day in UTC, by one kind of entry; in the asset's unit."""

    day: date
    account: str
    asset: str
    kind: str
    lines: int
    amount_in: int
    amount_out: int


def by_day(
    session: Session,
    *,
    since: date | None = None,
    until: date | None = None,
    account: str | None = None,
    kinds: Sequence[str] | None = None,
) -> list[DaySum]:
    """The customers' side of the books by day, oldest first, exact to this moment; both days included."""
    rows = _of_customers(session, "day, account, asset, kind", since, until, account, kinds)
    return [DaySum(date.fromisoformat(row[0]), *row[1:4], *map(int, row[4:])) for row in rows]


def summed(
    session: Session,
    *,
    since: date | None = None,
    until: date | None = None,
    account: str | None = None,
    kinds: Sequence[str] | None = None,
) -> dict[str, tuple[int, int, int]]:
    """The same over all the days: asset -> (lines, in, out)."""
    rows = _of_customers(session, "asset", since, until, account, kinds)
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}


def newest_day(
    session: Session, *, account: str | None = None, kinds: Sequence[str] | None = None, upto: date | None = None
) -> date | None:
    """The newest day up to `upto` on which such lines were recorded; None where there is none."""
    rows = _of_customers(session, "day", None, upto, account, kinds)
    return date.fromisoformat(rows[-1][0]) if rows else None


def _of_customers(
    session: Session,
    by: str,
    since: date | None,
    until: date | None,
    account: str | None,
    kinds: Sequence[str] | None,
) -> list[Any]:
    """Sums of the roll-ups and of the legs after them, in one statement. `by` is ours, never what anybody typed."""
    not_added, given = marks.after(session, _NAME)
    asked = {"since": since and since.isoformat(), "until": until and until.isoformat(), "account": account}
    where = ["TRUE"]
    where += ["day >= :since"] * (since is not None) + ["day <= :until"] * (until is not None)
    where += ["account = :account"] * (account is not None) + ["kind IN :kinds"] * (kinds is not None)
    sql = (
        f"SELECT {by}, sum(legs), sum(amount_in), sum(amount_out) FROM ("
        "SELECT day, account, asset, kind, legs, amount_in, amount_out FROM ledger_rollup WHERE house = 0 UNION ALL "
        f"SELECT {day_of(session)}, l.account, l.asset, l.kind, count(*), {_IN}, {_OUT} FROM ledger_leg l "
        f"WHERE {not_added} AND l.seq IS NOT NULL GROUP BY 1, 2, 3, 4"
        f") parts WHERE {' AND '.join(where)} GROUP BY {by} ORDER BY {by}"
    )
    given |= {name: value for name, value in asked.items() if value is not None}
    if kinds is None:
        return list(session.execute(text(sql), given))
    listed = text(sql).bindparams(bindparam("kinds", expanding=True))
    return list(session.execute(listed, {**given, "kinds": list(kinds)}))


def day_of(session: Session) -> str:
    """SQL for the UTC day a leg `l` was recorded on."""
    return _DAY[session.get_bind().dialect.name]


def roll_up(session: Session, limit: int = 200_000) -> int:
    """Add up to `limit` more legs to the daily sums, and say how many were added. For the worker, inside a transaction.

    On PostgreSQL legs become final one round after they are first seen, so the newest are left for the next call.
    """
    number = marks.number_column(session)
    done, final = marks.horizon(session, _NAME)
    upto = min(final, done + limit)
    if upto <= done:
        return 0
    sql = (
        "INSERT INTO ledger_rollup (day, account, asset, kind, house, legs, amount_in, amount_out) "
        f"SELECT {day_of(session)}, l.account, l.asset, l.kind, {_HOUSE}, count(*), {_IN}, {_OUT} "
        f"FROM ledger_leg l WHERE l.{number} > :done AND l.{number} <= :upto GROUP BY 1, 2, 3, 4, 5 "
        "ON CONFLICT (day, account, asset, kind, house) DO UPDATE SET legs = ledger_rollup.legs + excluded.legs, "
        "amount_in = ledger_rollup.amount_in + excluded.amount_in, "
        "amount_out = ledger_rollup.amount_out + excluded.amount_out"
    )
    session.execute(text(sql), {"done": done, "upto": upto})
    marks.advance(session, _NAME, upto)
    return upto - done
