"""What a Creem event says, in our words: one table from event type to reader. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.providers.bodies import amount, money, shaped
from app.providers.creem.body import id_of, maybe_id, metadata, verified
from app.providers.creem.checkout import EXPIRED, OURS, order_id_of, session_of
from app.providers.creem.connection import Json
from app.providers.creem.snapshots import subscription_of
from app.providers.events import (
    CheckoutCompleted,
    CheckoutExpired,
    DisputeChanged,
    Event,
    Ignored,
    InvoiceChanged,
    PaymentSucceeded,
    RefundChanged,
    SubscriptionChanged,
)

Reader = Callable[[Json, dict[str, Any], str], Sequence[Event]]
_REFUNDS: dict[str, Any] = {"succeeded": "succeeded", "failed": "failed", "canceled": "canceled"}


def events_of(event: Json, product_id: str) -> Sequence[Event]:
    """Our events in a parsed Creem event; `product_id` is what top-ups and packs are sold as.

    Raises BadPayload when its object lacks what its type promises.
    """
    told = verified(event).told_by("creem")
    read = READERS.get(event["kind"])
    if read is None:
        return [Ignored(why="This type of event is not used.", **told)]
    with shaped(event["kind"]):
        return read(event["object"], told, product_id)


def _checkout_completed(page: Json, told: dict[str, Any], product_id: str) -> Sequence[Event]:
    done = CheckoutCompleted(session=session_of(page), order_id=order_id_of(page), **told)
    order, product = page["order"], page["product"]
    if order["type"] != "onetime" or order_id_of(page) is None:
        return [done]
    if order["status"] != "paid":
        return [done]
    tax = amount(order.get("tax_amount") or 0)
    on_top = tax if product.get("tax_mode") == "exclusive" else 0
    paid = PaymentSucceeded(
        payment_id=id_of(order["transaction"]),
        order_id=order_id_of(page),
        net=money(amount(order["amount_paid"]) - on_top, order["currency"]),
        tax=on_top,
        customer_id=metadata(page).get(OURS) or maybe_id(page.get("customer")),
        invoice_id=None,
        discount=amount(
            order.get("discount_amount") or 0
        ),  # whoever pays may type a code there, and nobody can stop it
        # Who buys something else of this store, and has it name our order, must not be credited for the same money.
        product_id=None if id_of(product) == product_id else id_of(product),
        **told,
    )
    return [done, paid]


def _checkout_expired(page: Json, told: dict[str, Any], _product_id: str) -> Sequence[Event]:
    return [CheckoutExpired(session_id=id_of(page["id"]), order_id=order_id_of(page), **told)]


def _subscription_changed(sub: Json, told: dict[str, Any], _product_id: str) -> Sequence[Event]:
    kind = told["raw_type"].removeprefix("subscription.")
    # Of one whose period is over the event says what its object does not.
    said = "expired" if kind == "expired" and sub["status"] != "canceled" else None
    state = subscription_of(sub, version=told["occurred_at"], status=said)
    changed = SubscriptionChanged(subscription_id=state.id, state=state, hint=_HINTS[kind], **told)
    if kind != "paid" or state.latest_invoice_id is None:
        return [changed]
    name = state.latest_invoice_id
    return [changed, InvoiceChanged(invoice_id=name, invoice=None, payment_id=name, hint="paid", **told)]


def _refund_created(refund: Json, told: dict[str, Any], _product_id: str) -> Sequence[Event]:
    """Nothing of ours is kept with a refund: ours is known by being waited for."""
    changed = RefundChanged(
        refund_id=id_of(refund["id"]),
        payment_id=id_of(refund["transaction"]),
        status=_REFUNDS.get(refund["status"], "pending"),
        amount=money(refund["refund_amount"], refund["refund_currency"]),
        cumulative=None,
        our_refund_id=None,
        **told,
    )
    paid = refund["transaction"]
    if not isinstance(paid, dict) or paid.get("subscription") is None:
        return [changed]
    name = id_of(paid)
    return [changed, InvoiceChanged(invoice_id=name, invoice=None, hint="credited", **told)]


def _dispute_created(dispute: Json, told: dict[str, Any], _product_id: str) -> Sequence[Event]:
    """Creem tells of the beginning alone; how it ended is for staff to enter."""
    return [
        DisputeChanged(
            dispute_id=id_of(dispute["id"]),
            payment_id=maybe_id(dispute.get("transaction")),
            amount=money(dispute["amount"], dispute["currency"]),
            phase="open",
            reason=None,
            due_by=None,
            **told,
        )
    ]


_HINTS: dict[str, Any] = {
    "active": "activated",
    "paid": "renewed",
    "update": "updated",
    "trialing": "updated",
    "scheduled_cancel": "cancel_scheduled",
    "canceled": "ended",
    "past_due": "past_due",
    "unpaid": "past_due",
    "expired": "past_due",
    "paused": "paused",
}
READERS: dict[str, Reader] = {
    "checkout.completed": _checkout_completed,
    **{f"subscription.{word}": _subscription_changed for word in _HINTS},
    "refund.created": _refund_created,
    "dispute.created": _dispute_created,
    EXPIRED: _checkout_expired,
}
SENT = tuple(kind for kind in READERS if kind != EXPIRED)
