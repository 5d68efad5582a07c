"""An account's history: lines with a running balance, by cursor or by offset, as fast at ten million as at ten.

A line's `seq` is gapless per account and `kind_seq` gapless per account and kind, so "the 900,000th from the top" is
arithmetic and one index range, never a count. Times mean when the books recorded a line: a closed statement never
changes, even when something that occurred earlier is learnt of later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select, union_all
from sqlalchemy.orm import Session

from app.ledger import tables
from app.ledger.accounts import Account
from app.ledger.balances import totals
from app.ledger.entries import Line
from app.ledger.halving import kind_seq_at, seq_before

_leg, _entry = tables.legs, tables.entries
_ALL = 2**62  # above any seq


def history(
    session: Session,
    account: Account,
    *,
    before: int | None = None,
    limit: int = 50,
    kinds: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Line]:
    """Lines, newest first: those with a seq below `before`, of these kinds, recorded in [since, until)."""
    top = _ALL if before is None else before - 1
    bottom = 0
    if until is not None:
        top = min(top, seq_before(session, account, until))
    if since is not None:
        bottom = seq_before(session, account, since)
    if kinds is None:
        return _lines(session, account, [_leg.c.seq <= top, _leg.c.seq > bottom], limit)
    tallies = totals(session, account)
    wanted = {kind: tallies[kind][0] for kind in kinds if kind in tallies}
    if len(wanted) == len(tallies):
        return _lines(session, account, [_leg.c.seq <= top, _leg.c.seq > bottom], limit)
    if top < _ALL:
        wanted = {kind: kind_seq_at(session, account, kind, count, top) for kind, count in wanted.items()}
    # The lower end is cut here, not in SQL: given a range beside the list, SQLite walks the range from the newest line.
    seqs = [seq for seq in _merged(session, account, wanted, offset=0, limit=limit) if seq > bottom]
    return _lines(session, account, [_leg.c.seq.in_(seqs)], limit) if seqs else []


def history_offset(
    session: Session, account: Account, *, offset: int, limit: int, kinds: Sequence[str] | None = None
) -> tuple[int, list[Line]]:
    """How many lines there are, and one page of them, newest first, skipping `offset`.

    No page is counted or skipped through, save one far down a filter of several kinds: that one reads an index as far.
    """
    tallies = totals(session, account)
    wanted = {kind: tallies[kind][0] for kind in (tallies if kinds is None else kinds) if kind in tallies}
    total = sum(wanted.values())
    if offset >= total or limit <= 0:
        return total, []
    if len(wanted) == len(tallies):
        top = total - offset
        return total, _lines(session, account, [_leg.c.seq <= top, _leg.c.seq > top - limit], limit)
    if len(wanted) == 1:
        [(kind, count)] = wanted.items()
        top = count - offset
        here = [_leg.c.kind == kind, _leg.c.kind_seq <= top, _leg.c.kind_seq > top - limit]
        return total, _lines(session, account, here, limit, by_kind=True)
    seqs = _merged(session, account, wanted, offset=offset, limit=limit)
    return total, _lines(session, account, [_leg.c.seq.in_(seqs)], limit)


def lines_of(session: Session, kind: str, entries: Sequence[tuple[str, str]]) -> dict[str, Line]:
    """The lines that these entries (customer, entry) wrote in their customers' accounts of this kind, by entry."""
    rows = session.execute(
        _line_columns()
        .where(_leg.c.account == kind, _leg.c.seq.is_not(None))
        # Two lists and no list of pairs: given pairs, SQLite reads the whole table. Ids alone tell entries apart.
        .where(_leg.c.customer_id.in_({whose for whose, _ in entries}))
        .where(_leg.c.entry_id.in_({each for _, each in entries}))
    )
    return {row[1]: Line(*row) for row in rows} if entries else {}


@dataclass(frozen=True, slots=True)
class Stretch:
    """An account's history between two instants: the balances around it, and its lines: seqs in (after, last]."""

    opening: int
    closing: int
    after: int
    last: int


def stretch(session: Session, account: Account, *, since: datetime, until: datetime) -> Stretch:
    """What was recorded in [since, until), without reading the lines."""
    after, last = (seq_before(session, account, instant) for instant in (since, until))
    ends = select(_leg.c.seq, _leg.c.balance_after).where(*_of(account), _leg.c.seq.in_((after, last)))
    known = {row.seq: row.balance_after for row in session.execute(ends)}
    return Stretch(known.get(after, 0), known.get(last, 0), after, last)


def _of(account: Account) -> list[ColumnElement[bool]]:
    return [
        _leg.c.customer_id == account.customer_id,
        _leg.c.account == account.kind,
        _leg.c.asset == account.asset,
        _leg.c.seq.is_not(None),
    ]


def _lines(
    session: Session, account: Account, which: list[ColumnElement[bool]], limit: int, by_kind: bool = False
) -> list[Line]:
    rows = session.execute(
        _line_columns()
        .where(*_of(account), *which)
        .order_by((_leg.c.kind_seq if by_kind else _leg.c.seq).desc())
        .limit(limit)
    )
    return [Line(*row) for row in rows]


def _line_columns() -> Select[Any]:
    return select(
        _leg.c.seq, _leg.c.entry_id, _leg.c.kind, _leg.c.amount, _leg.c.balance_after,
        _entry.c.occurred_at, _leg.c.recorded_at, _entry.c.data, _entry.c.key,
    ).join(_entry, and_(_entry.c.customer_id == _leg.c.customer_id, _entry.c.id == _leg.c.entry_id))  # fmt: skip


def _merged(session: Session, account: Account, wanted: dict[str, int], *, offset: int, limit: int) -> list[int]:
    """The seqs of one page over several kinds, each read from its own newest line at or below the given kind_seq."""
    tops: list[Select[tuple[int]]] = []
    for kind, top in wanted.items():
        newest = (
            select(_leg.c.seq)
            .where(*_of(account), _leg.c.kind == kind, _leg.c.kind_seq <= top)
            .order_by(_leg.c.kind_seq.desc())
            .limit(offset + limit)
            .subquery()
        )
        tops.append(select(newest.c.seq))
    if not tops:
        return []
    merged = union_all(*tops).subquery()
    return list(session.scalars(select(merged.c.seq).order_by(merged.c.seq.desc()).offset(offset).limit(limit)))
