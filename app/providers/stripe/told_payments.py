"""What Stripe tells about payments: checkout pages, and charges of a saved card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.money import Money
from app.providers.events import (
    CheckoutCompleted,
    CheckoutExpired,
    Event,
    Ignored,
    PaidByCard,
    PaymentFailed,
    PaymentSucceeded,
)
from app.providers.stripe.body import id_of
from app.providers.stripe.checkout import REFERENCE, order_id_of, session_of
from app.providers.stripe.connection import Json

_LARGEST = 10**12  # minor units; Stripe's own limit is twelve digits
# The `kind` of the charges we make of a saved card: what pays a checkout page or a provider's invoice is told by those.
OUR_CHARGES = ("auto_topup", "invoice")


def checkout_completed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    session = event["data"]["object"]
    done = CheckoutCompleted(session=session_of(session), order_id=order_id_of(session), **told)
    # Slow methods complete the page first and pay days later: only paid is paid.
    if session["mode"] == "payment" and session["payment_status"] == "paid":
        return [done, _paid(session, told)]
    return [done]


def checkout_paid(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    session = event["data"]["object"]
    if session["mode"] != "payment":
        return [Ignored(why="Only one-off payments credit a wallet.", **told)]
    assert session["payment_status"] == "paid", "an asynchronous success is paid"
    return [_paid(session, told)]


def _paid(session: Json, told: dict[str, Any]) -> PaymentSucceeded:
    tax = _amount((session.get("total_details") or {}).get("amount_tax", 0))
    payment = id_of(session["payment_intent"])
    assert payment, "a paid session has a payment"
    return PaymentSucceeded(
        payment_id=payment,
        order_id=order_id_of(session),
        net=money(_amount(session["amount_total"]) - tax, session["currency"]),
        tax=tax,
        customer_id=id_of(session.get("customer")),
        invoice_id=id_of(session.get("invoice")),
        **told,
    )


def checkout_failed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    session = event["data"]["object"]
    intent = session.get("payment_intent")
    error = (intent.get("last_payment_error") or {}) if isinstance(intent, dict) else {}
    return [
        PaymentFailed(
            payment_id=id_of(intent),
            order_id=order_id_of(session),
            amount=money(session["amount_total"], session["currency"]),
            code=error.get("code"),
            message=error.get("message"),
            invoice_id=id_of(session.get("invoice")),
            **told,
        )
    ]


def checkout_expired(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    session = event["data"]["object"]
    return [CheckoutExpired(session_id=session["id"], order_id=order_id_of(session), **told)]


def intent_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    intent = event["data"]["object"]
    known = intent.get("metadata") or {}
    if known.get("kind") not in OUR_CHARGES:
        return [Ignored(why="Its checkout page or invoice tells the same.", **told)]
    shared = {"payment_id": intent["id"], "order_id": known.get(REFERENCE), "invoice_id": None}
    if event["type"] == "payment_intent.succeeded":
        net = money(intent["amount_received"], intent["currency"])
        return [PaymentSucceeded(net=net, tax=0, customer_id=id_of(intent.get("customer")), **shared, **told)]
    error = intent.get("last_payment_error") or {}
    waiting = event["type"] == "payment_intent.requires_action"
    return [
        PaymentFailed(
            amount=money(intent["amount"], intent["currency"]),
            code="authentication_required" if waiting else error.get("decline_code") or error.get("code"),
            message=error.get("message"),
            **shared,
            **told,
        )
    ]


def charge_succeeded(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    """Only the card is taken from it: the page, the intent or the invoice tells of the money."""
    charge = event["data"]["object"]
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    payment, last4 = id_of(charge.get("payment_intent")), card.get("last4")
    if payment is None or not last4:
        return [Ignored(why="It names no card.", **told)]
    paid = PaidByCard(
        payment_id=payment, customer_id=id_of(charge.get("customer")), brand=card.get("brand"), last4=last4, **told
    )
    return [paid]


def money(minor: int, currency: str) -> Money:
    return Money(_amount(minor), currency.lower())


def _amount(minor: object) -> int:
    """Checks before any arithmetic: a tax below zero would make a small payment look like a large one."""
    assert type(minor) is int, "an amount is a whole number: not text, not a fraction, not true"
    assert 0 <= minor <= _LARGEST, "an amount is never negative, nor larger than Stripe takes"
    return minor
