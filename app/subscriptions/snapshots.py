"""Taking in what a provider says a subscription is: whole, and only if it is not older than what is here.

Nothing is ever added up from events. Twice, late or out of order, the newest snapshot decides, and the end is final.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app import activity, clock
from app.money import Money
from app.providers.billing import SubscriptionState
from app.subscriptions import changes, late, lifecycle, prices, told
from app.subscriptions.dunning import GRACE_DAYS
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.periods import Anchor, Interval, Period
from app.subscriptions.prices import Bought

_PERIOD = {"period_start", "period_end"}
_BEGUN = ("trialing", "active", "past_due", "unpaid", "paused")


def has_begun(state: SubscriptionState) -> bool:
    """Whether anything was paid for: before that there is an order, and no subscription."""
    return state.status in _BEGUN and state.period_start is not None and state.period_end is not None


def begin_from(
    session: Session, channel: str, customer_id: str, state: SubscriptionState, bought: Bought, *, actor: str
) -> Subscription:
    """A subscription of a provider's that is not here yet. Raises AlreadySubscribed where there is another one."""
    start, end = state.period_start, state.period_end
    assert start is not None, "it has begun"
    assert end is not None, "it has begun"
    anchor = Anchor(min(state.anchor_at, start), ZoneInfo("UTC"))  # providers count in UTC
    begun = lifecycle.begin(
        session,
        customer_id=customer_id,
        plan_id=bought.plan_id,
        version=bought.version,
        interval=bought.interval,
        price=bought.price,
        paid_by="card",
        anchor=anchor,
        period=Period(0, start, end),
        actor=actor,
        channel=channel,
        provider_id=state.id,
    )
    begun.provider_state = {prices.KNOWN_AS: state.provider_price_id}
    return begun


def take_snapshot(
    session: Session,
    subscription: Subscription,
    state: SubscriptionState,
    *,
    grace_days: int = GRACE_DAYS,
    actor: str | None = None,
) -> bool:
    """Store the snapshot whole; False for one that is older than what is here, or of an ended subscription.

    Needs the subscription locked. `actor` is who is told to have done it; the channel when it just happened.
    """
    seen = subscription.provider_version
    if subscription.ended_at is not None or (seen is not None and state.version < seen):
        return False
    actor = actor or subscription.channel or "system"
    known_as = subscription.provider_state.get(prices.KNOWN_AS) if subscription.paid_by == "card" else None
    subscription.provider_version = state.version
    subscription.provider_state = _plain(asdict(state)) | {prices.KNOWN_AS: known_as}
    subscription.updated_at = clock.now()
    if subscription.paid_by == "wallet" and not _takes_over(subscription, state):
        return True
    if state.status == "canceled":
        _ended(session, subscription, state, actor=actor)
        return True
    _store(session, subscription, state, actor=actor)
    _standing(session, subscription, state, actor=actor, grace_days=grace_days)
    _settle_changes(session, subscription, state, actor=actor)
    session.flush()
    return True


def _takes_over(subscription: Subscription, state: SubscriptionState) -> bool:
    """A wallet-paid subscription that is to be paid by card from its next period on: whether that is now."""
    if subscription.pays_next_by != "card":  # what the wallet took over from, or what was taken back
        return False
    if state.status == "canceled":  # it never came to that
        subscription.pays_next_by = subscription.channel = subscription.provider_id = None
    if state.status in ("canceled", "incomplete", "trialing"):
        return False
    subscription.paid_by, subscription.pays_next_by, subscription.due_at = "card", None, None
    subscription.attempts, subscription.next_attempt_at = 0, None
    return True


def _ended(session: Session, subscription: Subscription, state: SubscriptionState, *, actor: str) -> None:
    at = max(state.ended_at or state.version.replace(microsecond=0), subscription.started_at)
    if subscription.pays_next_by == "wallet" and at >= subscription.period_end:
        subscription.due_at = clock.now()  # the wallet goes on where the card ends, without a gap
        return
    lifecycle.end(session, subscription, at=at, actor=actor, reason=state.cancel_reason)


def _store(session: Session, subscription: Subscription, state: SubscriptionState, *, actor: str) -> None:
    before = _facts(subscription)
    bought = _by_a_change(session, subscription, state) or prices.behind(
        session, subscription.channel or "", state.provider_price_id, state.plan, has=subscription
    )
    if bought is not None and _is_early(session, subscription, state, bought):
        bought = None
    if bought is not None:  # a price nobody here knows changes nothing about the plan; staff see it in the snapshot
        subscription.plan_id, subscription.version = bought.plan_id, bought.version
        subscription.interval = bought.interval.value
        subscription.price_minor, subscription.currency = bought.price.minor, bought.price.currency
        known_as = {prices.KNOWN_AS: state.provider_price_id}
        subscription.provider_state = {**subscription.provider_state, **known_as}
    if state.period_start and state.period_end and state.period_start < state.period_end:
        subscription.period_start, subscription.period_end = state.period_start, state.period_end
        if state.status != "trialing" and state.anchor_at <= state.period_start:
            subscription.anchor_at, subscription.time_zone = state.anchor_at, "UTC"
    if subscription.pays_next_by != "wallet":  # there the provider's end is not the subscription's
        subscription.cancel_at_period_end = state.cancel_at_period_end
        subscription.cancel_reason = (
            (state.cancel_reason or state.cancel_comment) if state.cancel_at_period_end else None
        )
    after = _facts(subscription)
    differs = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if differs:
        activity.record(
            session, actor, "subscription.changed", subscription.id, customer_id=subscription.customer_id, **differs
        )
    if set(differs) - _PERIOD:  # that another period has begun is no news: its invoice is
        told.changed(session, subscription, "changed")


def _by_a_change(session: Session, subscription: Subscription, state: SubscriptionState) -> Bought | None:
    """What a change that waits was shown as, where this is the price that the provider is asked for by it.

    Of two versions under one name it may be what is there already: then nothing is to be asked for.
    """
    named = state.provider_price_id
    if state.plan is not None:
        return None
    is_there = named == subscription.provider_state.get(prices.KNOWN_AS)
    who = subscription.customer_id
    for change in (changes.in_flight(session, who), changes.scheduled(session, who)):
        if change is None or change.details.get("provider_price") != named:
            continue
        if not is_there or _has_its_time(change, state):
            price = Money(change.price_minor, change.currency)
            return Bought(change.plan_id, change.version, Interval(change.interval), price)
    return None


def _has_its_time(change: SubscriptionChange, state: SubscriptionState) -> bool:
    """Whether the change takes effect now, or the period has begun that it is for."""
    if change.state == "in_flight":
        return change.details.get("effect") == "now"
    return state.period_start is not None and state.period_start >= change.effective_at


def _is_early(session: Session, subscription: Subscription, state: SubscriptionState, bought: Bought) -> bool:
    """Whether this is the price of a change that is for the next period: the provider was told just before its time."""
    waiting = changes.scheduled(session, subscription.customer_id)
    if waiting is None or not changes.is_timed_here(waiting) or state.period_start is None:
        return False
    wanted = (waiting.plan_id, waiting.version, waiting.interval, waiting.price_minor)
    is_it = wanted == (bought.plan_id, bought.version, bought.interval.value, bought.price.minor)
    return is_it and state.period_start < waiting.effective_at


def _standing(
    session: Session, subscription: Subscription, state: SubscriptionState, *, actor: str, grace_days: int
) -> None:
    if state.status in ("past_due", "unpaid"):
        # Providers do not say since when. The period's payment is what failed, so its beginning is; whenever we hear.
        lifecycle.become_past_due(
            session,
            subscription,
            since=subscription.period_start,
            grace_days=grace_days,
            next_attempt_at=subscription.next_attempt_at,
            actor=actor,
        )
    if state.status in ("unpaid", "paused"):
        lifecycle.restrict(session, subscription, actor=actor)
    if state.status in ("active", "trialing") and subscription.status != "active":
        lifecycle.recover(session, subscription, actor=actor)


def _settle_changes(session: Session, subscription: Subscription, state: SubscriptionState, *, actor: str) -> None:
    """What the snapshot says about changes that wait: they came true, still wait, or came to nothing."""
    scheduled = changes.scheduled(session, subscription.customer_id)
    if scheduled is not None and scheduled.kind in ("upgrade", "downgrade"):
        if is_so(subscription, scheduled):
            changes.apply(session, scheduled, actor=actor)
            late.make_up(session, scheduled)
        elif changes.is_timed_here(scheduled):  # the provider knows nothing of it before its time
            if not _is_still(subscription, scheduled.details["from"]):
                changes.undo(session, scheduled, actor=actor, because="The plan was changed before its time.")
        elif subscription.pays_next_by == "wallet":
            pass  # the provider dropped its own when it was told to end; ours is for the wallet's first period
        elif state.pending is None or state.pending.at is None:
            changes.undo(session, scheduled, actor=actor, because="It was replaced, or taken back at the provider.")
    flying = changes.in_flight(session, subscription.customer_id)
    if flying is None or flying.kind not in ("upgrade", "downgrade"):
        return
    if is_so(subscription, flying):
        changes.apply(session, flying, actor=actor)
    elif flying.action_url is not None and state.pending is None:
        changes.fail(session, flying, "The payment was not confirmed in time. Nothing was charged.", actor=actor)


def _is_still(subscription: Subscription, was: dict[str, Any]) -> bool:
    """Whether it is on the plan that it was on when something was shown."""
    has = (subscription.plan_id, subscription.version, subscription.interval, subscription.price_minor)
    return has == (was["plan_id"], was["version"], was["interval"], was["price_minor"])


def is_so(subscription: Subscription, change: SubscriptionChange) -> bool:
    """Whether the subscription is what the change was to make of it."""
    wanted = (change.plan_id, change.version, change.interval, change.price_minor)
    return wanted == (subscription.plan_id, subscription.version, subscription.interval, subscription.price_minor)


def _facts(subscription: Subscription) -> dict[str, Any]:
    names = ("plan_id", "version", "interval", "price_minor", "cancel_at_period_end")
    times = {name: clock.timestamp(getattr(subscription, name)) for name in ("period_start", "period_end")}
    return {name: getattr(subscription, name) for name in names} | times


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return clock.timestamp(value.astimezone(UTC))
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
