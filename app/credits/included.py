"""Credits that belong to a plan: a grant for each allowance period, which ends with it, and what an upgrade adds (C2).

Twice, late or by two at once comes to the same. Each grant is named by subscription and period; a period that is over
is not made up for, since its credits would be over as well. Needs the subscription locked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock, ledger
from app.catalogue.models import PlanVersion
from app.catalogue.terms import PlanTerms
from app.credits.accounts import credits_of
from app.credits.grants import find_grant, grant
from app.credits.models import CreditGrant, CreditSchedule
from app.credits.reverse import revoke
from app.subscriptions import bills, standing
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.periods import Period, seconds_between
from app.subscriptions.proration import share_left

FREE = "free"
_ENDED = "The plan ended before its period did"
_LOOK_AGAIN = timedelta(minutes=1)  # while the period's invoice is open


@dataclass(frozen=True, slots=True)
class Rise:
    """More included credits in the middle of a period: from `at` on, so many for a whole one."""

    name: str
    at: datetime
    credits: int


def of_subscription(session: Session, sub: Subscription, now: datetime) -> int:
    """Grant what this customer's plan includes and they do not have yet; how many credits that was."""
    period = standing.allowance_period(sub, now)
    row = session.get(CreditSchedule, sub.customer_id, populate_existing=True)
    if sub.paid_by == "wallet" and bills.open_one(session, sub) is not None:
        later = Period(0, now, now + _LOOK_AGAIN)
        _write(session, sub.customer_id, sub.id, (sub.plan_id, sub.version), 0, later)
        return 0  # the period is not paid for yet
    known = row if row and (row.subscription_id, row.period_start) == (sub.id, period.start) else None
    before = known.credits if known else None
    kept, key = _kept(session, sub, period), _key(sub.id, period)
    level = due = credits_in(session, *_plan_at_first(session, sub, period, now))
    given = 0 if known else _once(session, sub.customer_id, key, max(0, due - kept), period)
    for rise in _risen(session, sub, period, now):
        if rise.credits <= level:
            continue
        is_new = before is None or rise.credits > before
        part = share_left(period, rise.at).of_credits(rise.credits - (max(level, before or 0) if is_new else level))
        if is_new:
            # What they kept counts against all that the period brings, not its first plan alone.
            beyond = max(0, due + part - kept) - max(0, due - kept)
            given += _once(session, sub.customer_id, f"{key}:{rise.name}", beyond, period)
        level, due = rise.credits, due + part
    level = max(level, before or 0)
    _write(session, sub.customer_id, sub.id, (sub.plan_id, sub.version), level, period)
    return given


def of_free(session: Session, customer_id: str, plan: PlanTerms, period: Period) -> int:
    """The same for who is on the free plan, by calendar month."""
    row = session.get(CreditSchedule, customer_id, populate_existing=True)
    known = row if row and (row.subscription_id, row.period_start) == (FREE, period.start) else None
    level, given = plan.included_credits, 0
    if known is None:
        given = _once(session, customer_id, _key(FREE, period), level, period)
    elif level > known.credits:
        part = share_left(period, clock.now()).of_credits(level - known.credits)
        given = _once(session, customer_id, f"{_key(FREE, period)}:{plan.version}", part, period)
    else:
        level = known.credits
    _write(session, customer_id, FREE, (plan.id, plan.version), level, period)
    return given


def credits_in(session: Session, plan_id: str, version: int) -> int:
    """How many credits a month of this plan includes."""
    row = session.get(PlanVersion, (plan_id, version))
    return row.included_credits if row else 0


def end(session: Session, sub: Subscription, at: datetime, *, actor: str) -> int:
    """The money of the time from `at` on goes back (SPEC P8): so do its credits, as far as nobody has spent them.

    How many that was. Once for each grant; what was bought, welcomed or checked in for is not touched (R7).
    """
    who = sub.customer_id
    return sum(
        revoke(session, who, row.id, key=_ended(row), reason=_ENDED, actor=actor, most=share)
        for row, share in _for_time_after(session, sub, at)
        if share
    )


def would_end(session: Session, sub: Subscription, at: datetime) -> int:
    """How many that would be."""
    return sum(min(share, row.remaining) for row, share in _for_time_after(session, sub, at))


def _for_time_after(session: Session, sub: Subscription, at: datetime) -> list[tuple[CreditGrant, int]]:
    """What the subscription brought, with the share of it that is for the time from `at` on, rounded down."""
    return [
        (row, row.amount * left // seconds_between(row.created_at, row.expires_at))
        for row in _reaching(session, sub.customer_id, at)
        if _subscription_of(row) == sub.id
        and row.expires_at is not None
        and (left := seconds_between(max(at, row.created_at), row.expires_at)) > 0
    ]


def _kept(session: Session, sub: Subscription, period: Period) -> int:
    """What earlier subscriptions brought for time after their end, as far as it reaches into this period.

    What of that is spent, or was not taken back, stays: so whoever subscribes and leaves over and over must not be
    given the same time's credits each time. Rounded up.
    """
    kept = 0
    for row in _reaching(session, sub.customer_id, period.start):
        of = session.get(Subscription, (sub.customer_id, _subscription_of(row)))
        if of is None or of.id == sub.id or of.ended_at is None or row.expires_at is None:
            continue
        left = seconds_between(max(of.ended_at, row.created_at), row.expires_at)
        if left > 0:
            kept += -(-row.amount * left // seconds_between(row.created_at, row.expires_at)) - _taken(session, row)
    return kept


def _reaching(session: Session, customer_id: str, beyond: datetime) -> list[CreditGrant]:
    """Included credits of a customer that end after `beyond`."""
    mine = (CreditGrant.customer_id == customer_id, CreditGrant.source == "included", CreditGrant.expires_at > beyond)
    return list(session.scalars(select(CreditGrant).where(*mine).order_by(CreditGrant.id)))


def _subscription_of(row: CreditGrant) -> str:
    return row.key.split(":")[1]


def _taken(session: Session, row: CreditGrant) -> int:
    """What of it went when its subscription was ended."""
    entry = ledger.find_entry(session, row.customer_id, _ended(row))
    return -entry.leg(credits_of(row.customer_id)).amount if entry is not None else 0


def _ended(row: CreditGrant) -> str:
    return f"{row.key}:ended"


def _plan_at_first(session: Session, sub: Subscription, period: Period, now: datetime) -> tuple[str, int]:
    """The plan the period began with: the worker may come after it was changed."""
    first = next(iter(_changes(session, sub, period, now)), None)
    if first is None:
        return sub.plan_id, sub.version
    was = first.details.get("from") or {}
    return was.get("plan_id", sub.plan_id), was.get("version", sub.version)


def _risen(session: Session, sub: Subscription, period: Period, now: datetime) -> list[Rise]:
    """Changes of plan within the period, oldest first; the last is what the subscription is, though nobody noted how
    it became so (somebody changed it at the provider).
    """
    noted = [
        Rise(change.id, max(change.effective_at, period.start), credits_in(session, change.plan_id, change.version))
        for change in _changes(session, sub, period, now)
    ]
    return [*noted, Rise(f"{sub.plan_id}:{sub.version}", now, credits_in(session, sub.plan_id, sub.version))]


def _changes(session: Session, sub: Subscription, period: Period, now: datetime) -> list[SubscriptionChange]:
    mine = select(SubscriptionChange).where(
        SubscriptionChange.customer_id == sub.customer_id,
        SubscriptionChange.subscription_id == sub.id,
        SubscriptionChange.state == "applied",
        SubscriptionChange.kind.in_(("upgrade", "downgrade")),
        # Boundaries are on whole seconds: a change that began this period is not within it.
        SubscriptionChange.effective_at >= period.start + timedelta(seconds=1),
        SubscriptionChange.effective_at <= now,
    )
    return list(session.scalars(mine.order_by(SubscriptionChange.effective_at, SubscriptionChange.id)))


def _once(session: Session, customer_id: str, key: str, amount: int, period: Period) -> int:
    if amount == 0 or find_grant(session, customer_id, key) is not None:
        return 0
    ends = period.end
    return grant(session, customer_id, amount, source="included", key=key, actor="system", expires_at=ends).amount


def _key(subscription_id: str, period: Period) -> str:
    return f"included:{subscription_id}:{clock.timestamp(period.start)}"


def _write(
    session: Session, customer_id: str, subscription_id: str, plan: tuple[str, int], level: int, period: Period
) -> None:
    said = {
        "subscription_id": subscription_id,
        "plan_id": plan[0],
        "version": plan[1],
        "credits": level,
        "period_start": period.start,
        "due_at": period.end,
    }
    made = insert(CreditSchedule).values(customer_id=customer_id, **said)
    session.execute(made.on_conflict_do_update(index_elements=["customer_id"], set_=said))
