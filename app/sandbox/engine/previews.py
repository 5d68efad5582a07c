"""Previews: the invoice that would come next, or at once after a change. Nothing is kept."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.engine import bills, changes, discounts, plans, renewals, standing
from app.sandbox.engine.plans import Plan
from app.sandbox.ids import random_text
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit


def new_id() -> str:
    """An id that can never be fetched."""
    return f"upcoming_in_{random_text(24)}"


def after_change(tx: Tx, subscription: Object, plan: Plan) -> Object:
    """The invoice a change brings: at once, or with the next renewal."""
    if plan.bills_now:
        return changes.composed(tx, subscription, plan, id=new_id())
    return upcoming(tx, subscription, plan.items, plan.lines)


def after_end(tx: Tx, subscription: Object, at: int, *, prorate: bool) -> Object:
    """The invoice that ending the subscription at an instant would bring, its credits as negative lines."""
    lines = [*tx.hidden(subscription["id"])["pending"], *(plans.end_now(tx, subscription, at) if prorate else [])]
    return bills.compose(tx, subscription, lines, reason="subscription_update", held=[], proration_date=at, id=new_id())


def upcoming(
    tx: Tx, subscription: Object, items: list[Object] | None = None, more: list[Object] | None = None
) -> Object:
    """The next renewal, with these items in place of the present ones and these lines besides."""
    started, ended = standing.period_of(subscription)
    _, lines, _ = renewals.next_lines(tx, subscription, items or standing.items_of(subscription), ended)
    return bills.compose(
        tx,
        subscription,
        [*(more or []), *lines],
        reason="upcoming",
        held=discounts.current(tx, subscription, ended),
        id=new_id(),
        next_payment_attempt=ended,
        period_start=started,
        period_end=ended,
    )


def announce(tx: Tx, subscription: Object) -> None:
    """A week before a renewal its invoice is announced, unless the subscription ends then."""
    live = subscription["status"] in ("active", "trialing") and not subscription["cancel_at_period_end"]
    if live and tx.now < standing.period_of(subscription)[1]:
        emit(tx, "invoice.upcoming", upcoming(tx, subscription))
