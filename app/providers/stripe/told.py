"""What a Stripe event says, in our words: one table from event type to reader. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.providers.bodies import shaped
from app.providers.events import Event, Ignored
from app.providers.stripe.body import verified
from app.providers.stripe.connection import Json
from app.providers.stripe.told_billing import (
    CARD_HINTS,
    INVOICE_HINTS,
    SUBSCRIPTION_HINTS,
    card_changed,
    customer_changed,
    invoice_changed,
    invoice_credited,
    invoice_linked,
    schedule_changed,
    subscription_changed,
)
from app.providers.stripe.told_payments import (
    charge_succeeded,
    checkout_completed,
    checkout_expired,
    checkout_failed,
    checkout_paid,
    intent_changed,
)
from app.providers.stripe.told_returns import dispute_changed, refund_changed

Reader = Callable[[Json, dict[str, Any]], Sequence[Event]]


def events_of(event: Json) -> Sequence[Event]:
    """Our events in a parsed Stripe event. Raises BadPayload when its object lacks what its type promises."""
    told = verified(event).told_by("stripe")
    read = READERS.get(event["type"])
    if read is None:
        return [Ignored(why="This type of event is not used.", **told)]
    with shaped(event["type"]):
        return read(event, told)


READERS: dict[str, Reader] = {
    "checkout.session.completed": checkout_completed,
    "checkout.session.async_payment_succeeded": checkout_paid,
    "checkout.session.async_payment_failed": checkout_failed,
    "checkout.session.expired": checkout_expired,
    "payment_intent.succeeded": intent_changed,
    "payment_intent.payment_failed": intent_changed,
    "payment_intent.requires_action": intent_changed,
    "charge.succeeded": charge_succeeded,
    "customer.subscription.updated": subscription_changed,
    **dict.fromkeys(SUBSCRIPTION_HINTS, subscription_changed),
    **{
        f"subscription_schedule.{w}": schedule_changed
        for w in ("updated", "released", "canceled", "completed", "aborted")
    },
    **dict.fromkeys(INVOICE_HINTS, invoice_changed),
    "invoice_payment.paid": invoice_linked,
    **dict.fromkeys(("credit_note.created", "credit_note.voided"), invoice_credited),
    **dict.fromkeys(CARD_HINTS, card_changed),
    "customer.updated": customer_changed,
    **{f"refund.{word}": refund_changed for word in ("created", "updated", "failed")},
    **{
        f"charge.dispute.{word}": dispute_changed
        for word in ("created", "updated", "funds_withdrawn", "funds_reinstated", "closed")
    },
}
