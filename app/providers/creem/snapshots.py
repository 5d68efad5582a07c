"""Whole snapshots of Creem's subscriptions, and its transactions as our invoices."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from app.providers.billing import BuyerDoc, InvoiceDoc, InvoiceLine, SubscriptionState, TaxLine
from app.providers.bodies import amount
from app.providers.creem.body import id_of, instant, maybe_id, maybe_instant, metadata
from app.providers.creem.checkout import OURS
from app.providers.creem.connection import Json

_STATUSES: dict[str, Any] = {
    "trialing": "trialing",
    "active": "active",
    "scheduled_cancel": "active",  # until its period ends
    "past_due": "past_due",
    "expired": "past_due",  # the period is over; payments are still tried until it is canceled
    "unpaid": "unpaid",
    "paused": "paused",
    "canceled": "canceled",
}
_INVOICES: dict[str, Any] = {
    "pending": "open",
    "paid": "paid",
    "partialRefund": "paid",
    "chargeback": "paid",  # one and the same, in webhooks and in the API
    "chargedBack": "paid",
    "refunded": "refunded",
    "uncollectible": "uncollectible",
    "void": "void",
}
_OWED = ("past_due", "unpaid")
_MOMENT = timedelta(hours=1)  # between the beginning of a period and its payment


def subscription_of(sub: Json, *, version: datetime, status: str | None = None) -> SubscriptionState:
    """A subscription as it was at `version`. A status Creem invents later counts as incomplete: it grants nothing."""
    said = status or sub["status"]
    start, end = _period(sub, version, is_owed=_STATUSES.get(said) in _OWED)
    leaving = said == "scheduled_cancel"
    begun = instant(sub["created_at"])
    return SubscriptionState(
        id=id_of(sub["id"]),
        customer_id=metadata(sub).get(OURS) or id_of(sub["customer"]),
        status=_STATUSES.get(said, "incomplete"),
        provider_price_id=id_of(sub["product"]),
        plan=None,  # which of our plans a product is, the catalogue says
        quantity=1,
        started_at=min(begun, start or begun),
        anchor_at=start or begun,
        period_start=start,
        period_end=end,
        cancel_at_period_end=leaving,
        cancel_at=end if leaving else None,
        cancel_reason=None,
        cancel_comment=None,
        ended_at=_ended(sub, end) if said == "canceled" else None,
        trial_end=end if said == "trialing" else None,
        pending=None,
        item_id=None,
        card_id=None,
        latest_invoice_id=maybe_id(sub.get("last_transaction_id")),
        version=version,
        metadata=metadata(sub),
    )


def _period(sub: Json, version: datetime, *, is_owed: bool) -> tuple[datetime | None, datetime | None]:
    """The period that runs. Creem moves on once it is paid for; what is owed is for the one after the last paid."""
    start, end = maybe_instant(sub.get("current_period_start_date")), maybe_instant(sub.get("current_period_end_date"))
    if is_owed and start is not None and end is not None and end <= version:
        return end, end + (end - start)
    return start, end


def _ended(sub: Json, end: datetime | None) -> datetime:
    """Creem says when the end was asked for, and when it came about."""
    changed = instant(sub["updated_at"])
    return end if end is not None and end <= changed else changed


def invoice_of(paid: Json, *, sub: Json | None) -> InvoiceDoc:
    """A transaction as an invoice: Creem tells sums alone, so its one line is for the period it was made for."""
    made, total = instant(paid["created_at"]), amount(paid.get("amount_paid") or paid["amount"])
    tax, back = amount(paid.get("tax_amount") or 0), amount(paid.get("refunded_amount") or 0)
    status = _INVOICES.get(paid["status"], "open")
    is_paid = status in ("paid", "refunded")
    start, end = maybe_instant(paid.get("period_start")), maybe_instant(paid.get("period_end"))
    reason = _reason(made, start, sub)
    disputed = paid["status"] in ("chargeback", "chargedBack")  # what the bank took is no credit of ours
    line = InvoiceLine(
        description=paid.get("description") or "Subscription",
        quantity=1,
        amount=total - tax,
        tax=tax,
        proration=reason == "subscription_update",
        period_start=made if reason == "subscription_update" else start,
        period_end=end,
        id=id_of(paid["id"]),
        provider_price_id=id_of(sub["product"]) if sub else None,
    )
    return InvoiceDoc(
        id=id_of(paid["id"]),
        number=None,
        customer_id=(metadata(sub).get(OURS) if sub else None) or id_of(paid["customer"]),
        subscription_id=maybe_id(paid.get("subscription")),
        status=status,
        reason=reason,
        currency=paid["currency"].lower(),
        subtotal=total - tax,
        discount=0,
        tax=tax,
        total=total,
        amount_paid=total if is_paid else 0,
        amount_due=total,
        amount_remaining=0 if is_paid else total,
        credited=0 if disputed else back,
        lines=[line],
        taxes=[TaxLine("Tax", None, tax)] if tax else [],
        complete=True,
        created=made,
        finalized_at=made,
        paid_at=made if is_paid else None,
        next_attempt=None,
        attempts=0,
        hosted_url=None,
        pdf_url=None,
        payment_ids=[paid["id"]] if is_paid else [],
        buyer=_buyer(sub),
        metadata=metadata(sub) if sub else {},
    )


def _reason(made: datetime, start: datetime | None, sub: Json | None) -> Any:
    if sub is None or start is None:
        return "one_off"
    if made - start > _MOMENT:
        return "subscription_update"
    return "subscription_create" if abs(start - instant(sub["created_at"])) <= _MOMENT else "subscription_cycle"


def _buyer(sub: Json | None) -> BuyerDoc:
    who = sub.get("customer") if sub else None
    if not isinstance(who, dict):
        return BuyerDoc(None, None, (), None, ())
    country = who.get("country")
    return BuyerDoc(who.get("name"), who.get("email"), [country] if country else [], country, ())
