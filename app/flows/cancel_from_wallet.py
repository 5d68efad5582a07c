"""Cancelling a subscription that the wallet pays: at the period's end, or now with the rest paid back (SPEC P8)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app import activity, clock
from app.credits import included
from app.db import transaction
from app.errors import Conflict
from app.flows import charge_card, hand_over, pay_by
from app.flows.collect import Providers
from app.subscriptions import bills, changes, lifecycle, told
from app.subscriptions.give_back import give_back
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.unused import parts_left, tax_back

REASON = "Unused time after cancelling"


def at_period_end(
    session: Session,
    providers: Providers,
    customer_id: str,
    *,
    reason: str | None,
    actor: str,
    comment: str | None = None,
) -> Subscription:
    """Access stays until the period's end, then the free plan. Drops what was scheduled; again changes nothing."""
    with transaction(session):
        sub = lifecycle.the_live(session, customer_id)
        changes.refuse_while_one_runs(session, customer_id)
        if sub.cancel_at_period_end:
            return sub
        changes.unschedule(session, customer_id, actor=actor, because="The subscription was cancelled.")
        sub.cancel_at_period_end, sub.cancel_reason = True, reason or comment
        sub.updated_at = clock.now()
        facts = {"at": clock.timestamp(sub.period_end), "reason": reason, "comment": comment}
        activity.record(session, actor, "subscription.cancelled", sub.id, customer_id=customer_id, **facts)
        told.changed(session, sub, "cancelled")
        if pay_by.waits(sub):
            pay_by.let_go(session, sub, actor=actor)
    hand_over.go_on(session, providers, customer_id)
    return sub


def resume(session: Session, providers: Providers, customer_id: str, *, actor: str) -> Subscription:
    """Take the cancellation back, before the end. Not cancelled is no error."""
    del providers  # the wallet is ours: nobody is asked
    with transaction(session):
        sub = lifecycle.the_live(session, customer_id)
        if sub.cancel_at_period_end and sub.period_end <= clock.now():
            raise Conflict("The subscription has ended. Choose a plan to begin a new one.", remedy="subscribe")
        if sub.cancel_at_period_end:
            sub.cancel_at_period_end, sub.cancel_reason = False, None
            sub.updated_at = clock.now()
            activity.record(session, actor, "subscription.resumed", sub.id, customer_id=customer_id)
            told.changed(session, sub, "resumed")
        return sub


@dataclass(frozen=True, slots=True)
class Unused:
    """What cancelling now gives back to the wallet, in minor units."""

    net: int
    tax: int


def unused_now(session: Session, customer_id: str) -> Unused:
    """What `now` would give back at this moment. Raises NoSubscription."""
    with transaction(session):
        sub = lifecycle.the_live(session, customer_id)
        parts = parts_left(session, sub, clock.now().replace(microsecond=0))
        return Unused(sum(part.net_minor for part in parts), sum(tax_back(session, part) for part in parts))


def now(
    session: Session, providers: Providers, customer_id: str, *, reason: str | None, actor: str
) -> SubscriptionChange:
    """End it now: credit notes for what is unused, the money back in the wallet, and the free plan, all or nothing.

    With the money goes what is unspent of the credits for that time.

    An open invoice of a period is void; what was used beyond the plan stays owed. Raises NoSubscription, and Conflict
    while a change or a payment is in flight, or a card is taking over.
    """
    with transaction(session):
        sub = lifecycle.the_live(session, customer_id)
        waits = pay_by.waits(sub)
        change = changes.end_now(session, sub, actor=actor, returned_to="wallet")
        _end(session, sub, change, reason=reason, actor=actor)
        if waits:
            pay_by.let_go(session, sub, actor=actor)
    hand_over.go_on(session, providers, customer_id)
    return change


def _end(session: Session, sub: Subscription, change: SubscriptionChange, *, reason: str | None, actor: str) -> None:
    waiting = bills.open_one(session, sub)
    if waiting is not None:
        if charge_card.under_way(session, waiting) is not None:
            raise Conflict("Your card is being charged at this moment. Try again in a minute.", remedy="retry")
        bills.void_open(session, sub, actor=actor)
    parts = parts_left(session, sub, change.as_of)
    back = give_back(session, parts, reason=REASON, key=change.id, actor=actor)
    change.credit_minor, change.tax_minor = -back.net_minor, -back.tax_minor
    change.due_minor = change.credit_minor + change.tax_minor
    if not change.due_minor:
        change.details = {**change.details, "returned_to": "nowhere"}
    # Where the renewal is overdue, nothing was invoiced after the period's end.
    lifecycle.end(session, sub, at=min(change.as_of, sub.period_end), actor=actor, reason=reason)
    if change.due_minor:
        included.end(session, sub, change.as_of, actor=actor)
    changes.apply(session, change, actor=actor)
