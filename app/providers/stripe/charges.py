"""What came of charging a card: Stripe's payment intents, and its refusals, as our results."""

from __future__ import annotations

from typing import Any

from app.providers.stripe.connection import CardRefused, Json
from app.providers.values import ChargeResult

_STATES: dict[str, Any] = {
    "succeeded": "succeeded",
    "processing": "processing",
    "requires_action": "requires_action",
    "requires_payment_method": "failed",
    "canceled": "failed",
}
_ADVICE: dict[str, Any] = {
    "try_again_later": "later",
    "do_not_try_again": "never",
    "confirm_card_data": "new_card",
}
# Stripe's words for "the customer must confirm this", of a charge and of an invoice.
_NEEDS_PERSON = (
    "authentication_required",
    "invoice_payment_intent_requires_action",
    "subscription_payment_intent_requires_action",
)


def charge_of(intent: Json) -> ChargeResult:
    """A payment intent as it is now; why it failed, if it did."""
    error: Json = intent.get("last_payment_error") or {}
    state = _STATES.get(intent["status"], "processing")
    if state == "failed" and needs_person(error.get("code")):
        state = "requires_action"
    if state not in ("failed", "requires_action"):
        return ChargeResult(intent["id"], state)
    return _failed(intent["id"], state, error, intent.get("client_secret"))


def refused_charge(refused: CardRefused) -> ChargeResult:
    """A decline of a payment that exists. Raises the decline itself if Stripe made no payment."""
    intent: Json = refused.told.get("payment_intent") or {}
    if not intent.get("id"):
        raise refused
    state = "requires_action" if needs_person(refused.code) else "failed"
    told = {"message": str(refused), **refused.told, "code": refused.code}
    return _failed(intent["id"], state, told, intent.get("client_secret"))


def needs_person(code: str | None) -> bool:
    """Whether a refusal's code says that the card is good once its holder confirms."""
    return code in _NEEDS_PERSON


def _failed(payment_id: str, state: Any, error: Json, secret: str | None) -> ChargeResult:
    return ChargeResult(
        payment_id,
        state,
        decline_code=error.get("decline_code") or error.get("code"),
        message=error.get("message"),
        retry_advice=_ADVICE.get(str(error.get("advice_code"))),
        action_secret=secret if state == "requires_action" else None,
    )
