"""What a customer was told: the list for their page, how much of it is unread, and marking it read."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import clock, place
from app.errors import NotFound
from app.notices.models import Notice

MOST_COUNTED = 100  # unread ones; beyond that nobody needs to know how many


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Some notices, newest first, and the id to ask for the older ones with; None at the end."""

    notices: list[Notice]
    older: str | None


def page(
    session: Session, customer_id: str, *, before: str | None = None, limit: int = 25, unread_only: bool = False
) -> NoticePage:
    """`before` is the last id of the page above. Raises NotFound for one that is none of theirs."""
    found = select(Notice).where(Notice.customer_id == customer_id)
    if unread_only:
        found = found.where(Notice.read_at.is_(None))
    if before is not None:
        last = one(session, customer_id, before)
        found = found.where(place.beyond(Notice.at, Notice.id, last.at, last.id))
    rows = list(session.scalars(found.order_by(Notice.at.desc(), Notice.id.desc()).limit(limit + 1)))
    return NoticePage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def one(session: Session, customer_id: str, notice_id: str) -> Notice:
    """One notice of this customer. Raises NotFound, the same for another customer's."""
    found = session.get(Notice, (customer_id, notice_id))
    if found is None:
        raise NotFound("There is no such notice.")
    return found


def unread(session: Session, customer_id: str) -> int:
    """How many are unread; counted to 100."""
    some = select(Notice.id).where(Notice.customer_id == customer_id, Notice.read_at.is_(None)).limit(MOST_COUNTED)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def mark_read(session: Session, customer_id: str, notice_id: str | None = None) -> None:
    """Mark one as read, or all of them. Raises NotFound for one that is none of theirs."""
    these = update(Notice).where(Notice.customer_id == customer_id, Notice.read_at.is_(None))
    if notice_id is not None:
        these = these.where(Notice.id == one(session, customer_id, notice_id).id)
    session.execute(these.values(read_at=clock.now()))
