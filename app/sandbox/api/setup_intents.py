"""/v1/setup_intents."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours, merged_metadata
from app.sandbox.api.payment_methods import named
from app.sandbox.blanks import Object
from app.sandbox.engine import setups
from app.sandbox.fault import refused


@honours(
    "customer",
    "usage",
    "automatic_payment_methods",
    "metadata",
    "description",
    "payment_method",
    "confirm",
    "return_url",
)
def create(call: Call) -> Object:
    """POST /v1/setup_intents."""
    params = call.params
    customer = call.tx.get("customer", params["customer"], "customer")["id"] if "customer" in params else None
    setup = setups.open_setup(
        call.tx,
        customer=customer,
        metadata=merged_metadata({}, params.get("metadata")),
        automatic_payment_methods={
            "allow_redirects": "always",
            **params.get("automatic_payment_methods", {"enabled": True}),
        },
        **{"usage": "off_session", **call.given("usage", "description")},
    )
    if params.get("confirm"):
        _confirm(call, setup)
    return setup


@honours("payment_method", "return_url")
def confirm(call: Call) -> Object:
    """POST /v1/setup_intents/{intent}/confirm."""
    setup = call.tx.get("setup_intent", call.ids["intent"], "intent")
    _confirm(call, setup)
    return setup


@honours("client_secret")
def retrieve(call: Call) -> Object:
    """GET /v1/setup_intents/{intent}."""
    return call.tx.get("setup_intent", call.ids["intent"], "intent")


def _confirm(call: Call, setup: Object) -> None:
    if "payment_method" not in call.params:
        raise refused(
            "You cannot confirm this SetupIntent because it's missing a payment method.",
            code="setup_intent_unexpected_state",
        )
    if setup["status"] in ("succeeded", "canceled"):
        raise refused(f"This SetupIntent has a status of {setup['status']}.", code="setup_intent_unexpected_state")
    setups.attempt(call.tx, setup, named(call.tx, call.params["payment_method"]))
    if setup["status"] == "requires_payment_method":
        raise setups.declined(setup)


ENDPOINTS: Endpoints = {
    ("post", "/v1/setup_intents"): create,
    ("get", "/v1/setup_intents/{intent}"): retrieve,
    ("post", "/v1/setup_intents/{intent}/confirm"): confirm,
}
