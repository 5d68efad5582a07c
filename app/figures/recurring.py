"""Recurring revenue: what subscriptions come to each month, and the list of subscriptions it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, or_, select
from sqlalchemy.orm import Session

from app import clock
from app.catalogue.models import Plan, PlanVersion
from app.coupons.discount import covers, taken_off
from app.coupons.models import Coupon, Redemption
from app.customers.models import Customer
from app.money import round_half_away
from app.subscriptions.models import STATUSES, Subscription

# What a filter's words mean. "paying": what recurring revenue is made of.
STATES: Mapping[str, tuple[str, ...]] = {
    "paying": ("active", "past_due"),
    "active": ("active",),
    "past_due": ("past_due",),
    "restricted": ("restricted",),
    "incomplete": ("incomplete",),
    "canceled": ("canceled",),
}
_RARE = {"past_due": ("past_due",), "restricted": ("restricted", "past_due"), "incomplete": ("incomplete",)}
_IN_A_YEAR = {"month": 12, "year": 1}
_COLUMNS = (
    Subscription.customer_id, Subscription.id, Subscription.interval, Subscription.price_minor, Subscription.currency,
    Subscription.paid_by, Subscription.channel, Subscription.started_at, Subscription.period_end,
    Subscription.past_due_since, Subscription.grace_ends_at, Subscription.cancel_at_period_end, Subscription.ended_at,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """Which subscriptions: `state` is a word of STATES, `plan` a plan's key; empty is all."""

    state: str = ""
    plan: str = ""
    interval: str = ""
    paid_by: str = ""
    customer_id: str = ""


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
        return (price - self.off_minor) * _IN_A_YEAR[self.told.interval]

    @property
    def monthly_minor(self) -> int:
        return round_half_away(self.yearly_minor, 12)


@dataclass(frozen=True, slots=True)
class Page:
    """Some subscriptions, newest first; `older` is the id to go on below, None at the end."""

    rows: list[Row]
    older: str | None


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


def page(session: Session, asked: Asked, *, before: str | None = None, limit: int = 50) -> Page:
    """Subscriptions of all customers. `before` is an earlier page's `older`."""
    state = _state(clock.now())
    query = (
        select(
            *_COLUMNS,
            Plan.key.label("plan"),
            PlanVersion.name.label("plan_name"),
            Customer.name.label("customer"),
            state.label("state"),
        )
        .join(Plan, Plan.id == Subscription.plan_id)
        .join(PlanVersion, _on_offer())
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(*_wanted(asked, state))
    )
    if before is not None:
        query = query.where(Subscription.id < before)
    found = session.execute(query.order_by(Subscription.id.desc()).limit(limit + 1)).all()
    coupons = _coupons_of(session, [(row.customer_id, row.id) for row in found[:limit]])
    rows = [_row(row, coupons.get((row.customer_id, row.id))) for row in found[:limit]]
    return Page(rows, rows[-1].told.id if len(found) > limit else None)


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
        """What `_state` says of each of them."""
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
    some = select(*same, *sums).where(*_narrowed(asked)).group_by(*same).subquery()
    columns = (Plan.key, PlanVersion.name, some.c.interval, some.c.price_minor, some.c.currency, some.c.status)
    named = select(*columns, some.c.count, some.c.over, some.c.lost).join(Plan, Plan.id == some.c.plan_id)
    rows = session.execute(named.join(PlanVersion, _on_offer()).order_by(Plan.rank, *columns))
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
        year = each.price_minor * _IN_A_YEAR[each.interval] if each.currency == currency else 0
        sums[named] = before + count, minor + count * year
    cheaper = _cheaper(_wanted(asked, _state(clock.now())))
    for coupon, plan, name, interval, price, billed_in, count in session.execute(cheaper):
        before, minor = sums.get((plan, name, interval), (0, 0))
        off = _off(coupon, price, billed_in, plan) if billed_in == currency else 0
        sums[plan, name, interval] = before, minor - count * off * _IN_A_YEAR[interval]
    return [Group(*named, *told) for named, told in sums.items()]


def _cheaper(where: list[ColumnElement[bool]]) -> Select[Any]:
    """The same of those on which a coupon runs, each coupon for itself."""
    s, running = Subscription, _running()
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
        .join(PlanVersion, _on_offer())
    )


def each_month(found: list[Group]) -> int:
    """What all of them come to each month, in minor units: added up exactly, and rounded once (SPEC R1)."""
    return round_half_away(sum(group.yearly_minor for group in found), 12)


def _state(now: datetime) -> ColumnElement[str]:
    """The status as it counts at an instant: grace and notice end on time, whether or not that was written down.

    `ended_at` is not asked: it is set where the status is "canceled", and only there.
    """
    s = Subscription
    return case(
        (and_(s.cancel_at_period_end, s.period_end <= now), "canceled"),
        (and_(s.status == "past_due", s.grace_ends_at <= now), "restricted"),
        else_=s.status,
    )


def _on_offer() -> ColumnElement[bool]:
    """The version that names a plan today, whichever one a subscription has."""
    return and_(PlanVersion.plan_id == Plan.id, PlanVersion.number == Plan.current_version)


def _wanted(asked: Asked, state: ColumnElement[str]) -> list[ColumnElement[bool]]:
    where = _narrowed(asked)
    if asked.state:
        where.append(state.in_(STATES[asked.state]))
    if asked.state == "paying":
        where += [Subscription.status != "canceled", Subscription.price_minor > 0]
    return where


def _narrowed(asked: Asked) -> list[ColumnElement[bool]]:
    """What is asked for besides the state, and what a rare one is written down as: an index leads to those."""
    s = Subscription
    exactly = ((s.interval, asked.interval), (s.paid_by, asked.paid_by), (s.customer_id, asked.customer_id))
    where = [column == value for column, value in exactly if value]
    if asked.state in _RARE:
        where.append(s.status.in_(_RARE[asked.state]))
    return [*where, s.plan_id.in_(select(Plan.id).where(Plan.key == asked.plan))] if asked.plan else where


def _running() -> Subquery:
    """The coupons that take something off later invoices; the newest of a subscription (`place` 1) is the one used."""
    r = Redemption
    newest = func.row_number().over(
        partition_by=(r.customer_id, r.subscription_id), order_by=(r.finished_at.desc(), r.id.desc())
    )
    running = select(r.customer_id, r.subscription_id, r.coupon_id, newest.label("place"))
    return running.where(*_is_running()).subquery("running")


def _is_running() -> tuple[ColumnElement[bool], ...]:
    r = Redemption
    return r.state == "redeemed", r.subscription_id.is_not(None), or_(r.left.is_(None), r.left > 0)


def _coupons_of(session: Session, named: list[tuple[str, str]]) -> dict[tuple[str, str], Coupon]:
    """The coupon that runs on each of these subscriptions (customer, id), where one does."""
    if not named:
        return {}
    r = Redemption
    found = session.execute(
        select(r.customer_id, r.subscription_id, Coupon)
        .join(Coupon, Coupon.id == r.coupon_id)
        .where(*_is_running(), r.customer_id.in_({whose for whose, _ in named}))
        .where(r.subscription_id.in_({each for _, each in named}))
        .order_by(r.finished_at, r.id)
    )
    return {(row[0], str(row[1])): row[2] for row in found}  # of several the newest stays


def _row(told: Any, coupon: Coupon | None) -> Row:
    off = _off(coupon, told.price_minor, told.currency, told.plan)
    return Row(told, told.customer, told.plan, told.plan_name, told.state, coupon.code if coupon and off else "", off)


def _off(coupon: Coupon | None, price_minor: int, currency: str, plan: str) -> int:
    """What the coupon takes off one invoice of this price; nothing where it is for other plans or another currency."""
    if coupon is None or coupon.currency not in (None, currency) or not covers(coupon.scope, f"plan:{plan}"):
        return 0
    return taken_off(coupon.kind, coupon.value, price_minor)
