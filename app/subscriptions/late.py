"""A cheaper plan that a provider was told of too late: the period that had begun was charged at the old price (P7).

The customer had asked in time. The plan is changed at once, and what they paid beyond the new price goes to the wallet.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity
from app.invoices import Invoice
from app.money import minor_to_micros, round_half_away
from app.providers.billing import SubscriptionState
from app.subscriptions import prices
from app.subscriptions.models import Subscription, SubscriptionChange
from app.wallet import adjust

OWED = "late_minor"  # in a change's details: what goes to the wallet once it has come true
_WHY = "Your plan changed late: what you paid beyond its price"


def owe(session: Session, subscription: Subscription, change: SubscriptionChange, state: SubscriptionState) -> bool:
    """Whether it can be made right; what is owed then is written down before the provider is asked for anything.

    Not where nothing was charged yet, nor where the period that began costs no more than what was to follow.
    """
    is_old = state.provider_price_id == subscription.provider_state.get(prices.KNOWN_AS)
    if state.status != "active" or not is_old or change.price_minor >= subscription.price_minor:
        return False
    if OWED not in change.details:
        owed = _paid_beyond(session, subscription, change)
        change.details = {**change.details, OWED: owed}
        told = {"owed_minor": owed, "currency": change.currency}
        activity.record(session, "system", "change.late", change.id, customer_id=change.customer_id, **told)
        session.flush()
    return True


def make_up(session: Session, change: SubscriptionChange) -> None:
    """It has come true: what is owed goes to the wallet. Once."""
    if owed := change.details.get(OWED):
        adjust.adjust(
            session,
            change.customer_id,
            minor_to_micros(owed, change.currency),
            reason=_WHY,
            actor="system",
            key=f"late:{change.id}",
            currency=change.currency,
        )


def _paid_beyond(session: Session, subscription: Subscription, change: SubscriptionChange) -> int:
    """Of every period since it should have come true, with the tax on it, in minor units.

    A coupon lessened both prices alike, so of what was paid it is the share that the dearer plan costs more. What has
    been credited since is not given twice.
    """
    paid = select(Invoice).where(
        Invoice.customer_id == change.customer_id,
        Invoice.subscription_id == subscription.id,
        Invoice.status == "paid",
        Invoice.period_start >= change.effective_at,
    )
    beyond, price = subscription.price_minor - change.price_minor, subscription.price_minor
    owed = 0
    for invoice in session.scalars(paid):
        if invoice.net_minor > 0:
            kept = max(0, invoice.total_minor - invoice.credited_minor)
            owed += round_half_away(kept * beyond * min(invoice.net_minor, price), price * invoice.net_minor)
    return owed
