"""A subscription from its beginning to its end: begin, fall behind with a payment, catch up, be restricted, end.

Whoever pays, wallet or card, these are the only places that write its status. Losing a subscription never touches
credits or wallet (SPEC R7). Lock order for all who change one: order, subscription, number series, ledger.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.errors import Conflict, NotFound
from app.money import Money
from app.subscriptions import changes, invoiced, told
from app.subscriptions.dunning import GRACE_DAYS
from app.subscriptions.models import Subscription
from app.subscriptions.periods import Anchor, Interval, Period


class AlreadySubscribed(Conflict):
    """A customer has one subscription at a time. Details: plan_id, and what to do instead."""


class NoSubscription(NotFound):
    """There is nothing to change: the customer has no subscription."""

    code = "NO_SUBSCRIPTION"


def live(session: Session, customer_id: str, *, lock: bool = False) -> Subscription | None:
    """The subscription that has not ended. `lock` keeps others from changing it until the commit."""
    found = select(Subscription).where(Subscription.customer_id == customer_id, Subscription.ended_at.is_(None))
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return session.scalars(found).one_or_none()


def the_live(session: Session, customer_id: str) -> Subscription:
    """The live one, locked. Raises NoSubscription."""
    found = live(session, customer_id, lock=True)
    if found is None:
        raise NoSubscription("There is no subscription. Choose a plan to begin one.")
    return found


def by_provider_id(session: Session, channel: str, provider_id: str, *, lock: bool = False) -> Subscription | None:
    """The subscription a provider runs under this id, ended or not; the live one first."""
    found = (
        select(Subscription)
        .where(Subscription.channel == channel, Subscription.provider_id == provider_id)
        .order_by(Subscription.ended_at.is_not(None), Subscription.started_at.desc())
        .limit(1)
    )
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return session.scalars(found).one_or_none()


def refuse_second(session: Session, customer_id: str) -> None:
    """Raises AlreadySubscribed where there is a live subscription."""
    known = live(session, customer_id)
    if known is not None:
        raise _already(known.plan_id)


def _already(plan_id: str | None) -> AlreadySubscribed:
    sentence = "You have a subscription already. Change its plan instead of beginning a second one."
    return AlreadySubscribed(sentence, plan_id=plan_id, remedy="change_plan")


def begin(
    session: Session,
    *,
    customer_id: str,
    plan_id: str,
    version: int,
    interval: Interval,
    price: Money,
    paid_by: str,
    anchor: Anchor,
    period: Period,
    actor: str,
    status: str = "active",
    channel: str | None = None,
    provider_id: str | None = None,
    due_at: datetime | None = None,
) -> Subscription:
    """Write down a new subscription. `price` is for one interval, before tax.

    Raises AlreadySubscribed, also for the slower of two at once: the table takes one live row for each customer.
    """
    now = clock.now()
    row: dict[str, Any] = {
        "customer_id": customer_id,
        "id": ids.new("sub"),
        "plan_id": plan_id,
        "version": version,
        "interval": interval.value,
        "price_minor": price.minor,
        "currency": price.currency,
        "paid_by": paid_by,
        "channel": channel,
        "provider_id": provider_id,
        "provider_state": {},
        "status": status,
        "anchor_at": anchor.at,
        "time_zone": str(anchor.zone),
        "period_start": period.start,
        "period_end": period.end,
        "cancel_at_period_end": False,
        "attempts": 0,
        "due_at": due_at,
        "started_at": period.start,
        "updated_at": now,
    }
    _insert(session, row)
    made = session.get_one(Subscription, (customer_id, row["id"]), with_for_update=True)
    terms = {"plan": plan_id, "version": version, "interval": interval.value, "price_minor": price.minor}
    _record(session, actor, "started", made, **terms, paid_by=paid_by)
    return made


def _insert(session: Session, row: dict[str, Any]) -> None:
    made = insert(Subscription).values(row).on_conflict_do_nothing().returning(Subscription.id)
    if session.execute(made).scalar_one_or_none() is None:
        known = live(session, row["customer_id"])
        raise _already(known.plan_id if known else None)


def become_past_due(
    session: Session,
    subscription: Subscription,
    *,
    since: datetime,
    grace_days: int = GRACE_DAYS,
    next_attempt_at: datetime | None = None,
    actor: str = "system",
) -> None:
    """A payment failed: full access for the grace period, counted from the first failure and never begun anew."""
    first_time = subscription.past_due_since is None
    began = subscription.past_due_since or since
    subscription.past_due_since = began
    subscription.grace_ends_at = began + timedelta(days=grace_days)
    subscription.next_attempt_at = next_attempt_at
    over = subscription.grace_ends_at <= clock.now()
    _move(subscription, "restricted" if over else "past_due")
    if first_time:
        times = {"since": clock.timestamp(began), "grace_ends_at": clock.timestamp(subscription.grace_ends_at)}
        _record(session, actor, "past_due", subscription, **times)
    session.flush()


def restrict(session: Session, subscription: Subscription, *, actor: str = "system") -> None:
    """The grace period is over, or the provider gave up. It stays until it is paid or ends."""
    if subscription.status == "restricted":
        return
    _move(subscription, "restricted")
    _record(session, actor, "restricted", subscription)
    session.flush()


def recover(session: Session, subscription: Subscription, *, actor: str = "system") -> None:
    """Everything is paid: whatever was taken away comes back."""
    was = subscription.status
    subscription.past_due_since = subscription.grace_ends_at = subscription.next_attempt_at = None
    subscription.attempts = 0
    _move(subscription, "active")
    if was in ("past_due", "restricted"):
        _record(session, actor, "recovered", subscription, was=was)
    session.flush()


def end(session: Session, subscription: Subscription, *, at: datetime, actor: str, reason: str | None = None) -> None:
    """From `at` on the customer is on the free plan. Ending it again changes nothing.

    What was invoiced beyond `at` is cut off, and a change that waited comes to nothing.
    """
    if subscription.ended_at is not None:
        return
    subscription.ended_at = at
    subscription.due_at = subscription.next_attempt_at = subscription.pays_next_by = None
    subscription.cancel_reason = reason or subscription.cancel_reason
    _move(subscription, "canceled")
    session.flush()
    invoiced.cut(session, subscription, at=at)
    changes.drop_all(session, subscription, because="The subscription ended first.")
    _record(session, actor, "ended", subscription, at=clock.timestamp(at), reason=subscription.cancel_reason)


def _move(subscription: Subscription, status: str) -> None:
    subscription.status = status
    subscription.updated_at = clock.now()


def _record(session: Session, actor: str, what: str, sub: Subscription, **details: Any) -> None:
    activity.record(session, actor, f"subscription.{what}", sub.id, customer_id=sub.customer_id, **details)
    told.changed(session, sub, what)
