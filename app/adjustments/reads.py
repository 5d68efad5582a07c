"""Adjustments for pages: newest first, by cursor, never by count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import place
from app.adjustments.models import Adjustment

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
        wanted = wanted.where(place.beyond(Adjustment.asked_at, Adjustment.id, *place.read(before)))
    wanted = wanted.order_by(Adjustment.asked_at.desc(), Adjustment.id.desc()).limit(limit + 1)
    rows = session.scalars(wanted).all()
    older = place.written(rows[limit - 1].asked_at, rows[limit - 1].id) if len(rows) > limit else None
    return Page(rows[:limit], older)


def find(session: Session, adjustment_id: str) -> Adjustment | None:
    """One of anybody's, by its id alone: for staff."""
    return session.scalar(select(Adjustment).where(Adjustment.id == adjustment_id))


def waiting(session: Session) -> int:
    """How many wait for a second person, counted up to `MOST_COUNTED`."""
    some = select(Adjustment.id).where(Adjustment.state == "waiting").limit(MOST_COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0
