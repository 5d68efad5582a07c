"""What Stripe tells about subscriptions, invoices and cards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.providers.events import CardChanged, Event, Ignored, InvoiceChanged, SubscriptionChanged
from app.providers.stripe.body import id_of
from app.providers.stripe.checkout import order_id_of
from app.providers.stripe.connection import Json
from app.providers.stripe.documents import invoice_of
from app.providers.stripe.snapshots import is_whole, subscription_of

SUBSCRIPTION_HINTS: dict[str, Any] = {
    "customer.subscription.created": "created",
    "customer.subscription.deleted": "ended",
    "customer.subscription.paused": "paused",
    "customer.subscription.resumed": "resumed",
    "customer.subscription.trial_will_end": "trial_ending",
    "customer.subscription.pending_update_applied": "pending_applied",
    "customer.subscription.pending_update_expired": "pending_expired",
}
INVOICE_HINTS: dict[str, Any] = {
    "invoice.finalized": "finalized",
    "invoice.paid": "paid",
    "invoice.payment_failed": "failed",
    "invoice.payment_action_required": "action_required",
    "invoice.voided": "voided",
    "invoice.marked_uncollectible": "uncollectible",
    "invoice.upcoming": "upcoming",
}


def subscription_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    sub = event["data"]["object"]
    hint = SUBSCRIPTION_HINTS.get(event["type"]) or _update_hint(sub, event["data"].get("previous_attributes") or {})
    # An event has a schedule by its id alone: what it will change must be asked for.
    state = subscription_of(sub, version=told["occurred_at"]) if is_whole(sub) else None
    return [SubscriptionChanged(subscription_id=sub["id"], state=state, hint=hint, **told)]


def _update_hint(sub: Json, before: Json) -> Any:
    if "status" in before and sub["status"] == "past_due":
        return "past_due"
    if before.get("status") == "incomplete" and sub["status"] in ("active", "trialing"):
        return "activated"
    if "cancel_at_period_end" in before or "cancel_at" in before:
        return "cancel_scheduled" if sub["cancel_at_period_end"] or sub.get("cancel_at") else "uncanceled"
    items = (before.get("items") or {}).get("data") or [{}]
    started = items[0].get("current_period_start")
    if started is not None and started != sub["items"]["data"][0].get("current_period_start"):
        return "renewed"
    return "updated"


def schedule_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    schedule = event["data"]["object"]
    sub = id_of(schedule.get("subscription")) or id_of(schedule.get("released_subscription"))
    if sub is None:
        return [Ignored(why="The schedule has no subscription.", **told)]
    return [SubscriptionChanged(subscription_id=sub, state=None, hint="updated", **told)]


def invoice_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    invoice = invoice_of(event["data"]["object"])
    return [InvoiceChanged(invoice_id=invoice.id, invoice=invoice, hint=INVOICE_HINTS[event["type"]], **told)]


def invoice_linked(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    link = event["data"]["object"]
    payment = id_of((link.get("payment") or {}).get("payment_intent"))
    invoice = str(id_of(link["invoice"]))
    return [InvoiceChanged(invoice_id=invoice, invoice=None, payment_id=payment, hint="linked", **told)]


def invoice_credited(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    invoice = str(id_of(event["data"]["object"]["invoice"]))
    return [InvoiceChanged(invoice_id=invoice, invoice=None, hint="credited", **told)]


CARD_HINTS: dict[str, Any] = {
    "payment_method.attached": "attached",
    "payment_method.detached": "detached",
    "payment_method.updated": "updated",
    "payment_method.automatically_updated": "updated",
    "setup_intent.succeeded": "setup_succeeded",
    "setup_intent.setup_failed": "setup_failed",
}


def card_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    subject, before = event["data"]["object"], event["data"].get("previous_attributes") or {}
    card = subject["id"] if subject["object"] == "payment_method" else id_of(subject.get("payment_method"))
    customer = id_of(subject.get("customer")) or id_of(before.get("customer"))  # detached: it is already gone
    order = order_id_of(subject) if subject["object"] == "setup_intent" else None
    hint, face = CARD_HINTS[event["type"]], subject.get("card") or {}
    return [
        CardChanged(
            customer_id=customer,
            card_id=card,
            order_id=order,
            brand=face.get("brand"),
            last4=face.get("last4"),
            hint=hint,
            **told,
        )
    ]


def customer_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    customer, before = event["data"]["object"], event["data"].get("previous_attributes") or {}
    if "default_payment_method" not in (before.get("invoice_settings") or {}):
        return [Ignored(why="Nothing about cards changed.", **told)]
    card = id_of((customer.get("invoice_settings") or {}).get("default_payment_method"))
    return [CardChanged(customer_id=customer["id"], card_id=card, hint="default_changed", **told)]
