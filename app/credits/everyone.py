"""The credit movements of all customers, for staff: newest first, by cursor or by offset (SPEC C6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session

from app import ledger
from app.credits.models import CreditAllocation
from app.errors import Invalid
from app.ledger import Line

_PLACE = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]{8,15}Z)~(wtxn_[0-9a-z]{26})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which movements: of these ledger kinds, of one customer, recorded in [since, until). None asks for all."""

    kinds: Sequence[str] | None = None
    customer_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of one customer's credits."""

    customer_id: str
    line: Line


@dataclass(frozen=True, slots=True)
class Movements:
    """One page; `older` is the place to ask for next, "" at the end."""

    found: Sequence[Movement]
    older: str


def movements(
    session: Session, asked: Asked, *, before: str | None = None, offset: int = 0, limit: int = 50
) -> Movements:
    """A page of movements, newest first. `before` is an earlier page's `older`. Raises Invalid for another place."""
    one = CreditAllocation
    newest = (
        select(one.customer_id, one.entry_id, one.at)
        .where(one.position == 0, *_which(asked))
        .order_by(one.at.desc(), one.entry_id.desc())
    )
    if before:
        newest = newest.where(tuple_(one.at, one.entry_id) < _place(before))
    rows = session.execute(newest.offset(offset).limit(limit + 1)).all()
    page = rows[:limit]
    lines = ledger.lines_of(session, "credits", [(row.customer_id, row.entry_id) for row in page])
    older = f"{_written(page[-1].at)}~{page[-1].entry_id}" if len(rows) > limit else ""
    return Movements([Movement(row.customer_id, lines[row.entry_id]) for row in page], older)


def _which(asked: Asked) -> list[ColumnElement[bool]]:
    one = CreditAllocation
    found: list[ColumnElement[bool]] = []
    if asked.kinds is not None:
        found.append(one.kind.in_(asked.kinds))
    if asked.customer_id is not None:
        found.append(one.customer_id == asked.customer_id)
    if asked.since is not None:
        found.append(one.at >= asked.since)
    if asked.until is not None:
        found.append(one.at < asked.until)
    return found


def _written(at: datetime) -> str:
    """The instant to the microsecond: two movements of one millisecond must not hide each other."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _place(text: str) -> tuple[datetime, str]:
    match = _PLACE.match(text)
    try:
        if match:
            return datetime.fromisoformat(match[1]), match[2]
    except ValueError:
        pass
    raise Invalid("This page link is not valid. Start again from the newest.", field="before")
