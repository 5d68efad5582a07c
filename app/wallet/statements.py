"""Monthly statements: opening balance, every movement, closing balance (SPEC W8).

A month is a calendar month in UTC, whoever reads it and wherever, and a movement belongs to the month in which the
books recorded it. What was recorded never changes, so a month that is closed says the same for good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from app import clock, ledger
from app.errors import NotFound
from app.ledger import Account, Line

# A transaction that began in the last moment of a month may be written a little after it.
CLOSES_AFTER = timedelta(minutes=15)
_NAME = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month in UTC, [start, end)."""

    start: datetime

    @property
    def name(self) -> str:
        """`2026-03`, as addresses and files call it."""
        return f"{self.start:%Y-%m}"

    @property
    def end(self) -> datetime:
        return _first(self.start + timedelta(days=31))

    @property
    def before(self) -> Month:
        return Month(_first(self.start - timedelta(days=1)))

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be added to it any more."""
        return clock.now() >= self.end + CLOSES_AFTER


@dataclass(frozen=True, slots=True)
class Part:
    """One account's month. Balances in its smallest unit; its lines are those with a seq in (since, until]."""

    account: Account
    month: Month
    opening: int
    closing: int
    since: int
    until: int

    @property
    def count(self) -> int:
        return self.until - self.since

    @property
    def change(self) -> int:
        return self.closing - self.opening


def month_of(instant: datetime) -> Month:
    """The month an instant lies in."""
    return Month(_first(instant))


def named(name: str, since: datetime) -> Month:
    """The month of this name. Raises NotFound for one before the customer's first (`since`), and for one to come."""
    found = _NAME.match(name)
    month = Month(datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC)) if found else None
    if month is None or not month_of(since).start <= month.start <= clock.now():
        raise NotFound("There is no statement of this month.", month=name[:20])
    return month


def months(since: datetime) -> Iterator[Month]:
    """Every month from now back to the customer's first."""
    first, month = month_of(since), month_of(clock.now())
    while month.start >= first.start:
        yield month
        month = month.before


def part(session: Session, account: Account, month: Month) -> Part:
    """What one account did in a month, without its lines."""
    found = ledger.stretch(session, account, since=month.start, until=month.end)
    return Part(account, month, found.opening, found.closing, found.after, found.last)


def lines(session: Session, part: Part, *, skip: int, limit: int) -> list[Line]:
    """Some of its lines, oldest first."""
    top = min(part.since + skip + limit, part.until)
    many = top - part.since - skip
    return ledger.history(session, part.account, before=top + 1, limit=many)[::-1] if many > 0 else []


def _first(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
