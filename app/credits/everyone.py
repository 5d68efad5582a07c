"""The credit movements of all customers, for staff: newest first, by cursor or by offset (SPEC C6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app import ledger, place
from app.credits.models import CreditAllocation
from app.ledger import Line


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
        newest = newest.where(place.beyond(one.at, one.entry_id, *place.read(before)))
    rows = session.execute(newest.offset(offset).limit(limit + 1)).all()
    page = rows[:limit]
    lines = ledger.lines_of(session, "credits", [(row.customer_id, row.entry_id) for row in page])
    older = place.written(page[-1].at, page[-1].entry_id) if len(rows) > limit else ""
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
