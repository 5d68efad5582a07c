"""Whole snapshots of Polar subscriptions with what is pending, in the shapes of API version 2026-10."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.providers.billing import CANCEL_REASONS, PendingChange, SubscriptionState
from app.providers.bodies import id_of
from app.providers.polar.body import instant, maybe_instant, metadata
from app.providers.polar.connection import Json
from app.providers.polar.periods import anchor_of
from app.providers.polar.products import plan_of

_STATUSES: dict[str, Any] = {
    "incomplete": "incomplete",
    "incomplete_expired": "canceled",
    "trialing": "trialing",
    "active": "active",
    "past_due": "past_due",
    "unpaid": "unpaid",
    "paused": "paused",
    "canceled": "canceled",
}


def subscription_of(sub: Json, *, version: datetime, latest_order: str | None = None) -> SubscriptionState:
    """A subscription as it was at `version`. A status Polar invents later counts as incomplete: it grants nothing.

    Polar says that it will end in `ends_at`, and of one that has ended nothing is about to.
    """
    ended, stays = maybe_instant(sub.get("ended_at")), not sub["cancel_at_period_end"]
    reason: Any = sub.get("customer_cancellation_reason")
    begun = instant(sub.get("started_at") or sub["created_at"])
    return SubscriptionState(
        id=id_of(sub["id"]),
        customer_id=id_of(sub["customer_id"]),
        status=_STATUSES.get(sub["status"], "incomplete"),
        provider_price_id=id_of(sub["product_id"]),
        plan=plan_of(sub["product"], sub.get("prices") or sub["product"]["prices"]),
        quantity=1,
        started_at=begun,
        anchor_at=anchor_of(sub),
        period_start=maybe_instant(sub["current_period_start"]),
        period_end=maybe_instant(sub["current_period_end"]),
        cancel_at_period_end=not stays and ended is None,
        cancel_at=None if stays else maybe_instant(sub.get("ends_at")),
        cancel_reason=reason if reason in CANCEL_REASONS else None,
        cancel_comment=sub.get("customer_cancellation_comment"),
        ended_at=ended,
        trial_end=maybe_instant(sub.get("trial_end")),
        pending=_pending(sub),
        item_id=None,
        card_id=None,  # Polar charges the customer's card; which one is its portal's matter
        latest_invoice_id=latest_order,
        version=version,
        metadata=metadata(sub),
    )


def _pending(sub: Json) -> PendingChange | None:
    """Only a change at the period's end waits: one that takes effect now is charged at once, or is none."""
    waiting = sub.get("pending_update") or {}
    product = waiting.get("product_id")
    return PendingChange(id_of(product), instant(waiting["applies_at"])) if product else None
