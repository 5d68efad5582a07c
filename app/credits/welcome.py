"""Welcome credits: once for a new customer, once for their first paid subscription (SPEC C2). They never expire."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.catalogue import reads
from app.catalogue.models import PlanVersion
from app.credits.grants import find_grant, grant
from app.subscriptions.models import Subscription, SubscriptionPeriod


def credits_of_free_plan(session: Session) -> int:
    """What a new customer is welcomed with; 0 where there is no free plan, or none that gives any."""
    plan = reads.free_plan(session)
    return plan.welcome_credits if plan else 0


def customer(session: Session, customer_id: str) -> int:
    """Welcome a new customer with what the free plan gives; how many credits that was."""
    return _once(session, customer_id, "customer", credits_of_free_plan(session))


def subscription(session: Session, sub: Subscription) -> int:
    """Welcome the first subscription that is paid for and brings any: with what the plan gives that it began on.

    The plan may have changed since, before anybody came by to grant this.
    """
    began = (
        select(SubscriptionPeriod.plan_id, SubscriptionPeriod.version)
        .where(SubscriptionPeriod.customer_id == sub.customer_id, SubscriptionPeriod.subscription_id == sub.id)
        .order_by(SubscriptionPeriod.starts_at)
        .limit(1)
    )
    first = session.execute(began).one_or_none()
    version = session.get(PlanVersion, tuple(first) if first else (sub.plan_id, sub.version))
    return _once(session, sub.customer_id, "subscription", version.welcome_credits if version else 0)


def _once(session: Session, customer_id: str, what: str, amount: int) -> int:
    key = f"welcome:{what}"
    if amount == 0 or find_grant(session, customer_id, key) is not None:
        return 0
    return grant(session, customer_id, amount, source="welcome", key=key, actor="system").amount
