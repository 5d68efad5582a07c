"""How a subscription stands: its present period, its timers, and every change of it with the news of the change."""

from __future__ import annotations

from typing import Any

from app.sandbox.blanks import Object, blank
from app.sandbox.config import DAY
from app.sandbox.engine import bills
from app.sandbox.ids import new_id
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit

LIVE = ("active", "trialing", "past_due")
_NOTICE = 7 * DAY  # how long before a renewal its invoice is announced
_TRIAL_NOTICE = 3 * DAY


def items_of(subscription: Object) -> list[Object]:
    """Its items; there is always at least one."""
    items: list[Object] = subscription["items"]["data"]
    return items


def period_of(subscription: Object) -> tuple[int, int]:
    """The present period: start and end in epoch seconds, the same for all items."""
    first = items_of(subscription)[0]
    return first["current_period_start"], first["current_period_end"]


def recurrence(items: list[Object]) -> tuple[str, int]:
    """Interval and count that all items share."""
    recurring = items[0]["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def amend(tx: Tx, subscription: Object, kind: str = "customer.subscription.updated", **fields: Any) -> Object:
    """Change it and tell what was changed; silent when nothing was. Returns what the fields were."""
    before = tx.change(subscription, **fields)
    if before:
        emit(tx, kind, subscription, before if kind.endswith(".updated") else None)
    return before


def as_items(subscription: str, items: list[Object]) -> Object:
    """Items as a subscription holds them."""
    url = f"/v1/subscription_items?subscription={subscription}"
    return {"object": "list", "data": items, "has_more": False, "url": url}


def make_item(tx: Tx, subscription: str, price: Object, quantity: int, period: tuple[int, int]) -> Object:
    """A new item over a period."""
    return dated(
        priced(
            blank("subscription_item", id=new_id("subscription_item"), created=tx.now, subscription=subscription),
            price,
            quantity,
        ),
        period,
    )


def priced(item: Object, price: Object, quantity: int) -> Object:
    """The same item at another price."""
    recurring = price["recurring"]
    plan = blank(
        "plan",
        id=price["id"],
        active=price["active"],
        amount=price["unit_amount"],
        amount_decimal=price["unit_amount_decimal"],
        created=price["created"],
        currency=price["currency"],
        interval=recurring["interval"],
        interval_count=recurring["interval_count"],
        metadata=price["metadata"],
        nickname=price["nickname"],
        product=price["product"],
    )
    return {**item, "plan": plan, "price": price, "quantity": quantity}


def dated(item: Object, period: tuple[int, int]) -> Object:
    """The same item in another period."""
    start, end = period
    return {**item, "billed_until": end, "current_period_start": start, "current_period_end": end}


def watch_period(tx: Tx, subscription: Object) -> None:
    """Have the end of the present period noticed, and announced in time."""
    start, end = period_of(subscription)
    tx.at(end, "period_end", subscription["id"])
    if end - _NOTICE > start:
        tx.at(end - _NOTICE, "upcoming_invoice", subscription["id"])
    if subscription["status"] == "trialing" and end - _TRIAL_NOTICE > tx.now:
        tx.at(end - _TRIAL_NOTICE, "trial_ends", subscription["id"])


def is_latest(subscription: Object, invoice: Object) -> bool:
    """Whether an invoice is the one that tells whether the subscription is paid."""
    return bool(subscription["latest_invoice"] == invoice["id"])


def owes_nothing(tx: Tx, subscription: Object) -> bool:
    """Whether its latest invoice is not waiting to be paid."""
    latest = tx.find(subscription["latest_invoice"])
    return latest is None or latest["status"] in ("paid", "void")


def stop_all_collecting(tx: Tx, subscription: Object) -> None:
    """No open invoice of it is tried any more, and drafts stay drafts."""
    for status in ("open", "draft"):
        for invoice in bills.of_subscription(tx, subscription["id"], status=status):
            bills.stop_collecting(tx, invoice)
