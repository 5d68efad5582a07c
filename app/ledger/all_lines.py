"""Everybody's lines in the books, newest first, page by page: for staff, never on the way of a posting.

Over all customers an index on the time of recording is walked; over one customer, their own histories. A filter that
matches little looks through so many lines and no more, and then says where to go on: a page costs the same wherever it
is, and whatever is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal_column, or_, select, tuple_
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.ledger import marks, rollups, tables
from app.ledger.accounts import Account
from app.ledger.chart import CUSTOMER_KINDS
from app.ledger.entries import Line
from app.ledger.halving import seq_before

LOOKED_THROUGH = 50_000  # lines read for one page at most
LOOKED_UP = 5_000  # the same where each of them has to be looked up in another table: keys are not with the lines
_leg, _entry, _account = tables.legs, tables.entries, tables.accounts
_COLUMNS = (
    _leg.c.customer_id, _leg.c.entry_id, _leg.c.account, _leg.c.asset, _leg.c.seq, _leg.c.kind, _leg.c.amount,
    _leg.c.balance_after, _leg.c.recorded_at,
)  # fmt: skip
_OF_ALL = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]{15})Z~(\d{1,18})\Z", re.ASCII)
_OF_ONE = re.compile(r"(\d{1,18})\.(\d{1,18})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines. `account` is wallet or credits; `least` and `most` are sizes, whatever the sign, in the account's
    unit; days are the books' own, in UTC, both included. None asks for all."""

    account: str | None = None
    kinds: Sequence[str] | None = None
    customer_id: str | None = None
    least: int | None = None
    most: int | None = None
    first_day: date | None = None
    last_day: date | None = None
    entry_id: str | None = None
    key: str | None = None

    @property
    def since(self) -> datetime | None:
        return _midnight(self.first_day) if self.first_day else None

    @property
    def until(self) -> datetime | None:
        return _midnight(self.last_day + timedelta(days=1)) if self.last_day else None

    @property
    def by_day_only(self) -> bool:
        """Whether the kept sums by day answer it: no customer, size, entry or key is named."""
        return all(each is None for each in (self.customer_id, self.least, self.most, self.entry_id, self.key))


@dataclass(frozen=True, slots=True)
class Moved:
    """One line of one customer's wallet or credits."""

    customer_id: str
    account: str
    asset: str
    line: Line


@dataclass(frozen=True, slots=True)
class Lines:
    """One page. `older` is the place to ask for next, "" at the end; a page may be short, or empty, and have one."""

    found: list[Moved]
    older: str


def lines(session: Session, asked: Asked, *, before: str | None = None, limit: int = 50) -> Lines:
    """A page, newest first. `before` is an earlier page's `older`. Raises Invalid for another place."""
    return (_of_one if asked.customer_id else _of_everyone)(session, asked, before, limit)


def _of_everyone(session: Session, asked: Asked, before: str | None, limit: int) -> Lines:
    number: ColumnElement[int] = literal_column(f"ledger_leg.{marks.number_column(session)}")
    start = _read_place(before) if before else None
    below = asked.until
    if asked.account or asked.kinds is not None:
        below = _end_of_newest_day(session, asked, start)
        if below is None:
            return Lines([], "")
    floor = _floor(session, start[0] if start else below, _most(asked)) if _is_narrow(asked) else None
    where = [_leg.c.seq.is_not(None), *_matching(asked)]
    if below is not None:
        where.append(_leg.c.recorded_at < below)
    if start is not None:
        at, last = start
        where += [_leg.c.recorded_at <= at, or_(_leg.c.recorded_at < at, number < last)]
    lowest = max((each for each in (asked.since, floor) if each), default=None)
    if lowest is not None:
        where.append(_leg.c.recorded_at >= lowest)
    newest_first = (_leg.c.recorded_at.desc(), number.desc())
    rows = session.execute(
        select(*_COLUMNS, number.label("number")).where(*where).order_by(*newest_first).limit(limit + 1)
    ).all()
    if len(rows) > limit:
        older = _place(rows[limit - 1].recorded_at, rows[limit - 1].number)
    else:
        older = _place(floor, 0) if floor is not None and floor == lowest else ""
    return Lines(_told(session, rows[:limit]), older)


def _of_one(session: Session, asked: Asked, before: str | None, limit: int) -> Lines:
    """One customer's accounts, each down its own history; the place is how far each of them has come."""
    match = _OF_ONE.match(before) if before else None
    if before and match is None:
        raise _strange_place()
    tops = {kind: int(match[i + 1]) for i, kind in enumerate(CUSTOMER_KINDS)} if match else {}
    found: list[tuple[str, Any]] = []
    ends: dict[str, tuple[int, int]] = {}
    for kind, asset, version in _accounts_of(session, asked):
        account = Account(str(asked.customer_id), kind, asset)
        low, high = _stretch(session, account, asked, min(tops.get(kind, version + 1) - 1, version))
        bottom = max(low, high - _most(asked))
        ends[kind] = bottom, low
        where = (_leg.c.customer_id == asked.customer_id, _leg.c.account == kind, _leg.c.asset == asset)
        seqs = (_leg.c.seq.is_not(None), _leg.c.seq <= high, _leg.c.seq > bottom)
        query = select(*_COLUMNS).where(*where, *seqs, *_matching(asked)).order_by(_leg.c.seq.desc()).limit(limit + 1)
        found += [(kind, row) for row in session.execute(query)]
    found.sort(key=lambda each: (each[1].recorded_at, each[1].entry_id, each[1].seq), reverse=True)
    left = {kind: next((row.seq for whose, row in found[limit:] if whose == kind), None) for kind in ends}
    going_on = [_goes_on(left.get(kind), *ends.get(kind, (0, 0))) for kind in CUSTOMER_KINDS]
    older = "{}.{}".format(*going_on) if any(going_on) else ""
    return Lines(_told(session, [row for _, row in found[:limit]]), older)


def _goes_on(first_left: int | None, bottom: int, low: int) -> int:
    """Below which seq an account's next page begins; 0 where nothing of it is left."""
    if first_left is not None:
        return first_left + 1
    return bottom + 1 if bottom > low else 0


def _accounts_of(session: Session, asked: Asked) -> list[tuple[str, str, int]]:
    mine = select(_account.c.kind, _account.c.asset, _account.c.version).where(
        _account.c.customer_id == asked.customer_id
    )
    if asked.account:
        mine = mine.where(_account.c.kind == asked.account)
    return [(row.kind, row.asset, row.version) for row in session.execute(mine)]


def _stretch(session: Session, account: Account, asked: Asked, high: int) -> tuple[int, int]:
    """The seqs (low, high] that were recorded within the days asked for."""
    low = 0
    if asked.until is not None:
        high = min(high, seq_before(session, account, asked.until))
    if asked.since is not None:
        low = seq_before(session, account, asked.since)
    return low, max(low, high)


def _end_of_newest_day(session: Session, asked: Asked, start: tuple[datetime, int] | None) -> datetime | None:
    """The end of the newest day that has such lines, from here on back: what has none is not looked through."""
    upto = min((each for each in (asked.last_day, start[0].date() if start else None) if each), default=None)
    day = rollups.newest_day(session, account=asked.account, kinds=asked.kinds, upto=upto)
    return _midnight(day + timedelta(days=1)) if day else None


def _most(asked: Asked) -> int:
    return min(LOOKED_UP, LOOKED_THROUGH) if asked.key else LOOKED_THROUGH


def _floor(session: Session, upto: datetime | None, most: int) -> datetime | None:
    """When the last line was recorded that one page looks at; None where it comes to the end of the books."""
    where: list[ColumnElement[bool]] = [_leg.c.seq.is_not(None)]
    if upto is not None:
        where.append(_leg.c.recorded_at <= upto)
    times = select(_leg.c.recorded_at).where(*where).order_by(_leg.c.recorded_at.desc())
    return session.scalar(times.offset(most).limit(1))


def _matching(asked: Asked) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if asked.account:
        where.append(_leg.c.account == asked.account)
    if asked.kinds is not None:
        where.append(_leg.c.kind.in_(asked.kinds))
    if asked.least is not None:
        where.append(func.abs(_leg.c.amount) >= asked.least)
    if asked.most is not None:
        where.append(func.abs(_leg.c.amount) <= asked.most)
    if asked.entry_id:
        where.append(_leg.c.entry_id == asked.entry_id)
    if asked.key:
        mine = and_(_entry.c.customer_id == _leg.c.customer_id, _entry.c.id == _leg.c.entry_id)
        where.append(exists().where(mine, _entry.c.key == asked.key))
    return where


def _is_narrow(asked: Asked) -> bool:
    """Whether it may match so little that a page has to look through much."""
    return bool(_matching(asked))


def _told(session: Session, rows: Sequence[Any]) -> list[Moved]:
    """The rows with what their entries say: one query for them all."""
    if not rows:
        return []
    pairs = sorted({(row.customer_id, row.entry_id) for row in rows})
    # SQLite reads the whole table when given pairs; PostgreSQL, given two lists, everything these customers ever had.
    if session.get_bind().dialect.name == "sqlite":
        whose, named = ({pair[place] for pair in pairs} for place in (0, 1))
        query = select(_entry).where(_entry.c.customer_id.in_(whose), _entry.c.id.in_(named))
    else:
        query = select(_entry).where(tuple_(_entry.c.customer_id, _entry.c.id).in_(pairs))
    entries = {(entry.customer_id, entry.id): entry for entry in session.execute(query)}
    found = []
    for row in rows:
        entry = entries[row.customer_id, row.entry_id]
        line = Line(row.seq, row.entry_id, row.kind, row.amount, row.balance_after, entry.occurred_at,
                    row.recorded_at, entry.data, entry.key)  # fmt: skip
        found.append(Moved(row.customer_id, row.account, row.asset, line))
    return found


def _place(at: datetime, number: int) -> str:
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z~{number}"


def _read_place(text: str) -> tuple[datetime, int]:
    match = _OF_ALL.match(text)
    try:
        if match:
            return datetime.fromisoformat(match[1]).replace(tzinfo=UTC), int(match[2])
    except ValueError:
        pass
    raise _strange_place()


def _strange_place() -> Invalid:
    return Invalid("This page link is not valid. Start again from the newest.", field="before")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
