"""Checkouts that a channel refused, kept for staff: once for each thing, with what the provider said last."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock
from app.payments.refused_table import RefusedCheckout

_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Refused:
    """What could not be bought, and what was said about it. `order_id` is empty where there was none yet."""

    channel: str
    what: str
    reason: str
    code: str | None
    customer_id: str
    order_id: str = ""


def note(session: Session, refused: Refused) -> bool:
    """Keep it; whether it is news: the first since it was last settled, or for another reason than the last."""
    now, reason = clock.now(), refused.reason[:_LONGEST_REASON]
    told = {"code": refused.code, "customer_id": refused.customer_id, "order_id": refused.order_id, "last_at": now}
    row = {"channel": refused.channel, "what": refused.what, "reason": reason, "count": 1, "first_at": now, **told}
    once = insert(RefusedCheckout).values(row).on_conflict_do_nothing(index_elements=["channel", "what"])
    if session.scalar(once.returning(RefusedCheckout.what)) is not None:
        return True
    known = _one(session, refused.channel, refused.what)
    is_news = known.settled_at is not None or known.reason != reason
    if known.settled_at is not None:
        known.count, known.first_at, known.settled_at = 0, now, None
    known.count += 1
    known.reason = reason
    for name, said in told.items():
        setattr(known, name, said)
    session.flush()
    return is_news


def settle(session: Session, channel: str, what: str) -> None:
    """It can be bought there now."""
    mine = (RefusedCheckout.channel == channel, RefusedCheckout.what == what, RefusedCheckout.settled_at.is_(None))
    session.execute(update(RefusedCheckout).where(*mine).values(settled_at=clock.now()))


def latest(session: Session, limit: int | None = None) -> list[RefusedCheckout]:
    """For staff: what was refused, newest first; one row for each thing at a channel, so there are not many."""
    newest = RefusedCheckout.last_at.desc(), RefusedCheckout.channel, RefusedCheckout.what
    return list(session.scalars(select(RefusedCheckout).order_by(*newest).limit(limit)))


def _one(session: Session, channel: str, what: str) -> RefusedCheckout:
    mine = select(RefusedCheckout).where(RefusedCheckout.channel == channel, RefusedCheckout.what == what)
    return session.scalars(mine.with_for_update().execution_options(populate_existing=True)).one()
