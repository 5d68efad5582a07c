"""Which seconds of a subscription which invoice was made for: each second of a paid one belongs to exactly one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock
from app.subscriptions.models import Subscription, SubscriptionPeriod
from app.subscriptions.periods import Interval


def enter_period(
    session: Session,
    subscription: Subscription,
    *,
    starts_at: datetime,
    ends_at: datetime,
    plan_id: str,
    version: int,
    interval: Interval,
    invoice_id: str,
    is_latest: bool = False,
) -> None:
    """Note that `[starts_at, ends_at)` was invoiced by our invoice `invoice_id`. The same again changes nothing.

    Where periods would overlap, the one that begins later holds from there on: a change of interval begins a new
    period within the old one. That is so whichever of them is told first; of two with the same beginning and end the
    first one told stays, unless `is_latest` says that this was invoiced last. Belongs under the subscription's lock.
    """
    mine = _of(subscription)
    later = select(SubscriptionPeriod.starts_at).where(*mine, SubscriptionPeriod.starts_at > starts_at)
    following = session.scalars(later.order_by(SubscriptionPeriod.starts_at).limit(1)).one_or_none()
    ends = [ends_at, following, subscription.ended_at and max(starts_at, subscription.ended_at)]
    row = {
        "customer_id": subscription.customer_id,
        "subscription_id": subscription.id,
        "starts_at": starts_at,
        "ends_at": min(end for end in ends if end),
        "paid_until": ends_at,
        "plan_id": plan_id,
        "version": version,
        "interval": interval.value,
        "invoice_id": invoice_id,
        "created_at": clock.now(),
    }
    key = ["customer_id", "subscription_id", "starts_at"]
    # The same beginning on another invoice: the plan was changed in the period's first second, and that one counts.
    kept = {name: row[name] for name in row if name not in (*key, "created_at")}
    other = None if is_latest else SubscriptionPeriod.paid_until < ends_at
    session.execute(
        insert(SubscriptionPeriod).values(row).on_conflict_do_update(index_elements=key, set_=kept, where=other)
    )
    before = (*mine, SubscriptionPeriod.starts_at < starts_at, SubscriptionPeriod.ends_at > starts_at)
    session.execute(
        update(SubscriptionPeriod)
        .where(*before)
        .values(ends_at=starts_at)
        .execution_options(synchronize_session="fetch")
    )


def cut(session: Session, subscription: Subscription, *, at: datetime) -> None:
    """Nothing is invoiced from `at` on: periods that run longer end there, those not begun yet are empty."""
    running = (*_of(subscription), SubscriptionPeriod.ends_at > at)
    for period in session.scalars(select(SubscriptionPeriod).where(*running)):
        period.ends_at = max(period.starts_at, at)
    session.flush()


def _of(subscription: Subscription) -> tuple[ColumnElement[bool], ...]:
    return (
        SubscriptionPeriod.customer_id == subscription.customer_id,
        SubscriptionPeriod.subscription_id == subscription.id,
    )
