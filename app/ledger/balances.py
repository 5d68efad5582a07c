"""Balances: one row read for now, a search through the history for any instant before."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, literal, select, tuple_
from sqlalchemy.orm import Session

from app.db import UTCDateTime
from app.ledger import tables
from app.ledger.accounts import Account, Balance

_a = tables.accounts
_leg = tables.legs


def balance(session: Session, account: Account) -> Balance:
    """What the account holds now; zeros for one that was never used. One row, whatever its history."""
    row = session.execute(
        select(_a.c.balance, _a.c.held, _a.c.debt, _a.c.promo, _a.c.version, _a.c.frozen).where(*_is(account))
    ).one_or_none()
    return Balance() if row is None else Balance(*row)


def balances(session: Session, accounts: list[Account]) -> dict[Account, Balance]:
    """Many balances by one query, for lists of customers."""
    rows = session.execute(
        select(_a.c.customer_id, _a.c.kind, _a.c.asset, _a.c.balance, _a.c.held, _a.c.debt, _a.c.promo, _a.c.version,
               _a.c.frozen)
        # The first list is for SQLite, which reads the whole table where it is given tuples alone.
        .where(_a.c.customer_id.in_({account.customer_id for account in accounts}))
        .where(tuple_(_a.c.customer_id, _a.c.kind, _a.c.asset).in_([tuple(account) for account in accounts]))
    )  # fmt: skip
    found = {Account(*row[:3]): Balance(*row[3:]) for row in rows}
    return {account: found.get(account, Balance()) for account in accounts}


def totals(session: Session, account: Account) -> dict[str, tuple[int, int, int]]:
    """By entry kind: how many entries, how much in, how much out. Kept with every posting, never counted."""
    kept = session.scalar(select(_a.c.tallies).where(*_is(account))) or {}
    return {kind: (count, came, went) for kind, (count, came, went) in sorted(kept.items())}


def balance_at(session: Session, account: Account, instant: datetime) -> int:
    """The balance as the books stood at an instant: every entry recorded up to and including it."""
    seq = seq_at(session, account, instant)
    if seq == 0:
        return 0
    return int(session.scalars(select(_leg.c.balance_after).where(*_legs_of(account), _leg.c.seq == seq)).one())


def seq_at(session: Session, account: Account, instant: datetime, *, included: bool = True) -> int:
    """The seq of the newest leg recorded up to an instant (the instant itself `included` or not); 0 if none.

    Recorded times never run backwards along an account's history, so halving it finds the place: twenty steps
    through the history index for a million legs, in one statement.
    """
    version = session.scalar(select(_a.c.version).where(*_is(account))) or 0
    if version == 0:
        return 0
    search = _UP_TO if included else _BEFORE
    return int(session.scalar(search, {**account._asdict(), "version": version, "instant": instant}) or 0)


def _search(holds: Callable[[Any, Any], Any]) -> Select[tuple[int]]:
    """Halve [0, version] until one place is left: the last leg whose recorded time `holds` against the instant."""
    span = select(
        literal(0, _leg.c.seq.type).label("low"), bindparam("version", type_=_leg.c.seq.type).label("high")
    ).cte("span", recursive=True)
    middle = (span.c.low + span.c.high + 1) // 2
    at_middle = (
        select(_leg.c.recorded_at)
        .where(
            _leg.c.customer_id == bindparam("customer_id"),
            _leg.c.account == bindparam("kind"),
            _leg.c.asset == bindparam("asset"),
            _leg.c.seq == middle,
        )
        .scalar_subquery()
    )
    past = holds(at_middle, bindparam("instant", type_=UTCDateTime()))
    span = span.union_all(
        select(case((past, middle), else_=span.c.low), case((past, span.c.high), else_=middle - 1)).where(
            span.c.low < span.c.high
        )
    )
    return select(span.c.low).where(span.c.low == span.c.high)


def _is(account: Account) -> list[ColumnElement[bool]]:
    return [_a.c.customer_id == account.customer_id, _a.c.kind == account.kind, _a.c.asset == account.asset]


def _legs_of(account: Account) -> list[ColumnElement[bool]]:
    return [
        _leg.c.customer_id == account.customer_id,
        _leg.c.account == account.kind,
        _leg.c.asset == account.asset,
        _leg.c.seq.is_not(None),
    ]


_UP_TO, _BEFORE = _search(operator.le), _search(operator.lt)
