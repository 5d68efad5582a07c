"""The audit log for pages: newest first, by cursor, never by count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from app import place
from app.activity.models import Activity


@dataclass(frozen=True)
class Page:
    """Some lines, newest first, and the cursor of the next older page, None at the end."""

    lines: list[Activity]
    older: str | None


def of_customer(session: Session, customer_id: str, *, before: str | None = None, limit: int = 50) -> Page:
    """What happened to one customer. Raises Invalid for a cursor that is none of ours."""
    return _page(session, select(Activity).where(Activity.customer_id == customer_id), before, limit)


def of_everyone(
    session: Session,
    *,
    before: str | None = None,
    limit: int = 50,
    action: str | None = None,
    actor: str | None = None,
    customer_id: str | None = None,
    subject: str | None = None,
) -> Page:
    """What happened anywhere, for staff; `action` may be a whole word or a beginning such as "wallet."."""
    lines = select(Activity)
    if customer_id:
        lines = lines.where(Activity.customer_id == customer_id)
    if subject:
        lines = lines.where(Activity.subject == subject)
    if action:
        lines = lines.where(Activity.action.startswith(action, autoescape=True))
    if actor:
        lines = lines.where(Activity.actor == actor)
    return _page(session, lines, before, limit)


def since(session: Session, customer_id: str, action: str, instant: datetime, *, limit: int) -> list[Activity]:
    """What was done to a customer under this name from an instant on, newest first."""
    mine = select(Activity).where(Activity.customer_id == customer_id, Activity.at >= instant)
    newest = mine.where(Activity.action == action).order_by(Activity.at.desc(), Activity.id.desc())
    return list(session.scalars(newest.limit(limit)))


def _page(session: Session, lines: Select[Activity], before: str | None, limit: int) -> Page:
    if before:
        at, last = place.read(before)
        lines = lines.where(or_(Activity.at < at, and_(Activity.at == at, Activity.id < last)))
    found = list(session.scalars(lines.order_by(Activity.at.desc(), Activity.id.desc()).limit(limit + 1)))
    older = place.written(found[limit - 1].at, found[limit - 1].id) if len(found) > limit else None
    return Page(found[:limit], older)
