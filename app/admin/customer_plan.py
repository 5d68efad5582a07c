"""What a customer's page in the back office says of their plan: where they stand, what they were invoiced for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.catalogue import reads as catalogue
from app.coupons import reads as coupons
from app.customers.models import Customer
from app.invoices import reads as invoices
from app.subscriptions import overrides, standing
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.standing import Standing

STATUSES = {
    "active": "Active",
    "past_due": "Past due",
    "restricted": "Payment failed",
    "incomplete": "Waiting",
    "canceled": "Ended",
}
_CHANGES = {"upgrade": "Changes to", "downgrade": "Changes to", "cancel_now": "Ends", "pay_by": "Is paid by"}


def shown(session: Session, customer: Customer, currency: str) -> dict[str, Any]:
    """Names for `admin/customers/show.html`."""
    now = standing.of(session, customer.id)
    page = invoices.page(session, customer.id, limit=5)
    subscription = now.subscription
    return {
        "standing": now,
        "status_word": _word(now),
        "override": overrides.live(session, customer.id),
        "coupon": coupons.of_subscription(session, customer.id, subscription.id) if subscription else None,
        "invoices": page.rows,
        "owes": invoices.sums(session, customer.id, currency),
        "paid_by": _paid_by(subscription),
        # People read periods with their last day: the boundary belongs to the next one.
        "last_day": subscription.period_end - timedelta(seconds=1) if subscription else None,
        "change_word": _change(now.pending),
        "pending_name": _plan_after(session, now.pending),
    }


def _word(now: Standing) -> str:
    return "Ended" if now.plan is None else STATUSES.get(now.status, now.status)


def _paid_by(subscription: Subscription | None) -> str:
    """`Card, Stripe`, `Wallet`, and what it is from the next period on where that was changed."""
    if subscription is None:
        return ""
    by = "Wallet" if subscription.paid_by == "wallet" else f"Card, {(subscription.channel or '').capitalize()}"
    later = subscription.pays_next_by
    return by if later in (None, subscription.paid_by) else f"{by}, then {later}"


def _plan_after(session: Session, change: SubscriptionChange | None) -> str:
    """What the plan after the change is called; nothing where it is no change of plan."""
    if change is None or change.kind not in ("upgrade", "downgrade"):
        return ""
    return catalogue.name_of(session, change.plan_id, change.version)


def _change(change: SubscriptionChange | None) -> str:
    return _CHANGES.get(change.kind, "Changes to") if change else ""
