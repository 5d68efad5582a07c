"""Phases of a subscription schedule: which one holds at an instant, and what its beginning changes."""

from __future__ import annotations

from dataclasses import dataclass

from app.sandbox.blanks import Object
from app.sandbox.engine import standing
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit


@dataclass(frozen=True)
class Turn:
    """What the subscription's items are from now on, None for as before; or that it ends."""

    items: list[Object] | None = None
    behaviour: str = "none"
    ends: bool = False


def advance(tx: Tx, subscription: Object) -> Turn:
    """Go to the phase of the present moment. After the last one the schedule lets go, or ends the subscription."""
    schedule = tx.find(subscription["schedule"])
    if schedule is None or schedule["status"] != "active":
        return Turn()
    phase = next((each for each in schedule["phases"] if each["start_date"] <= tx.now < each["end_date"]), None)
    if phase is None:
        if schedule["end_behavior"] == "cancel":
            _complete(tx, subscription, schedule)
            return Turn(ends=True)
        release(tx, subscription, schedule)
        return Turn()
    present = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    if schedule["current_phase"] == present:
        return Turn()
    before = tx.change(schedule, current_phase=present)
    emit(tx, "subscription_schedule.updated", schedule, before)
    return Turn(items_of(tx, subscription, phase), phase["proration_behavior"])


def items_of(tx: Tx, subscription: Object, phase: Object) -> list[Object]:
    """The subscription's items under a phase: the same ids as far as there are as many."""
    old = standing.items_of(subscription)
    made = []
    for place, asked in enumerate(phase["items"]):
        price = tx.get("price", asked["price"])
        if place < len(old):
            made.append(standing.priced(old[place], price, asked["quantity"]))
        else:
            period = standing.period_of(subscription)
            made.append(standing.make_item(tx, subscription["id"], price, asked["quantity"], period))
    return made


def release(tx: Tx, subscription: Object, schedule: Object) -> None:
    """Let the subscription go on by itself."""
    tx.change(
        schedule,
        status="released",
        released_at=tx.now,
        released_subscription=subscription["id"],
        subscription=None,
        current_phase=None,
    )
    emit(tx, "subscription_schedule.released", schedule)
    standing.amend(tx, subscription, schedule=None)


def _complete(tx: Tx, subscription: Object, schedule: Object) -> None:
    tx.change(schedule, status="completed", completed_at=tx.now, current_phase=None)
    tx.change(subscription, schedule=None)
    emit(tx, "subscription_schedule.completed", schedule)
