"""Places in an account's history, found by halving: twenty steps through an index for a million legs, in one statement.

Recorded times never run backwards along an account's history, and neither does `seq` along the lines of one kind.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, bindparam, case, literal, select
from sqlalchemy.orm import Session

from app.db import UTCDateTime
from app.ledger import tables
from app.ledger.accounts import Account

_a = tables.accounts
_leg = tables.legs


def seq_before(session: Session, account: Account, instant: datetime) -> int:
    """The seq of the newest leg recorded before an instant; 0 if none."""
    mine = (_a.c.customer_id == account.customer_id, _a.c.kind == account.kind, _a.c.asset == account.asset)
    version = session.scalar(select(_a.c.version).where(*mine)) or 0
    return _found(session, _BEFORE, account, high=version, instant=instant)


def kind_seq_at(session: Session, account: Account, kind: str, count: int, top: int) -> int:
    """How many of the `count` lines of a kind have a seq up to `top`."""
    return _found(session, _UP_TO, account, high=count, kind=kind, top=top)


def _found(session: Session, search: Select[tuple[int]], account: Account, *, high: int, **more: Any) -> int:
    whose = {"customer_id": account.customer_id, "account": account.kind, "asset": account.asset}
    return int(session.scalar(search, {**whose, "high": high, **more}) or 0) if high else 0


def _halving(
    place: Column[Any], value: Column[Any], holds: Callable[[Any], ColumnElement[bool]], *more: ColumnElement[bool]
) -> Select[tuple[int]]:
    """Halve [0, high] until one place is left: the last one whose leg has a value that `holds`."""
    number = _leg.c.seq.type
    span = select(literal(0, number).label("low"), bindparam("high", type_=number).label("high")).cte(
        "span", recursive=True
    )
    middle = (span.c.low + span.c.high + 1) // 2
    at_middle = (
        select(value)
        .where(
            _leg.c.customer_id == bindparam("customer_id"),
            _leg.c.account == bindparam("account"),
            _leg.c.asset == bindparam("asset"),
            place == middle,
            _leg.c.seq.is_not(None),
            *more,
        )
        .scalar_subquery()
    )
    below = holds(at_middle)
    span = span.union_all(
        select(case((below, middle), else_=span.c.low), case((below, span.c.high), else_=middle - 1)).where(
            span.c.low < span.c.high
        )
    )
    return select(span.c.low).where(span.c.low == span.c.high)


_BEFORE = _halving(_leg.c.seq, _leg.c.recorded_at, lambda at: at < bindparam("instant", type_=UTCDateTime()))
_UP_TO = _halving(
    _leg.c.kind_seq,
    _leg.c.seq,
    lambda seq: seq <= bindparam("top", type_=_leg.c.seq.type),
    _leg.c.kind == bindparam("kind"),
)
