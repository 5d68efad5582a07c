"""Whole snapshots of Stripe subscriptions and invoices, in the shapes of API version 2026-10-28 (endive)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.providers.stripe.body import id_of, instant, maybe_instant
from app.providers.stripe.connection import Json
from app.providers.values import InvoiceDoc, InvoiceLine, SubscriptionState

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
_REASONS: dict[str, Any] = {
    "subscription_create": "subscription_create",
    "subscription_cycle": "subscription_cycle",
    "subscription_update": "subscription_update",
    "manual": "one_off",
}
_INVOICE_STATES: dict[str, Any] = {"open": "open", "paid": "paid", "void": "void", "uncollectible": "uncollectible"}


def subscription_of(sub: Json, *, version: datetime) -> SubscriptionState:
    """A subscription as it was at `version`. A status Stripe invents later counts as incomplete: it grants nothing."""
    item = sub["items"]["data"][0]  # one item per subscription is all we make
    return SubscriptionState(
        id=sub["id"],
        customer_id=str(id_of(sub["customer"])),
        status=_STATUSES.get(sub["status"], "incomplete"),
        provider_price_id=item["price"]["id"],
        quantity=item.get("quantity") or 1,
        period_start=maybe_instant(item.get("current_period_start")),
        period_end=maybe_instant(item.get("current_period_end")),
        cancel_at_period_end=sub["cancel_at_period_end"],
        cancel_at=maybe_instant(sub.get("cancel_at")),
        ended_at=maybe_instant(sub.get("ended_at")),
        trial_end=maybe_instant(sub.get("trial_end")),
        pending_price_id=_pending_price(sub),
        pending_at=None,  # a pending update applies when its invoice is paid; a schedule must be fetched
        item_id=item["id"],
        latest_invoice_id=id_of(sub.get("latest_invoice")),
        version=version,
        metadata=dict(sub.get("metadata") or {}),
    )


def _pending_price(sub: Json) -> str | None:
    items = (sub.get("pending_update") or {}).get("subscription_items") or []
    return items[0]["price"]["id"] if items else None


def invoice_of(invoice: Json) -> InvoiceDoc:
    """An invoice with the lines that came along; `complete` says whether those are all."""
    parent = (invoice.get("parent") or {}).get("subscription_details") or {}
    transitions = invoice.get("status_transitions") or {}
    return InvoiceDoc(
        id=invoice["id"],
        number=invoice.get("number"),
        customer_id=str(id_of(invoice["customer"])),
        subscription_id=id_of(parent.get("subscription")),
        status=_INVOICE_STATES.get(str(invoice.get("status")), "draft"),
        reason=_REASONS.get(str(invoice.get("billing_reason")), "other"),
        currency=invoice["currency"],
        subtotal=invoice["subtotal"],
        discount=_sum(invoice.get("total_discount_amounts")),
        tax=_sum(invoice.get("total_taxes")),
        total=invoice["total"],
        amount_paid=invoice["amount_paid"],
        amount_due=invoice["amount_due"],
        lines=[_line(line) for line in invoice["lines"]["data"]],
        complete=not invoice["lines"]["has_more"],
        created=instant(invoice["created"]),
        paid_at=maybe_instant(transitions.get("paid_at")),
        next_attempt=maybe_instant(invoice.get("next_payment_attempt")),
        hosted_url=invoice.get("hosted_invoice_url"),
        pdf_url=invoice.get("invoice_pdf"),
        payment_ids=_payments(invoice),
    )


def _line(line: Json) -> InvoiceLine:
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    period = line.get("period") or {}
    return InvoiceLine(
        description=line.get("description") or "",
        quantity=line.get("quantity") or 1,
        amount=line["amount"],
        tax=_sum(line.get("taxes")),
        proration=bool(details.get("proration")),
        period_start=maybe_instant(period.get("start")),
        period_end=maybe_instant(period.get("end")),
    )


def _payments(invoice: Json) -> list[str]:
    """The payment intents behind it; Stripe only tells them when `payments` was expanded."""
    paid = (invoice.get("payments") or {}).get("data") or []
    found = (id_of((each.get("payment") or {}).get("payment_intent")) for each in paid)
    return [each for each in found if each]


def _sum(amounts: list[Json] | None) -> int:
    return sum(each["amount"] for each in amounts or [])
