"""Payments: a PaymentIntent tried with a card or account until it succeeds, waits, or is refused."""

from __future__ import annotations

from typing import Any

from app.sandbox.blanks import Object
from app.sandbox.engine import charges, methods
from app.sandbox.engine.cards import NOT_CONFIRMED, UNAUTHENTICATED, BankAccount, Card, Decline
from app.sandbox.fault import Fault, refused
from app.sandbox.ids import random_text
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit

_LEAST, _MOST = 50, 99_999_999  # minor units, Stripe's limits for US dollars
_DOCS = "https://docs.stripe.com/error-codes/"


def check_amount(amount: int, param: str) -> None:
    """Raises a Fault for an amount, in minor units, outside Stripe's limits."""
    if amount < _LEAST:
        raise refused("Amount must be at least $0.50 usd", code="amount_too_small", param=param)
    if amount > _MOST:
        raise refused("Amount must be no more than $999,999.99", code="amount_too_large", param=param)


def open_intent(tx: Tx, *, amount: int, currency: str, **fields: Any) -> Object:
    """A PaymentIntent that nobody has tried to pay yet. Amount in minor units; raises a Fault outside the limits."""
    check_amount(amount, "amount")
    intent = tx.new("payment_intent", amount=amount, currency=currency, **fields)
    tx.change(intent, client_secret=f"{intent['id']}_secret_{random_text(25)}")
    emit(tx, "payment_intent.created", intent)
    return intent


def attempt(
    tx: Tx,
    intent: Object,
    method: Object,
    *,
    off_session: bool = False,
    authenticated: bool = False,
    waits: bool = False,
) -> None:
    """Try to pay: ends as succeeded, processing, requires_action, or requires_payment_method with its error.

    Off session a card that asks for 3-D Secure is refused, unless this payment `waits`, as those of invoices do.
    """
    used = methods.source_of(tx, method)
    if isinstance(used, BankAccount):
        _debit(tx, intent, method)
    elif _must_authenticate(tx, used, method, off_session) and not authenticated:
        if off_session and not waits:
            _refuse(tx, intent, method, UNAUTHENTICATED)
        else:
            _ask(tx, intent, method)
    elif used.decline is not None:
        _refuse(tx, intent, method, used.decline)
    else:
        _succeed(tx, intent, method, charges.succeeded(tx, intent, method, authenticated=authenticated))
        if intent["setup_future_usage"] == "off_session":
            tx.hide(method["id"], set_up=True)


def authentication_failed(tx: Tx, intent: Object) -> None:
    """The person did not pass 3-D Secure: no charge, and another method may be tried."""
    method = tx.get("payment_method", intent["payment_method"])
    _fail(tx, intent, method, NOT_CONFIRMED, charge=None)


def settle_debit(tx: Tx, intent: Object) -> bool:
    """The bank has paid. False when there was nothing to wait for any more."""
    if intent["status"] != "processing":
        return False
    charge = tx.get("charge", intent["latest_charge"])
    charges.settle(tx, charge, intent)
    _succeed(tx, intent, tx.get("payment_method", intent["payment_method"]), charge)
    return True


def fail_debit(tx: Tx, intent: Object, decline: Decline) -> bool:
    """The bank has refused. False when there was nothing to wait for any more."""
    if intent["status"] != "processing":
        return False
    charge = tx.get("charge", intent["latest_charge"])
    charges.bounce(tx, charge, decline)
    emit(tx, "charge.failed", charge)
    _fail(tx, intent, tx.get("payment_method", intent["payment_method"]), decline, charge)
    return True


def declined(intent: Object) -> Fault:
    """The 402 that tells the caller of a refusal; what happened stays."""
    error = intent["last_payment_error"]
    details = {name: value for name, value in error.items() if name not in ("type", "message", "doc_url")}
    return Fault(402, "card_error", error["message"], keeps=True, payment_intent=intent, **details)


def error_of(method: Object, decline: Decline, charge: str | None) -> Object:
    """A refusal as `last_payment_error` and `last_setup_error` hold it."""
    error: Object = {
        "advice_code": decline.advice if decline.decline_code else None,
        "charge": charge,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "doc_url": _DOCS + decline.code.replace("_", "-"),
        "message": decline.message,
        "network_decline_code": decline.network_code,
        "payment_method": method,
        "type": "card_error" if decline.decline_code else "invalid_request_error",
    }
    return {name: value for name, value in error.items() if value is not None}


def _must_authenticate(tx: Tx, card: Card, method: Object, off_session: bool) -> bool:
    if card.asks == "unless_saved":
        return not (off_session and tx.hidden(method["id"]).get("set_up"))
    return card.asks == "always"


def _succeed(tx: Tx, intent: Object, method: Object, charge: Object) -> None:
    done = {"amount_received": intent["amount"], "last_payment_error": None, "next_action": None, "processing": None}
    tx.change(intent, status="succeeded", payment_method=method["id"], latest_charge=charge["id"], **done)
    emit(tx, "charge.succeeded", charge)
    emit(tx, "payment_intent.succeeded", intent)


def _debit(tx: Tx, intent: Object, method: Object) -> None:
    charge = charges.pending(tx, intent, method)
    tx.change(
        intent, status="processing", payment_method=method["id"], latest_charge=charge["id"], last_payment_error=None
    )
    tx.at(tx.now + tx.config.debit_after, "bank_debit", intent["id"])
    emit(tx, "charge.pending", charge)
    emit(tx, "payment_intent.processing", intent)


def _ask(tx: Tx, intent: Object, method: Object) -> None:
    action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    tx.change(
        intent, status="requires_action", payment_method=method["id"], next_action=action, last_payment_error=None
    )
    emit(tx, "payment_intent.requires_action", intent)


def _refuse(tx: Tx, intent: Object, method: Object, decline: Decline) -> None:
    charge = charges.failed(tx, intent, method, decline)
    emit(tx, "charge.failed", charge)
    _fail(tx, intent, method, decline, charge)


def _fail(tx: Tx, intent: Object, method: Object, decline: Decline, charge: Object | None) -> None:
    error = error_of(method, decline, charge["id"] if charge else None)
    latest = charge["id"] if charge else intent["latest_charge"]
    tx.change(
        intent,
        status="requires_payment_method",
        payment_method=None,
        latest_charge=latest,
        last_payment_error=error,
        next_action=None,
    )
    emit(tx, "payment_intent.payment_failed", intent)
