"""What Lemon Squeezy tells about subscriptions and the invoices of their payments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.providers.events import Event, InvoiceChanged, SubscriptionChanged
from app.providers.lemonsqueezy.body import custom_of
from app.providers.lemonsqueezy.connection import Json
from app.providers.lemonsqueezy.shop import Shop
from app.providers.lemonsqueezy.snapshots import invoice_of, subscription_of
from app.providers.lemonsqueezy.told_orders import refund_of

SUBSCRIPTION_HINTS: dict[str, Any] = {
    "subscription_created": "created",
    "subscription_updated": "updated",
    "subscription_plan_changed": "updated",  # missing in their documentation, and sent
    "subscription_cancelled": "cancel_scheduled",
    "subscription_resumed": "uncanceled",
    "subscription_expired": "ended",
    "subscription_paused": "paused",
    "subscription_unpaused": "resumed",
}
INVOICE_HINTS: dict[str, Any] = {
    "subscription_payment_success": "paid",
    "subscription_payment_recovered": "paid",  # comes with a success: both say the same, and it counts once
    "subscription_payment_failed": "failed",
}


def subscription_changed(event: Json, told: dict[str, Any], _shop: Shop) -> Sequence[Event]:
    state = subscription_of(event["data"], version=told["occurred_at"], custom=custom_of(event))
    hint = SUBSCRIPTION_HINTS[event["meta"]["event_name"]]
    return [SubscriptionChanged(subscription_id=state.id, state=state, hint=hint, **told)]


def invoice_changed(event: Json, told: dict[str, Any], _shop: Shop) -> Sequence[Event]:
    invoice = invoice_of(event["data"], custom=custom_of(event))
    hint = INVOICE_HINTS[event["meta"]["event_name"]]
    return [InvoiceChanged(invoice_id=invoice.id, invoice=invoice, hint=hint, **told)]


def invoice_refunded(event: Json, told: dict[str, Any], _shop: Shop) -> Sequence[Event]:
    invoice = invoice_of(event["data"], custom=custom_of(event))
    credited = InvoiceChanged(invoice_id=invoice.id, invoice=invoice, hint="credited", **told)
    return [credited, refund_of(event, told)]
