"""Reading a subscription and how its latest payment stands: the state every verb answers with."""

from __future__ import annotations

from app import clock
from app.providers.billing import SubscriptionState
from app.providers.errors import Declined, Unavailable
from app.providers.stripe.body import id_of
from app.providers.stripe.charges import charge_of
from app.providers.stripe.connection import Connection, Json
from app.providers.stripe.snapshots import subscription_of
from app.providers.values import Redirect

_WHOLE = {"expand": ["schedule.phases.items.price"]}


def fetch(stripe: Connection, subscription_id: str) -> SubscriptionState:
    """The subscription as it is now. Raises NotFound."""
    return fetch_both(stripe, subscription_id)[0]


def fetch_both(stripe: Connection, subscription_id: str) -> tuple[SubscriptionState, Json]:
    """The same in our words and in Stripe's."""
    seen_at = clock.now()  # before asking: what changes meanwhile is newer than this
    raw = fetch_raw(stripe, subscription_id)
    return subscription_of(raw, version=seen_at), raw


def fetch_raw(stripe: Connection, subscription_id: str) -> Json:
    """The subscription in Stripe's words, its schedule included."""
    return stripe.call(lambda v1: v1.subscriptions.retrieve(subscription_id, _WHOLE))


def is_over(sub: SubscriptionState) -> bool:
    return sub.status == "canceled"


def fetch_invoice(stripe: Connection, invoice_id: str) -> Json:
    """An invoice with the payments behind it."""
    return stripe.call(lambda v1: v1.invoices.retrieve(invoice_id, {"expand": ["payments"]}))


def payment_of(stripe: Connection, invoice: Json) -> Json | None:
    """The payment intent that pays an invoice, or last tried to; None where nothing was charged."""
    tried = (invoice.get("payments") or {}).get("data") or []
    newest = max(tried, key=lambda each: (bool(each.get("is_default")), int(each["created"])), default=None)
    intent = id_of((newest.get("payment") or {}).get("payment_intent")) if newest else None
    return stripe.call(lambda v1: v1.payment_intents.retrieve(intent)) if intent else None


def page_to_pay(stripe: Connection, invoice: Json) -> Redirect | None:
    """Where the customer confirms the payment of an unpaid invoice; None when it will come without them.

    Raises Declined when the card was refused.
    """
    intent = payment_of(stripe, invoice)
    charge = charge_of(intent) if intent else None
    if charge is not None and charge.status == "failed":
        raise Declined(charge.message or "The card was declined.", code=charge.decline_code)
    if charge is not None and charge.status in ("processing", "succeeded"):
        return None
    url = invoice.get("hosted_invoice_url")
    if not url:
        raise Unavailable("The invoice has no page to pay it on yet.", code="no_invoice_page")
    return Redirect(url)
