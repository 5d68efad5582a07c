"""Granting what is due by itself: welcome and included credits, bonuses that coupons promised; and ending what is over.

Run twice, late or by two workers, it comes to the same: every grant has a key, and each customer a transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import clock, credits
from app.catalogue import reads
from app.coupons import gifts
from app.credits import expire, included, welcome
from app.credits.models import CreditSchedule
from app.customers.models import Customer
from app.db import transaction
from app.subscriptions import lifecycle, standing
from app.subscriptions.models import Subscription

log = logging.getLogger(__name__)

_PAGE = 50  # customers looked up at once
_BREATH = 0.005  # seconds between two customers on SQLite, which keeps no queue for its lock

Step = Callable[[Session, str], object]


def grant_due(session_factory: Callable[[], Session], limit: int = 500) -> int:
    """Do what is due, for up to `limit` customers of each kind; for how many that was.

    Never raises for one customer: what broke is logged, and tried again the next time.
    """
    with session_factory() as session:
        done = _each(session, _with_over(session, limit), _end)
        done += _each(session, _with_bonus(session, limit), bonuses)
        done += _each(session, _subscribed(session, limit), _of_subscription)
        return done + _each(session, _free(session, limit), _of_free)


def _each(session: Session, customers: list[str], step: Step) -> int:
    done = 0
    for customer_id in customers:
        try:
            with transaction(session):
                step(session, customer_id)
            done += 1
        except OperationalError as busy:
            log.warning("the database is busy, and what is due stays due: %s", busy)
            return done
        except Exception:
            log.exception("the credits of %s could not be granted, and will be tried again", customer_id)
        if session.get_bind().dialect.name == "sqlite":
            time.sleep(_BREATH)
    return done


def _end(session: Session, customer_id: str) -> int:
    return expire.expire_of(session, customer_id, clock.now())


def bonuses(session: Session, customer_id: str) -> int:
    """What coupons promised this customer, each once."""
    waiting = gifts.waiting(session, _PAGE, customer_id=customer_id)
    for bonus in waiting:
        credits.grant(
            session,
            customer_id,
            bonus.credits,
            source="coupon",
            key=gifts.key_of(bonus.redemption_id, bonus.occasion),
            data={"description": f"Coupon {bonus.code}", "redemption": bonus.redemption_id},
            actor="system",
        )
        gifts.taken_up(session, bonus, clock.now())
    return len(waiting)


def _of_subscription(session: Session, customer_id: str) -> int:
    now = clock.now()
    sub = lifecycle.live(session, customer_id, lock=True)
    if sub is None or sub.status != "active" or not sub.period_start <= now < sub.period_end:
        return 0  # it changed since it was chosen
    given = welcome.subscription(session, sub) if sub.price_minor else 0
    return given + included.of_subscription(session, sub, now)


def _of_free(session: Session, customer_id: str) -> int:
    where = standing.of(session, customer_id)
    if where.subscription is not None or where.plan is None:
        return 0
    return included.of_free(session, customer_id, where.plan, where.period)


def _with_over(session: Session, limit: int) -> list[str]:
    return expire.due(session, clock.now(), limit)


def _with_bonus(session: Session, limit: int) -> list[str]:
    return list(dict.fromkeys(bonus.customer_id for bonus in gifts.waiting(session, limit)))


def _subscribed(session: Session, limit: int) -> list[str]:
    """Who has a paid-up subscription, and not yet what it includes in this period."""
    now = clock.now()
    due = (
        select(Subscription.customer_id)
        .outerjoin(CreditSchedule, CreditSchedule.customer_id == Subscription.customer_id)
        .where(
            Subscription.ended_at.is_(None),
            Subscription.status == "active",
            Subscription.period_start <= now,
            Subscription.period_end > now,
            _unscheduled(Subscription.id, Subscription.plan_id, Subscription.version, now),
        )
        .order_by(Subscription.customer_id)
        .limit(limit)
    )
    return list(session.scalars(due))


def _unscheduled(subscription: Any, plan: Any, version: Any, now: datetime) -> ColumnElement[bool]:
    """Whether what this subscription's plan includes is due, or was last granted for another one. Columns or values."""
    return or_(
        CreditSchedule.customer_id.is_(None),
        CreditSchedule.due_at <= now,
        CreditSchedule.subscription_id != subscription,
        CreditSchedule.plan_id != plan,
        CreditSchedule.version != version,
    )


def _free(session: Session, limit: int) -> list[str]:
    """The same of who is on the free plan, if that includes any."""
    plan = reads.free_plan(session)
    if plan is None or not plan.included_credits:
        return []
    now: datetime = clock.now()
    live = and_(Subscription.customer_id == Customer.id, Subscription.ended_at.is_(None))
    due = (
        select(Customer.id)
        .outerjoin(Subscription, live)
        .outerjoin(CreditSchedule, CreditSchedule.customer_id == Customer.id)
        .where(
            Subscription.customer_id.is_(None),
            _unscheduled(included.FREE, plan.id, plan.version, now),
        )
        .order_by(Customer.id)
        .limit(limit)
    )
    return list(session.scalars(due))
