"""/v1/disputes."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours
from app.sandbox.api.lists import listing, paging
from app.sandbox.blanks import Object
from app.sandbox.engine import disputes


@honours()
def retrieve_dispute(call: Call) -> Object:
    """GET /v1/disputes/{dispute}."""
    return call.tx.get("dispute", call.ids["dispute"])


@honours(*paging("charge", "payment_intent", "created"))
def list_disputes(call: Call) -> Object:
    """GET /v1/disputes."""
    return listing(call, "dispute", "/v1/disputes", **call.given("charge", "payment_intent"))


@honours()
def close_dispute(call: Call) -> Object:
    """POST /v1/disputes/{dispute}/close: it is accepted, and so lost."""
    return disputes.lose(call.tx, call.tx.get("dispute", call.ids["dispute"]))


ENDPOINTS: Endpoints = {
    ("get", "/v1/disputes"): list_disputes,
    ("get", "/v1/disputes/{dispute}"): retrieve_dispute,
    ("post", "/v1/disputes/{dispute}/close"): close_dispute,
}
