"""How many customers are on which version of a plan, for staff who are about to change it."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.subscriptions.models import Subscription


def per_version(session: Session) -> dict[tuple[str, int], int]:
    """Plan id and version number to the live subscriptions of it. One SELECT."""
    counted = select(Subscription.plan_id, Subscription.version, func.count())
    live = counted.where(Subscription.ended_at.is_(None)).group_by(Subscription.plan_id, Subscription.version)
    return {(plan_id, version): count for plan_id, version, count in session.execute(live)}
