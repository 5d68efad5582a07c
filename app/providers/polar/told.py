"""What a Polar event says, in our words: one table from event type to reader. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.providers.bodies import amount, id_of, money, shaped
from app.providers.events import (
    CheckoutCompleted,
    CheckoutExpired,
    Event,
    Ignored,
    InvoiceChanged,
    PaymentFailed,
    PaymentSucceeded,
    SubscriptionChanged,
)
from app.providers.polar.body import verified
from app.providers.polar.checkout import order_id_of, session_of
from app.providers.polar.connection import Json
from app.providers.polar.documents import invoice_of
from app.providers.polar.snapshots import subscription_of
from app.providers.polar.told_returns import dispute_changed, refund_changed

Reader = Callable[[Json, dict[str, Any]], Sequence[Event]]


def events_of(event: Json, *, livemode: bool) -> Sequence[Event]:
    """Our events in a parsed Polar event. Raises BadPayload when its object lacks what its type promises.

    The body does not have the event's id, which is in a header: these are named by what they say.
    """
    name = f"{event['type']}:{event['data'].get('id')}:{event['timestamp']}"
    told = verified(event, name, livemode=livemode).told_by("polar")
    read = READERS.get(event["type"])
    if read is None:
        return [Ignored(why="This type of event is not used.", **told)]
    with shaped(event["type"]):
        return read(event, told)


def _checkout_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    page = event["data"]
    if page["status"] == "succeeded":  # the order says what was paid
        return [CheckoutCompleted(session=session_of(page), order_id=order_id_of(page), **told)]
    if page["status"] != "failed":
        return [Ignored(why="Nothing is decided on this page yet.", **told)]
    return [
        PaymentFailed(
            payment_id=None,
            order_id=order_id_of(page),
            amount=money(page["total_amount"], page["currency"]),
            code=None,
            message=None,
            invoice_id=None,
            **told,
        )
    ]


def _checkout_expired(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    page = event["data"]
    return [CheckoutExpired(session_id=id_of(page["id"]), order_id=order_id_of(page), **told)]


def _order_paid(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    order = event["data"]
    if not order["paid"]:
        return [Ignored(why="The order is not paid.", **told)]
    invoice = _invoiced(order, told, "paid")
    if order["billing_reason"] != "purchase":
        return [invoice]
    if order_id_of(order) is None:
        return [Ignored(why="It was not bought here.", **told)]
    paid = PaymentSucceeded(
        payment_id=id_of(order["id"]),
        order_id=order_id_of(order),
        net=money(order["net_amount"], order["currency"]),
        tax=amount(order["tax_amount"]),
        customer_id=id_of(order["customer_id"]),
        invoice_id=id_of(order["id"]),
        **told,
    )
    return [paid, invoice]


def _order_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    """A correction, a retry, an end: of one that is paid for, or of a subscription's. It is read again."""
    order = event["data"]
    if order["billing_reason"] == "purchase" and (not order["paid"] or order_id_of(order) is None):
        return [Ignored(why="Only what was paid here counts.", **told)]
    if order["refunded_amount"]:
        return [_invoiced(order, told, "credited")]
    if order["status"] == "void":
        return [_invoiced(order, told, "voided")]
    return [_invoiced(order, told, "paid" if order["paid"] else "finalized")]


def _invoiced(order: Json, told: dict[str, Any], hint: Any) -> InvoiceChanged:
    paid = id_of(order["id"]) if order["paid"] else None
    return InvoiceChanged(invoice_id=id_of(order["id"]), invoice=invoice_of(order), payment_id=paid, hint=hint, **told)


def _subscription_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    sub = event["data"]
    state = subscription_of(sub, version=told["occurred_at"])
    return [SubscriptionChanged(subscription_id=state.id, state=state, hint=_HINTS[event["type"]], **told)]


_HINTS: dict[str, Any] = {
    "subscription.created": "created",
    "subscription.active": "activated",
    "subscription.updated": "updated",
    "subscription.cycled": "renewed",
    "subscription.canceled": "cancel_scheduled",
    "subscription.uncanceled": "uncanceled",
    "subscription.past_due": "past_due",
    "subscription.paused": "paused",
    "subscription.resumed": "resumed",
    "subscription.revoked": "ended",
    "subscription.migrated": "updated",
}
POLLED_DISPUTE = "dispute.polled"  # Polar sends no webhook about disputes; what we read is told under this name

READERS: dict[str, Reader] = {
    "checkout.updated": _checkout_changed,
    "checkout.expired": _checkout_expired,
    "order.paid": _order_paid,
    "order.updated": _order_changed,
    "order.refunded": _order_changed,
    **dict.fromkeys(_HINTS, _subscription_changed),
    "refund.created": refund_changed,
    "refund.updated": refund_changed,
    POLLED_DISPUTE: dispute_changed,
}
