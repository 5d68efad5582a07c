"""Who is on which version of a plan, for staff who are about to change it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.subscriptions.models import Subscription


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A customer on a version. `price_minor` is what they pay an `interval`, before tax, negotiated or not."""

    customer_id: str
    interval: str
    price_minor: int
    currency: str
    status: str
    started_at: datetime
    period_end: datetime


def per_version(session: Session, plan_id: str | None = None) -> dict[tuple[str, int], int]:
    """Plan id and version number to the live subscriptions of it, of one plan or of all. One SELECT."""
    counted = select(Subscription.plan_id, Subscription.version, func.count())
    live = counted.where(Subscription.ended_at.is_(None)).group_by(Subscription.plan_id, Subscription.version)
    if plan_id is not None:
        live = live.where(Subscription.plan_id == plan_id)
    return {(plan_id, version): count for plan_id, version, count in session.execute(live)}


def of_version(
    session: Session, plan_id: str, version: int, *, after: str = "", limit: int = 50
) -> tuple[list[Subscriber], str]:
    """Who has this version, by customer id from the one after `after` on, and the last id when there are more."""
    s = Subscription
    columns = (s.customer_id, s.interval, s.price_minor, s.currency, s.status, s.started_at, s.period_end)
    mine = select(*columns).where(s.plan_id == plan_id, s.version == version, s.ended_at.is_(None))
    rows = session.execute(mine.where(s.customer_id > after).order_by(s.customer_id).limit(limit + 1)).all()
    found = [Subscriber(*row) for row in rows[:limit]]
    return found, found[-1].customer_id if len(rows) > limit else ""
