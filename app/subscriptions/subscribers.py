"""Who is on which version of a plan, for staff who are about to change it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.subscriptions.models import PlanOverride, Subscription, SubscriptionChange


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


@dataclass(frozen=True, slots=True)
class Alike:
    """Subscribers of one version who have in common all that counts when they change to another, and how many.

    `changes`: scheduled or in_flight where a change of theirs waits. `negotiated`: whose own terms these are, who then
    is alone; None for those who have the plan's. `example` is one of them.
    """

    interval: str
    price_minor: int
    currency: str
    paid_by: str
    channel: str | None
    pays_next_by: str | None
    status: str
    cancel_at_period_end: bool
    changes: str | None
    negotiated: str | None
    count: int
    example: str


def alike(
    session: Session,
    plan_id: str,
    version: int,
    customers: Collection[str] | None = None,
    *,
    but: Select[str],
) -> list[Alike]:
    """Who has this version, or those of `customers` who have it, put together; without those of `but`. One SELECT."""
    s, c = Subscription, SubscriptionChange
    waiting = (
        select(func.min(c.state))  # in_flight before scheduled
        .where(c.customer_id == s.customer_id, c.state.in_(("in_flight", "scheduled")))
        .scalar_subquery()
    )
    own = (
        select(func.min(PlanOverride.customer_id))
        .where(PlanOverride.customer_id == s.customer_id, PlanOverride.ended_at.is_(None))
        .scalar_subquery()
    )
    facts = (s.interval, s.price_minor, s.currency, s.paid_by, s.channel, s.pays_next_by, s.status)
    each = select(*facts, s.cancel_at_period_end, waiting.label("changes"), own.label("negotiated"), s.customer_id)
    mine = each.where(s.plan_id == plan_id, s.version == version, s.ended_at.is_(None), s.customer_id.not_in(but))
    if customers is not None:
        mine = mine.where(s.customer_id.in_(customers))
    one = mine.subquery()
    same = [column for column in one.c if column.name != "customer_id"]
    example = func.min(one.c.customer_id)
    columns: list[Any] = [*same, func.count(), example]
    rows = session.execute(select(*columns).group_by(*same).order_by(example))
    return [Alike(*row) for row in rows]


def who_of(session: Session, plan_id: str, version: int, customers: Collection[str]) -> set[str]:
    """Those of `customers` who have this version."""
    s = Subscription
    mine = select(s.customer_id).where(s.plan_id == plan_id, s.version == version, s.ended_at.is_(None))
    return set(session.scalars(mine.where(s.customer_id.in_(customers))))
