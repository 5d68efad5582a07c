"""Whole snapshots of Lemon Squeezy's subscriptions and their invoices. What only a second reading tells is given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.providers.billing import BuyerDoc, InvoiceDoc, InvoiceLine, SubscriptionState, TaxLine
from app.providers.bodies import amount
from app.providers.lemonsqueezy.body import instant, maybe_instant, number
from app.providers.lemonsqueezy.connection import Json
from app.providers.lemonsqueezy.periods import Cycle

_STATUSES: Mapping[str, Any] = {
    "on_trial": "trialing",
    "active": "active",
    "past_due": "past_due",
    "unpaid": "unpaid",
    "paused": "paused",
    "cancelled": "active",  # it works until it ends
    "expired": "canceled",
}
_UNPAID = ("past_due", "unpaid")
_INVOICES: Mapping[str, Any] = {"pending": "open", "paid": "paid", "partial_refund": "paid", "refunded": "refunded"}
_REASONS: Mapping[str, Any] = {
    "initial": "subscription_create",
    "renewal": "subscription_cycle",
    "updated": "subscription_update",
}
INVOICES = "subscription-invoices"


def cycle_of(sub: Json, months: int) -> Cycle:
    """How its periods are counted: from its beginning, or from where a change of interval began them anew."""
    told = sub["attributes"]
    begun = instant(told.get("trial_ends_at") or told["created_at"]).replace(microsecond=0)
    cycle, renews = Cycle(begun, months), maybe_instant(told.get("renews_at"))
    if told["status"] in _UNPAID or renews is None:  # then it is renewed when the payment is tried again
        return cycle
    end = maybe_instant(told.get("ends_at")) or renews
    return cycle if told["status"] == "expired" or cycle.before(end) else Cycle(end.replace(microsecond=0), months)


def subscription_of(
    sub: Json,
    *,
    version: datetime,
    custom: Mapping[str, str],
    cycle: Cycle | None = None,
    latest: Json | None = None,
) -> SubscriptionState:
    """A subscription as it was at `version`; `latest` is its newest invoice.

    A status they invent later counts as incomplete: it grants nothing. An event tells no beginning of the period.
    """
    told = sub["attributes"]
    status, ends_at = told["status"], maybe_instant(told.get("ends_at"))
    start, end = _period(told, cycle, latest)
    return SubscriptionState(
        id=number(sub["id"]),
        customer_id=custom.get("customer_id") or number(told["customer_id"]),
        status=_STATUSES.get(status, "incomplete"),
        provider_price_id=number(told["variant_id"]),
        plan=None,
        quantity=(told.get("first_subscription_item") or {}).get("quantity") or 1,
        started_at=instant(told["created_at"]),
        anchor_at=cycle.anchor if cycle else instant(told["created_at"]),
        period_start=start,
        period_end=end,
        cancel_at_period_end=bool(told["cancelled"]) and status != "expired",
        cancel_at=ends_at if status != "expired" else None,
        cancel_reason=None,
        cancel_comment=None,
        ended_at=(ends_at or version) if status == "expired" else None,
        trial_end=maybe_instant(told.get("trial_ends_at")),
        pending=None,
        item_id=_item(told),
        card_id=None,
        latest_invoice_id=number(latest["id"]) if latest else None,
        version=version,
        metadata=dict(custom),
    )


def _period(told: Json, cycle: Cycle | None, latest: Json | None) -> tuple[datetime | None, datetime | None]:
    renews = maybe_instant(told.get("renews_at"))
    end = maybe_instant(told.get("ends_at")) or renews
    if cycle is None:
        return None, end
    if told["status"] == "on_trial":
        return instant(told["created_at"]), maybe_instant(told.get("trial_ends_at"))
    if told["status"] in _UNPAID and latest is not None:
        return cycle.around(instant(latest["attributes"]["created_at"]))
    known = cycle.before(end) if end else None
    return known or (None, end)


def _item(told: Json) -> str | None:
    item = (told.get("first_subscription_item") or {}).get("id")
    return None if item is None else number(item)


def invoice_of(
    invoice: Json, *, custom: Mapping[str, str], sub: Json | None = None, cycle: Cycle | None = None
) -> InvoiceDoc:
    """An invoice, of which they tell totals alone: its one line is for the period it was made for."""
    told, created = invoice["attributes"], instant(invoice["attributes"]["created_at"])
    total, tax, discount = (amount(told[name]) for name in ("total", "tax", "discount_total"))
    status = _INVOICES.get(told["status"], "void")
    is_paid = status in ("paid", "refunded")
    currency, name = told["currency"].lower(), number(invoice["id"])
    net = InvoiceAmounts(total=total, tax=tax, discount=discount)
    return InvoiceDoc(
        id=name,
        number=None,
        customer_id=custom.get("customer_id") or number(told["customer_id"]),
        subscription_id=number(told["subscription_id"]),
        status=status,
        reason=_REASONS.get(told["billing_reason"], "other"),
        currency=currency,
        subtotal=net.before_tax,
        discount=discount,
        tax=tax,
        total=total,
        amount_paid=total if is_paid else 0,
        amount_due=total,
        amount_remaining=total if status == "open" else 0,
        credited=amount(told.get("refunded_amount") or 0),
        lines=[_line(invoice, net, sub, cycle)],
        taxes=[TaxLine("Tax", None, tax)] if tax else [],
        complete=cycle is not None,
        created=created,
        finalized_at=created,
        paid_at=_paid_at(told) if is_paid else None,
        next_attempt=_next_attempt(sub) if status == "open" else None,
        attempts=1 if status == "open" else 0,
        hosted_url=None,
        pdf_url=(told.get("urls") or {}).get("invoice_url"),
        payment_ids=[f"{INVOICES}/{name}"] if is_paid else [],
        buyer=BuyerDoc(told.get("user_name"), told.get("user_email"), (), None, ()),
        metadata=dict(custom),
    )


class InvoiceAmounts:
    """An invoice's sums in minor units, whether or not the store's prices include the tax."""

    def __init__(self, *, total: int, tax: int, discount: int) -> None:
        self.tax = tax
        self.before_tax = total - tax + discount


def _line(invoice: Json, net: InvoiceAmounts, sub: Json | None, cycle: Cycle | None) -> InvoiceLine:
    told, created = invoice["attributes"], instant(invoice["attributes"]["created_at"])
    start, end = cycle.around(created) if cycle else (None, None)
    changes = told["billing_reason"] == "updated" and not (cycle and cycle.begins_at(created))
    bought = sub["attributes"] if sub else {}
    return InvoiceLine(
        description=str(bought.get("variant_name") or bought.get("product_name") or "Subscription"),
        quantity=1,
        amount=net.before_tax,
        tax=net.tax,
        proration=changes,
        period_start=created.replace(microsecond=0) if changes else start,
        period_end=end,
        id=number(invoice["id"]),
        provider_price_id=number(bought["variant_id"]) if bought else None,
    )


def _paid_at(told: Json) -> datetime:
    """They do not say. It changed last when it was paid, unless it was refunded since."""
    return instant(told["created_at"] if told.get("refunded_amount") else told["updated_at"])


def _next_attempt(sub: Json | None) -> datetime | None:
    """While a payment is open, the subscription "renews" when it is tried again."""
    told = sub["attributes"] if sub else {}
    return maybe_instant(told.get("renews_at")) if told.get("status") == "past_due" else None
