"""Setups: a card saved for later charges, without taking money now."""

from __future__ import annotations

from typing import Any

from app.sandbox.blanks import Object
from app.sandbox.engine import methods
from app.sandbox.engine.cards import Card, Decline
from app.sandbox.engine.payments import error_of
from app.sandbox.fault import Fault
from app.sandbox.ids import random_text
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit

_NOT_PASSED = Decline(
    "setup_intent_authentication_failure",
    None,
    "The latest attempt to set up the payment method has failed because authentication failed.",
)


def open_setup(tx: Tx, *, customer: str | None, **fields: Any) -> Object:
    """A SetupIntent that waits for a card."""
    setup = tx.new("setup_intent", customer=customer, **fields)
    tx.change(setup, client_secret=f"{setup['id']}_secret_{random_text(25)}")
    emit(tx, "setup_intent.created", setup)
    return setup


def attempt(tx: Tx, setup: Object, method: Object, *, authenticated: bool = False) -> None:
    """Try to save. The setup ends as succeeded, requires_action, or requires_payment_method with its error."""
    used = methods.source_of(tx, method)
    if isinstance(used, Card) and used.asks != "never" and not authenticated:
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
        tx.change(
            setup, status="requires_action", payment_method=method["id"], next_action=action, last_setup_error=None
        )
        emit(tx, "setup_intent.requires_action", setup)
    elif isinstance(used, Card) and used.decline is not None and not used.saves:
        _fail(tx, setup, method, used.decline)
    else:
        tx.change(setup, status="succeeded", payment_method=method["id"], next_action=None, last_setup_error=None)
        tx.hide(method["id"], set_up=True)
        if setup["customer"]:
            methods.attach(tx, method, setup["customer"])
        emit(tx, "setup_intent.succeeded", setup)


def authentication_failed(tx: Tx, setup: Object) -> None:
    """The person did not pass 3-D Secure: nothing is saved, and another card may be tried."""
    _fail(tx, setup, tx.get("payment_method", setup["payment_method"]), _NOT_PASSED)


def declined(setup: Object) -> Fault:
    """The 402 that tells the caller of a refusal; what happened stays."""
    error = setup["last_setup_error"]
    details = {name: value for name, value in error.items() if name not in ("type", "message", "doc_url")}
    return Fault(402, "card_error", error["message"], keeps=True, setup_intent=setup, **details)


def _fail(tx: Tx, setup: Object, method: Object, decline: Decline) -> None:
    error = error_of(method, decline, None)
    tx.change(setup, status="requires_payment_method", payment_method=None, last_setup_error=error, next_action=None)
    emit(tx, "setup_intent.setup_failed", setup)
