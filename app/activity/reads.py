"""The audit log for pages: newest first, by cursor, never by count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import few_words, place
from app.activity.models import Activity
from app.ledger import HOUSE


@dataclass(frozen=True)
class Page:
    """Some lines, newest first, and the cursor of the next older page, None at the end."""

    lines: list[Activity]
    older: str | None


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
    """What happened anywhere, for staff; `action` may be a whole word or a beginning such as "wallet.".

    Raises Invalid for a `before` that is none of ours.
    """
    asked = ((Activity.customer_id, customer_id), (Activity.subject, subject), (Activity.actor, actor))
    where = [column == wanted for column, wanted in asked if wanted]
    if before:
        where.append(place.beyond(Activity.at, Activity.id, *place.read(before)))
    if action and (subject or _has_few(customer_id, actor)):
        where.append(Activity.action.startswith(action, autoescape=True))
    elif action:
        words = few_words.beginning_so(session, Activity.action, action)
        if not words:
            return Page([], None)
        newest = few_words.newest(Activity.id, Activity.at, Activity.action, words, limit + 1, *where)
        where = [Activity.id.in_(newest)]
    lines = select(Activity).where(*where).order_by(Activity.at.desc(), Activity.id.desc())
    found = list(session.scalars(lines.limit(limit + 1)))
    older = place.written(found[limit - 1].at, found[limit - 1].id) if len(found) > limit else None
    return Page(found[:limit], older)


def _has_few(customer_id: str | None, actor: str | None) -> bool:
    """Whether this leaves few lines to look through: one customer's, or one person's, but no program's of ours."""
    return bool(customer_id and customer_id != HOUSE) or bool(actor and "usr_" in actor)


def since(session: Session, customer_id: str, action: str, instant: datetime, *, limit: int) -> list[Activity]:
    """What was done to a customer under this name from an instant on, newest first."""
    mine = select(Activity).where(Activity.customer_id == customer_id, Activity.at >= instant)
    newest = mine.where(Activity.action == action).order_by(Activity.at.desc(), Activity.id.desc())
    return list(session.scalars(newest.limit(limit)))
