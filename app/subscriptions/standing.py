"""Where a customer stands: their plan with negotiated terms laid over it, what they pay, and until when. Cheap to ask.

Four SELECTs at most. Whoever has no subscription is on the free plan; where the catalogue has none, on no plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import and_, bindparam, case, select
from sqlalchemy.orm import Session

from app import clock
from app.catalogue import reads
from app.catalogue.terms import PlanTerms
from app.money import Money
from app.subscriptions import overrides
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.periods import Anchor, Interval, Period

_CALENDAR = Anchor(datetime(2000, 1, 1, tzinfo=UTC), ZoneInfo("UTC"))

# Put together once: every page, call and usage event asks this.
_LIVE = (
    select(Subscription, SubscriptionChange)
    .outerjoin(
        SubscriptionChange,
        and_(
            SubscriptionChange.customer_id == Subscription.customer_id,
            SubscriptionChange.subscription_id == Subscription.id,
            SubscriptionChange.state.in_(("in_flight", "scheduled")),
        ),
    )
    .where(Subscription.customer_id == bindparam("customer"), Subscription.ended_at.is_(None))
    .order_by(case((SubscriptionChange.state == "in_flight", 0), else_=1))
    .limit(1)
)


class Running(NamedTuple):
    """What of a live subscription says by which terms and over which months usage counts. Its columns' names."""

    plan_id: str
    version: int
    status: str
    anchor_at: datetime
    time_zone: str
    period_start: datetime
    period_end: datetime
    cancel_at_period_end: bool
    grace_ends_at: datetime | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What pages, the API and checks ask. `status`: free, incomplete, active, past_due or restricted.

    `period` is the allowance period now (a month, on yearly plans too; the calendar month in UTC without a
    subscription). `price` is before tax, for one `interval`. `next_billing_at` is None when nothing will be billed.
    """

    customer_id: str
    plan: PlanTerms | None
    subscription: Subscription | None
    status: str
    interval: Interval | None
    price: Money | None
    period: Period
    next_billing_at: datetime | None
    pending: SubscriptionChange | None  # in flight, else scheduled
    ends_at: datetime | None  # cancelled: access until then
    grace_ends_at: datetime | None  # a payment failed: nothing is taken away until then

    @property
    def tier(self) -> str:
        """The API's word for the plan."""
        return self.plan.key if self.plan else "free"


def of(session: Session, customer_id: str) -> Standing:
    """Where this customer stands now."""
    now = clock.now()
    subscription, pending = _live(session, customer_id)
    if subscription is None or is_over(subscription, now):
        return _free(session, customer_id, now)
    ends_at = subscription.period_end if subscription.cancel_at_period_end else None
    return Standing(
        customer_id=customer_id,
        plan=overrides.terms_of(session, customer_id, subscription.plan_id, subscription.version),
        subscription=subscription,
        status=status_at(subscription, now),
        interval=Interval(subscription.interval),
        price=Money(subscription.price_minor, subscription.currency),
        period=allowance_period(subscription, now),
        next_billing_at=None if ends_at else subscription.period_end,
        pending=pending,
        ends_at=ends_at,
        grace_ends_at=subscription.grace_ends_at,
    )


def is_over(subscription: Subscription | Running, now: datetime) -> bool:
    """Cancelled and over, though nobody has come by to write it down yet."""
    return subscription.cancel_at_period_end and subscription.period_end <= now


def period_of(subscription: Subscription | Running | None, instant: datetime) -> Period:
    """The allowance period an instant is in: the subscription's; of before it, and without one, the calendar month."""
    if subscription is None or instant < subscription.started_at:
        return _CALENDAR.allowance_period_at(max(instant, _CALENDAR.at))
    return allowance_period(subscription, instant)


def status_at(subscription: Subscription | Running, instant: datetime) -> str:
    """The status as it counts: the grace period ends on time, whether or not anybody has written that down."""
    ends = subscription.grace_ends_at
    over = subscription.status == "past_due" and ends is not None and ends <= instant
    return "restricted" if over else subscription.status


def allowance_period(subscription: Subscription | Running, instant: datetime) -> Period:
    """The month over which allowances count, on the subscription's own anchor (SPEC R6, U2)."""
    anchor = anchor_of(subscription)
    if instant < anchor.at:  # billing begins later, at a provider that counts from there
        return Period(0, subscription.period_start, max(subscription.period_end, anchor.at))
    return anchor.allowance_period_at(instant)


def anchor_of(subscription: Subscription | Running) -> Anchor:
    return Anchor(subscription.anchor_at, ZoneInfo(subscription.time_zone))


def _free(session: Session, customer_id: str, now: datetime) -> Standing:
    terms = reads.free_plan(session)
    override = overrides.live(session, customer_id) if terms else None
    return Standing(
        customer_id=customer_id,
        plan=overrides.laid_over(terms, override) if terms else None,
        subscription=None,
        status="free",
        interval=None,
        price=None,
        period=_CALENDAR.allowance_period_at(now),
        next_billing_at=None,
        pending=None,
        ends_at=None,
        grace_ends_at=None,
    )


def _live(session: Session, customer_id: str) -> tuple[Subscription | None, SubscriptionChange | None]:
    found = session.execute(_LIVE, {"customer": customer_id}).one_or_none()
    return (found[0], found[1]) if found else (None, None)
