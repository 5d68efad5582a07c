"""The list of subscriptions, with what each comes to each month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.catalogue.models import Plan, PlanVersion
from app.coupons.models import Coupon
from app.customers.models import Customer
from app.figures.asked_subscriptions import Asked, conditions, on_offer, state_at
from app.figures.recurring import IN_A_YEAR
from app.figures.running_coupons import coupons_of, off_invoice
from app.money import round_half_away
from app.subscriptions.models import Subscription

_COLUMNS = (
    Subscription.customer_id, Subscription.id, Subscription.interval, Subscription.price_minor, Subscription.currency,
    Subscription.paid_by, Subscription.channel, Subscription.started_at, Subscription.period_end,
    Subscription.past_due_since, Subscription.grace_ends_at, Subscription.cancel_at_period_end, Subscription.ended_at,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One subscription. `off_minor` is what its coupon takes off the next invoice of `price_minor`, before tax."""

    told: Any  # the columns of the table
    customer: str
    plan: str  # its key
    plan_name: str
    state: str
    coupon: str
    off_minor: int

    @property
    def yearly_minor(self) -> int:
        """What a year of it comes to at this price; what is counted is a twelfth."""
        price: int = self.told.price_minor
        return (price - self.off_minor) * IN_A_YEAR[self.told.interval]

    @property
    def monthly_minor(self) -> int:
        return round_half_away(self.yearly_minor, 12)


@dataclass(frozen=True, slots=True)
class Page:
    """Some subscriptions, newest first; `older` is the id to go on below, None at the end."""

    rows: list[Row]
    older: str | None


def page(session: Session, asked: Asked, *, before: str | None = None, limit: int = 50) -> Page:
    """Subscriptions of all customers. `before` is an earlier page's `older`."""
    state = state_at(clock.now())
    query = (
        select(
            *_COLUMNS,
            Plan.key.label("plan"),
            PlanVersion.name.label("plan_name"),
            Customer.name.label("customer"),
            state.label("state"),
        )
        .join(Plan, Plan.id == Subscription.plan_id)
        .join(PlanVersion, on_offer())
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(*conditions(asked, state))
    )
    if before is not None:
        query = query.where(Subscription.id < before)
    found = session.execute(query.order_by(Subscription.id.desc()).limit(limit + 1)).all()
    coupons = coupons_of(session, [(row.customer_id, row.id) for row in found[:limit]])
    rows = [_row(row, coupons.get((row.customer_id, row.id))) for row in found[:limit]]
    return Page(rows, rows[-1].told.id if len(found) > limit else None)


def _row(told: Any, coupon: Coupon | None) -> Row:
    off = off_invoice(coupon, told.price_minor, told.currency, told.plan)
    return Row(told, told.customer, told.plan, told.plan_name, told.state, coupon.code if coupon and off else "", off)
