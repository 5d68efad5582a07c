"""Which subscriptions are asked for: words for how it stands with one, and the conditions they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, select

from app.catalogue.models import Plan, PlanVersion
from app.subscriptions.models import Subscription

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


@dataclass(frozen=True, slots=True)
class Asked:
    """Which subscriptions: `state` is a word of STATES, `plan` a plan's key; empty is all."""

    state: str = ""
    plan: str = ""
    interval: str = ""
    paid_by: str = ""
    customer_id: str = ""


def state_at(now: datetime) -> ColumnElement[str]:
    """The status as it counts at an instant: grace and notice end on time, whether or not that was written down.

    `ended_at` is not asked: it is set where the status is "canceled", and only there.
    """
    s = Subscription
    return case(
        (and_(s.cancel_at_period_end, s.period_end <= now), "canceled"),
        (and_(s.status == "past_due", s.grace_ends_at <= now), "restricted"),
        else_=s.status,
    )


def on_offer() -> ColumnElement[bool]:
    """The version that names a plan today, whichever one a subscription has."""
    return and_(PlanVersion.plan_id == Plan.id, PlanVersion.number == Plan.current_version)


def conditions(asked: Asked, state: ColumnElement[str]) -> list[ColumnElement[bool]]:
    """All that is asked for; `state` is that of an instant (`state_at`)."""
    where = but_for_state(asked)
    if asked.state:
        where.append(state.in_(STATES[asked.state]))
    if asked.state == "paying":
        where += [Subscription.status != "canceled", Subscription.price_minor > 0]
    return where


def but_for_state(asked: Asked) -> list[ColumnElement[bool]]:
    """What is asked for besides the state, and what a rare one is written down as: an index leads to those."""
    s = Subscription
    exactly = ((s.interval, asked.interval), (s.paid_by, asked.paid_by), (s.customer_id, asked.customer_id))
    where = [column == value for column, value in exactly if value]
    if asked.state in _RARE:
        where.append(s.status.in_(_RARE[asked.state]))
    return [*where, s.plan_id.in_(select(Plan.id).where(Plan.key == asked.plan))] if asked.plan else where
