"""Subscriptions from their first invoice on: started, waited for, and ended when nobody pays the first one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.sandbox.blanks import Object
from app.sandbox.config import HOUR
from app.sandbox.engine import bills, cover, discounts, fates, invoice_lines, standing
from app.sandbox.engine.amounts import share
from app.sandbox.engine.calendar import later, period_at
from app.sandbox.ids import new_id
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit

FIRST_PAYMENT = 23 * HOUR  # how long the first invoice may wait, and a change that waits for its payment


@dataclass
class Order:
    """What somebody subscribes to. `prices` are prices with their quantities; instants are epoch seconds."""

    customer: str
    prices: list[tuple[Object, int]]
    method: str | None = None
    taxed: bool = False
    offers: list[discounts.Offer] = field(default_factory=list)
    trial_end: int | None = None
    anchor: int | None = None  # where the first whole period begins, if not now
    prorates: bool = True  # whether the time up to that anchor is billed
    more: Object = field(default_factory=dict)  # plain fields of the subscription

    @property
    def recurrence(self) -> tuple[str, int]:
        """Interval and count, which all prices share."""
        recurring = self.prices[0][0]["recurring"]
        return recurring["interval"], recurring["interval_count"]


def start(tx: Tx, order: Order, intent: Object | None = None) -> tuple[Object, Object]:
    """The subscription, incomplete, and its first invoice, finalized. `intent` is what has paid for it already."""
    subscription = _open(tx, order)
    held = [
        discounts.redeem(tx, each, customer=order.customer, subscription=subscription["id"]) for each in order.offers
    ]
    tx.change(subscription, discounts=[each["id"] for each in held])
    lines = first_lines(tx, order, subscription)
    body = bills.compose(tx, subscription, lines, reason="subscription_create", held=held)
    tx.hide(subscription["id"], cover=cover.of_lines(lines, tx.now), pending=[])
    tx.change(subscription, latest_invoice=body["id"])
    emit(tx, "customer.subscription.created", subscription)
    invoice = bills.draft(tx, body)
    bills.finalize(tx, invoice, intent)
    if not order.trial_end:
        standing.amend(tx, subscription, discounts=discounts.kept_after(tx, held))
    standing.watch_period(tx, subscription)
    if subscription["status"] == "incomplete":
        tx.at(tx.now + FIRST_PAYMENT, "first_payment_over", subscription["id"])
    return subscription, invoice


def first_lines(tx: Tx, order: Order, subscription: Object) -> list[Object]:
    """What the first invoice bills: a trial, a part up to the anchor, or the first whole period."""
    start_, end = standing.period_of(subscription)
    items = standing.items_of(subscription)
    if order.trial_end:
        return [invoice_lines.trial(tx, item, start_, end) for item in items]
    if not order.anchor:
        return [invoice_lines.whole_period(tx, item, start_, end) for item in items]
    first, last = period_at(order.anchor, *order.recurrence, start_)
    part = end - start_ if order.prorates else 0
    amounts = [share(item["price"]["unit_amount"] * item["quantity"], part, last - first) for item in items]
    return [
        invoice_lines.whole_period(tx, item, start_, end, amount) for item, amount in zip(items, amounts, strict=True)
    ]


def first_payment_over(tx: Tx, subscription: Object) -> None:
    """Nobody paid the first invoice in time."""
    if subscription["status"] == "incomplete":
        give_up(tx, subscription)


def give_up(tx: Tx, subscription: Object) -> None:
    """End one that was never paid: its invoice is voided."""
    invoice = tx.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        bills.void(tx, invoice)
    fates.follow(tx, invoice)


def described(tx: Tx, order: Order, identifier: str) -> dict[str, Any]:
    """The fields of a subscription to this order; for previews it is never kept."""
    start_ = tx.now
    end = order.trial_end or order.anchor or later(start_, *order.recurrence)
    items = [standing.make_item(tx, identifier, price, count, (start_, end)) for price, count in order.prices]
    trial = {"trial_start": start_, "trial_end": order.trial_end, "status": "trialing"} if order.trial_end else {}
    return {
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": order.taxed,
            "liability": {"type": "self"} if order.taxed else None,
        },
        "billing_cycle_anchor": order.trial_end or order.anchor or start_,
        "billing_mode": {
            "flexible": {"proration_discounts": "included"},
            "type": "flexible",
            "updated_at": start_,
        },
        "currency": order.prices[0][0]["currency"],
        "customer": order.customer,
        "default_payment_method": order.method,
        "items": standing.as_items(identifier, items),
        "start_date": start_,
        **trial,
        **order.more,
    }


def _open(tx: Tx, order: Order) -> Object:
    identifier = new_id("subscription")
    customer = tx.get("customer", order.customer)
    if customer["currency"] is None:
        tx.change(customer, currency=order.prices[0][0]["currency"])
    return tx.new(
        "subscription", hidden={"cover": {}, "pending": []}, id=identifier, **described(tx, order, identifier)
    )
