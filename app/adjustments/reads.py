"""Adjustments for pages: newest first, by cursor, never by count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.adjustments.models import Adjustment
from app.errors import Invalid

MOST_COUNTED = 100


@dataclass(frozen=True)
class Page:
    """Some adjustments, and the cursor of the next older ones; None at the end."""

    rows: Sequence[Adjustment]
    older: str | None


def page(
    session: Session,
    *,
    state: str | None = None,
    customer_id: str | None = None,
    before: str | None = None,
    limit: int = 25,
) -> Page:
    """Newest first; of one state or customer where given. Raises Invalid for a cursor that is none of ours."""
    wanted = select(Adjustment)
    if state:
        wanted = wanted.where(Adjustment.state == state)
    if customer_id:
        wanted = wanted.where(Adjustment.customer_id == customer_id)
    if before:
        at, last = _read(before)
        wanted = wanted.where(or_(Adjustment.asked_at < at, and_(Adjustment.asked_at == at, Adjustment.id < last)))
    wanted = wanted.order_by(Adjustment.asked_at.desc(), Adjustment.id.desc()).limit(limit + 1)
    rows = session.scalars(wanted).all()
    older = f"{rows[limit - 1].asked_at.isoformat()}~{rows[limit - 1].id}" if len(rows) > limit else None
    return Page(rows[:limit], older)


def find(session: Session, adjustment_id: str) -> Adjustment | None:
    """One of anybody's, by its id alone: for staff."""
    return session.scalar(select(Adjustment).where(Adjustment.id == adjustment_id))


def waiting(session: Session) -> int:
    """How many wait for a second person, counted up to `MOST_COUNTED`."""
    some = select(Adjustment.id).where(Adjustment.state == "waiting").limit(MOST_COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _read(cursor: str) -> tuple[datetime, str]:
    instant, _, last = cursor.partition("~")
    try:
        at = datetime.fromisoformat(instant.replace(" ", "+"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not last:
        raise Invalid("This page of the list does not exist any more. Start again from the newest.", field="before")
    return at, last
