"""/v1/charges and /v1/refunds."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours, merged_metadata
from app.sandbox.api.lists import listing, paging
from app.sandbox.blanks import Object
from app.sandbox.engine import refunds
from app.sandbox.fault import refused


@honours()
def retrieve_charge(call: Call) -> Object:
    """GET /v1/charges/{charge}."""
    return call.tx.get("charge", call.ids["charge"])


@honours(*paging("customer", "payment_intent", "created"))
def list_charges(call: Call) -> Object:
    """GET /v1/charges."""
    return listing(call, "charge", "/v1/charges", **call.given("customer", "payment_intent"))


@honours("payment_intent", "charge", "amount", "reason", "metadata")
def create_refund(call: Call) -> Object:
    """POST /v1/refunds."""
    params = call.params
    if ("charge" in params) == ("payment_intent" in params):
        raise refused(
            "One of the following params should be provided: `payment_intent` or `charge`.", code="parameter_missing"
        )
    if "charge" in params:
        charge = call.tx.get("charge", params["charge"], "charge")
    else:
        intent = call.tx.get("payment_intent", params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            words = f"The PaymentIntent {intent['id']} has no successful charge to refund."
            raise refused(words, param="payment_intent")
        charge = call.tx.get("charge", intent["latest_charge"])
    metadata = merged_metadata({}, params.get("metadata"))
    return refunds.refund(call.tx, charge, params.get("amount"), reason=params.get("reason"), metadata=metadata)


@honours()
def retrieve_refund(call: Call) -> Object:
    """GET /v1/refunds/{refund}."""
    return call.tx.get("refund", call.ids["refund"])


@honours(*paging("charge", "payment_intent", "created"))
def list_refunds(call: Call) -> Object:
    """GET /v1/refunds."""
    return listing(call, "refund", "/v1/refunds", **call.given("charge", "payment_intent"))


ENDPOINTS: Endpoints = {
    ("get", "/v1/charges"): list_charges,
    ("get", "/v1/charges/{charge}"): retrieve_charge,
    ("post", "/v1/refunds"): create_refund,
    ("get", "/v1/refunds"): list_refunds,
    ("get", "/v1/refunds/{refund}"): retrieve_refund,
}
