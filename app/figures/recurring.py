"""Recurring revenue: what subscriptions come to each month, by plan and interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from app import clock
from app.catalogue.models import Plan, PlanVersion
from app.coupons.models import Coupon
from app.figures.asked_subscriptions import STATES, Asked, but_for_state, conditions, on_offer, state_at
from app.figures.running_coupons import newest_running, off_invoice
from app.money import round_half_away
from app.subscriptions.models import STATUSES, Subscription

IN_A_YEAR = {"month": 12, "year": 1}


@dataclass(frozen=True, slots=True)
class Group:
    """The subscriptions of one plan and interval: how many, and a year of them in minor units."""

    plan: str  # its key
    plan_name: str
    interval: str
    count: int
    yearly_minor: int

    @property
    def monthly_minor(self) -> int:
        return round_half_away(self.yearly_minor, 12)


def groups(session: Session, asked: Asked, currency: str) -> list[Group]:
    """How many there are and what they come to, by plan and interval, in the order of the plans.

    Two queries whatever their number: subscriptions of one price are counted together, from an index alone, and then
    those that a coupon makes cheaper. What is billed in another currency is counted, and adds nothing.
    """
    return _grouped(session, _counted(session, asked), asked, currency)


def standing(session: Session, currency: str) -> tuple[list[Group], dict[str, int]]:
    """The groups of those that pay, and how many that have not ended are in each state that somebody is in."""
    counted = _counted(session, Asked())
    states: dict[str, int] = dict.fromkeys(STATUSES, 0)
    for each in counted:
        if each.status != "canceled":
            for state, count in each.by_state():
                states[state] += count
    found = _grouped(session, counted, Asked(state="paying"), currency)
    return found, {state: count for state, count in states.items() if count}


@dataclass(frozen=True, slots=True)
class _Counted:
    """Subscriptions of one plan, interval, price and status: how many, of whom some have ended or lost by time."""

    plan: str
    plan_name: str
    interval: str
    price_minor: int
    currency: str
    status: str
    count: int
    over: int  # their notice has come to its end
    lost: int  # their grace has

    def by_state(self) -> tuple[tuple[str, int], ...]:
        """What `state_at` says of each of them."""
        return (self.status, self.count - self.over - self.lost), ("canceled", self.over), ("restricted", self.lost)


def _counted(session: Session, asked: Asked) -> list[_Counted]:
    """All that match but for the state, by plan; grouped in the order of an index, which alone is read."""
    s, now = Subscription, clock.now()
    same = (s.plan_id, s.interval, s.price_minor, s.currency, s.status)
    over = and_(s.cancel_at_period_end, s.period_end <= now, s.status != "canceled")
    lost = and_(s.status == "past_due", s.grace_ends_at <= now, ~and_(s.cancel_at_period_end, s.period_end <= now))
    sums = (
        func.count().label("count"),
        func.count().filter(over).label("over"),
        func.count().filter(lost).label("lost"),
    )
    some = select(*same, *sums).where(*but_for_state(asked)).group_by(*same).subquery()
    columns = (Plan.key, PlanVersion.name, some.c.interval, some.c.price_minor, some.c.currency, some.c.status)
    named = select(*columns, some.c.count, some.c.over, some.c.lost).join(Plan, Plan.id == some.c.plan_id)
    rows = session.execute(named.join(PlanVersion, on_offer()).order_by(Plan.rank, *columns))
    return [_Counted(*row) for row in rows]


def _grouped(session: Session, counted: list[_Counted], asked: Asked, currency: str) -> list[Group]:
    wanted = STATES.get(asked.state, STATUSES)
    sums: dict[tuple[str, str, str], tuple[int, int]] = {}
    for each in counted:
        count = sum(number for state, number in each.by_state() if state in wanted)
        if not count or (asked.state == "paying" and not each.price_minor):
            continue
        named = each.plan, each.plan_name, each.interval
        before, minor = sums.get(named, (0, 0))
        year = each.price_minor * IN_A_YEAR[each.interval] if each.currency == currency else 0
        sums[named] = before + count, minor + count * year
    cheaper = _cheaper(conditions(asked, state_at(clock.now())))
    for coupon, plan, name, interval, price, billed_in, count in session.execute(cheaper):
        before, minor = sums.get((plan, name, interval), (0, 0))
        off = off_invoice(coupon, price, billed_in, plan) if billed_in == currency else 0
        sums[plan, name, interval] = before, minor - count * off * IN_A_YEAR[interval]
    return [Group(*named, *told) for named, told in sums.items()]


def _cheaper(where: list[ColumnElement[bool]]) -> Select[Any]:
    """The same of those on which a coupon runs, each coupon for itself."""
    s, running = Subscription, newest_running()
    mine = and_(running.c.customer_id == s.customer_id, running.c.subscription_id == s.id, running.c.place == 1)
    same = (running.c.coupon_id, s.plan_id, s.interval, s.price_minor, s.currency)
    some = (
        select(*same, func.count().label("count"))
        .select_from(running)
        .join(s, mine)
        .where(*where)
        .group_by(*same)
        .subquery()
    )
    return (
        select(Coupon, Plan.key, PlanVersion.name, some.c.interval, some.c.price_minor, some.c.currency, some.c.count)
        .join(some, some.c.coupon_id == Coupon.id)
        .join(Plan, Plan.id == some.c.plan_id)
        .join(PlanVersion, on_offer())
    )


def each_month(found: list[Group]) -> int:
    """What all of them come to each month, in minor units: added up exactly, and rounded once (SPEC R1)."""
    return round_half_away(sum(group.yearly_minor for group in found), 12)
