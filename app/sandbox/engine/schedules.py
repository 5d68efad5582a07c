"""Subscription schedules: phases of items one after the other, attached to a subscription until they let go of it."""

from __future__ import annotations

from app.sandbox.blanks import Object, blank
from app.sandbox.engine import changes, endings, phases, plans, renewals, standing
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit


def attach(tx: Tx, subscription: Object) -> Object:
    """A schedule whose one phase is the subscription's present period."""
    start, end = standing.period_of(subscription)
    schedule = tx.new(
        "subscription_schedule",
        billing_mode=subscription["billing_mode"],
        current_phase={"start_date": start, "end_date": end},
        customer=subscription["customer"],
        phases=[mirror(subscription)],
        status="active",
        end_behavior="release",
        subscription=subscription["id"],
    )
    defaults = {**schedule["default_settings"], "automatic_tax": subscription["automatic_tax"]}
    tx.change(schedule, default_settings=defaults)
    emit(tx, "subscription_schedule.created", schedule)
    tx.at(end, "phase_end", schedule["id"])
    standing.amend(tx, subscription, schedule=schedule["id"])
    return schedule


def mirror(subscription: Object) -> Object:
    """The present period as a phase."""
    start, end = standing.period_of(subscription)
    items = [phase_item(item["price"]["id"], item["quantity"]) for item in standing.items_of(subscription)]
    discounts = [{"coupon": None, "discount": each, "promotion_code": None} for each in subscription["discounts"]]
    trial = subscription["trial_end"] if subscription["status"] == "trialing" else None
    return {**phase(subscription["currency"], items, start, end), "discounts": discounts, "trial_end": trial}


def phase(currency: str, items: list[Object], start: int, end: int) -> Object:
    """A phase of these items between two instants."""
    return blank("phase", currency=currency, items=items, start_date=start, end_date=end)


def phase_item(price: str, quantity: int) -> Object:
    """An item of a phase."""
    return blank("phase_item", plan=price, price=price, quantity=quantity)


def rewrite(tx: Tx, schedule: Object, **fields: object) -> None:
    """Give it other phases or another end, and have the ends of its phases noticed."""
    before = tx.change(schedule, **fields)
    for each in schedule["phases"]:
        if each["end_date"] > tx.now:
            tx.at(each["end_date"], "phase_end", schedule["id"])
    if before:
        emit(tx, "subscription_schedule.updated", schedule, before)


def phase_end(tx: Tx, schedule: Object) -> None:
    """A phase is over. Where a period ends with it the renewal goes to the next phase, else we do so here."""
    subscription = tx.find(schedule["subscription"])
    if schedule["status"] != "active" or subscription is None or subscription["status"] not in standing.LIVE:
        return
    if standing.period_of(subscription)[1] <= tx.now:
        renewals.period_end(tx, subscription)
        return
    turn = phases.advance(tx, subscription)
    if turn.ends:
        endings.end(tx, subscription, why="cancellation_requested")
    elif turn.items is not None:
        plan = plans.change_items(tx, subscription, turn.items, behaviour=turn.behaviour, at=tx.now)
        changes.carry_out(tx, subscription, plan)


def cancel(tx: Tx, subscription: Object, *, prorate: bool, invoice_now: bool) -> None:
    """End the schedule and its subscription with it."""
    endings.settle_unused(tx, subscription, prorate=prorate, invoice_now=invoice_now)
    endings.end(tx, subscription, why="cancellation_requested")
