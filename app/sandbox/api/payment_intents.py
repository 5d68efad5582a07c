"""/v1/payment_intents."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours, merged_metadata
from app.sandbox.api.lists import listing, paging
from app.sandbox.api.payment_methods import named
from app.sandbox.blanks import Object
from app.sandbox.engine import methods, payments
from app.sandbox.fault import refused
from app.sandbox.webhooks.events import emit

_PLAIN = ("description", "receipt_email", "setup_future_usage", "statement_descriptor_suffix")
_ENDED = ("succeeded", "canceled")


@honours(
    *_PLAIN,
    "amount",
    "currency",
    "customer",
    "payment_method",
    "off_session",
    "confirm",
    "metadata",
    "automatic_payment_methods",
    "error_on_requires_action",
    "return_url",
    "use_stripe_sdk",
)
def create(call: Call) -> Object:
    """POST /v1/payment_intents. Declines answer 402 and the intent stays, waiting for another method."""
    tx, params = call.tx, call.params
    if params.get("off_session") and not params.get("confirm"):
        raise refused("You cannot set `off_session` unless `confirm` is set to `true`.", param="off_session")
    customer = tx.get("customer", params["customer"], "customer")["id"] if "customer" in params else None
    method = _method(call, customer)
    automatic = params.get("automatic_payment_methods", {"enabled": True})
    intent = payments.open_intent(
        tx,
        amount=params["amount"],
        currency=params["currency"].lower(),
        customer=customer,
        metadata=merged_metadata({}, params.get("metadata")),
        automatic_payment_methods={"allow_redirects": "always", **automatic},
        **call.given(*_PLAIN),
    )
    if method is not None:
        tx.change(intent, payment_method=method["id"], status="requires_confirmation")
    if params.get("confirm"):
        _confirm(call, intent, method)
    return intent


@honours("payment_method", "off_session", "error_on_requires_action", "return_url", "use_stripe_sdk")
def confirm(call: Call) -> Object:
    """POST /v1/payment_intents/{intent}/confirm."""
    intent = call.tx.get("payment_intent", call.ids["intent"], "intent")
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        words = f"This PaymentIntent's status is {intent['status']}, so it cannot be confirmed."
        raise refused(words, code="payment_intent_unexpected_state")
    method = _method(call, intent["customer"])
    if method is None and intent["payment_method"]:
        method = call.tx.get("payment_method", intent["payment_method"])
    _confirm(call, intent, method)
    return intent


@honours("cancellation_reason")
def cancel(call: Call) -> Object:
    """POST /v1/payment_intents/{intent}/cancel."""
    intent = call.tx.get("payment_intent", call.ids["intent"], "intent")
    if intent["status"] in (*_ENDED, "processing"):
        words = f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}."
        raise refused(words, code="payment_intent_unexpected_state")
    reason = call.params.get("cancellation_reason")
    call.tx.change(intent, status="canceled", canceled_at=call.tx.now, cancellation_reason=reason, next_action=None)
    emit(call.tx, "payment_intent.canceled", intent)
    return intent


@honours()
def retrieve(call: Call) -> Object:
    """GET /v1/payment_intents/{intent}."""
    return call.tx.get("payment_intent", call.ids["intent"], "intent")


@honours(*paging("customer", "created"))
def index(call: Call) -> Object:
    """GET /v1/payment_intents."""
    return listing(call, "payment_intent", "/v1/payment_intents", customer=call.params.get("customer"))


def _method(call: Call, customer: str | None) -> Object | None:
    if "payment_method" not in call.params:
        return None
    method = named(call.tx, call.params["payment_method"])
    if method["customer"] not in (None, customer):
        words = f"The PaymentMethod {method['id']} does not belong to the Customer you supplied."
        raise refused(words, param="payment_method")
    stranger = customer and method["customer"] is None and method["id"] == call.params["payment_method"]
    if stranger and call.params.get("off_session"):
        words = "The PaymentMethod must be attached to the Customer to be charged off-session."
        raise refused(words, param="payment_method")
    return method


def _confirm(call: Call, intent: Object, method: Object | None) -> None:
    if method is None:
        words = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise refused(words, code="payment_intent_unexpected_state")
    off_session = bool(call.params.get("off_session"))
    payments.attempt(call.tx, intent, method, off_session=off_session)
    if intent["status"] == "requires_action" and call.params.get("error_on_requires_action"):
        payments.authentication_failed(call.tx, intent)
    if intent["status"] == "requires_payment_method":
        raise payments.declined(intent)
    if intent["setup_future_usage"] and intent["customer"] and intent["status"] == "succeeded":
        methods.attach(call.tx, method, intent["customer"])


ENDPOINTS: Endpoints = {
    ("post", "/v1/payment_intents"): create,
    ("get", "/v1/payment_intents"): index,
    ("get", "/v1/payment_intents/{intent}"): retrieve,
    ("post", "/v1/payment_intents/{intent}/confirm"): confirm,
    ("post", "/v1/payment_intents/{intent}/cancel"): cancel,
}
