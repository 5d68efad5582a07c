"""Which seconds of a subscription were invoiced, as they are written down."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.subscriptions.models import Subscription, SubscriptionPeriod


def periods_of(session: Session, subscription: Subscription) -> list[SubscriptionPeriod]:
    """In the order of time."""
    p = SubscriptionPeriod
    mine = select(p).where(p.customer_id == subscription.customer_id, p.subscription_id == subscription.id)
    return list(session.scalars(mine.order_by(p.starts_at)))
