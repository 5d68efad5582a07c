"""Charges: one attempt to take money by one payment method, as Stripe describes it."""

from __future__ import annotations

from typing import Any

from app.sandbox.blanks import Object
from app.sandbox.engine.cards import Decline
from app.sandbox.engine.methods import source_of
from app.sandbox.tx import Tx

_CARD_ONLY = (
    "brand",
    "checks",
    "country",
    "exp_month",
    "exp_year",
    "fingerprint",
    "funding",
    "last4",
    "regulated_status",
    "wallet",
)


def succeeded(tx: Tx, intent: Object, method: Object, *, authenticated: bool) -> Object:
    """The money is taken."""
    return _charge(tx, intent, method, authenticated, status="succeeded", **_taken(intent), outcome=_approved())


def pending(tx: Tx, intent: Object, method: Object) -> Object:
    """A bank debit that is on its way."""
    return _charge(tx, intent, method, authenticated=False, status="pending", outcome=_approved())


def failed(tx: Tx, intent: Object, method: Object, decline: Decline, *, authenticated: bool = False) -> Object:
    """The bank said no."""
    refusal = {"failure_code": decline.code, "failure_message": decline.message, "outcome": _refused(decline)}
    return _charge(tx, intent, method, authenticated, status="failed", **refusal)


def settle(tx: Tx, charge: Object, intent: Object) -> None:
    """A pending debit has arrived."""
    tx.change(charge, status="succeeded", **_taken(intent))


def bounce(tx: Tx, charge: Object, decline: Decline) -> None:
    """A pending debit was refused."""
    tx.change(
        charge, status="failed", failure_code=decline.code, failure_message=decline.message, outcome=_refused(decline)
    )


def _charge(tx: Tx, intent: Object, method: Object, authenticated: bool, **state: Any) -> Object:
    charge = tx.new(
        "charge",
        amount=intent["amount"],
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        metadata=intent["metadata"],
        payment_intent=intent["id"],
        payment_method=method["id"],
        billing_details=method["billing_details"],
        payment_method_details=_details(tx, intent, method, authenticated),
        receipt_email=intent["receipt_email"],
        **state,
    )
    if charge["status"] == "succeeded":
        tx.change(charge, receipt_url=f"{tx.root}/r/{charge['id']}")
    return charge


def _taken(intent: Object) -> Object:
    return {"amount_captured": intent["amount"], "captured": True, "paid": True}


def _details(tx: Tx, intent: Object, method: Object, authenticated: bool) -> Object:
    if method["type"] != "card":
        known = {
            name: value
            for name, value in method["us_bank_account"].items()
            if name not in ("networks", "status_details")
        }
        return {"type": method["type"], method["type"]: known}
    number = source_of(tx, method).number
    card = {name: method["card"][name] for name in _CARD_ONLY}
    secured = {"authentication_flow": "challenge", "result": "authenticated", "result_reason": None, "version": "2.2.0"}
    return {
        "type": "card",
        "card": {
            **card,
            "amount_authorized": intent["amount"],
            "authorization_code": None,
            "extended_authorization": {"status": "disabled"},
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": method["card"]["brand"],
            "network_token": {"used": False},
            "network_transaction_id": number[::-1],
            "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
            "three_d_secure": secured if authenticated else None,
        },
    }


def _approved() -> Object:
    return _outcome("approved_by_network", "authorized", "Payment complete.")


def _refused(decline: Decline) -> Object:
    words = "The bank did not return any further details with this decline."
    outcome = _outcome("declined_by_network", "issuer_declined", words)
    return {
        **outcome,
        "advice_code": decline.advice,
        "network_decline_code": decline.network_code,
        "reason": decline.decline_code,
    }


def _outcome(network: str, kind: str, words: str) -> Object:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network,
        "reason": None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": words,
        "type": kind,
    }
