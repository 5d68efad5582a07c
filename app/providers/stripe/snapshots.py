"""Whole snapshots of Stripe subscriptions with what is pending, in the shapes of API version 2026-10-28 (endive)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.money import Money
from app.providers.billing import CANCEL_REASONS, PendingChange, SubscriptionState
from app.providers.stripe.body import id_of, instant, maybe_instant
from app.providers.stripe.connection import Json
from app.providers.values import PlanRef

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


def subscription_of(sub: Json, *, version: datetime) -> SubscriptionState:
    """A subscription as it was at `version`. A status Stripe invents later counts as incomplete: it grants nothing."""
    item = sub["items"]["data"][0]  # one item per subscription is all we make
    told: Json = sub.get("cancellation_details") or {}
    feedback: Any = told.get("feedback")
    return SubscriptionState(
        id=sub["id"],
        customer_id=str(id_of(sub["customer"])),
        status=_STATUSES.get(sub["status"], "incomplete"),
        provider_price_id=item["price"]["id"],
        plan=plan_of(item["price"]),
        quantity=item.get("quantity") or 1,
        started_at=instant(sub["start_date"]),
        anchor_at=instant(sub["billing_cycle_anchor"]),
        period_start=maybe_instant(item.get("current_period_start")),
        period_end=maybe_instant(item.get("current_period_end")),
        cancel_at_period_end=_ends_with_period(sub, item),
        cancel_at=maybe_instant(sub.get("cancel_at")),
        cancel_reason=feedback if feedback in CANCEL_REASONS else None,
        cancel_comment=told.get("comment"),
        ended_at=maybe_instant(sub.get("ended_at")),
        trial_end=maybe_instant(sub.get("trial_end")),
        pending=_pending(sub, item["price"]["id"]),
        item_id=item["id"],
        card_id=id_of(sub.get("default_payment_method")),
        latest_invoice_id=id_of(sub.get("latest_invoice")),
        version=version,
        metadata=dict(sub.get("metadata") or {}),
    )


def _ends_with_period(sub: Json, item: Json) -> bool:
    """Stripe's portal says the same by a date: the end of the period."""
    at = sub.get("cancel_at")
    return bool(sub["cancel_at_period_end"]) or (at is not None and at == item.get("current_period_end"))


def is_whole(sub: Json) -> bool:
    """Whether this says everything: a schedule comes as an id alone unless it was asked for, in events always."""
    schedule = sub.get("schedule")
    return schedule is None or isinstance(schedule, dict)


def plan_of(price: Any) -> PlanRef | None:
    """What a price is in our words, from what we wrote on it; None for a price made by somebody else, or a bare id."""
    if not isinstance(price, dict):
        return None
    told, recurring = price.get("metadata") or {}, price.get("recurring") or {}
    plan, version, interval = told.get("plan"), str(told.get("version", "")), recurring.get("interval")
    if not plan or not (version.isascii() and version.isdigit()) or interval not in ("month", "year"):
        return None
    return PlanRef(plan, interval, Money(price["unit_amount"], price["currency"]), price["id"], int(version))


def _pending(sub: Json, current: str) -> PendingChange | None:
    """What awaits payment, before what a schedule will do: it is nearer."""
    unpaid = sub.get("pending_update")
    items = (unpaid or {}).get("subscription_items") or []
    if unpaid and items:
        price, expires = items[0]["price"], maybe_instant(unpaid.get("expires_at"))
        invoice = id_of(sub.get("latest_invoice"))
        return PendingChange(str(id_of(price)), None, expires_at=expires, invoice_id=invoice, plan=plan_of(price))
    schedule = sub.get("schedule")
    return _scheduled(schedule, current) if isinstance(schedule, dict) else None


def _scheduled(schedule: Json, current: str) -> PendingChange | None:
    """The next phase, if it has another price. A schedule without one mirrors the subscription and changes nothing."""
    if schedule.get("status") not in ("active", "not_started"):
        return None
    since: int = (schedule.get("current_phase") or {}).get("end_date") or 0
    for phase in sorted(schedule.get("phases") or [], key=lambda each: int(each["start_date"])):
        price = phase["items"][0]["price"]
        if since and phase["start_date"] >= since and id_of(price) != current:
            return PendingChange(str(id_of(price)), instant(phase["start_date"]), plan=plan_of(price))
    return None
