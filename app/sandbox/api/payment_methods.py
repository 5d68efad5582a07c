"""/v1/payment_methods. The fixed ids of Stripe's documents, such as pm_card_visa, become a new card each time."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours
from app.sandbox.api.lists import listing, paging
from app.sandbox.blanks import Object
from app.sandbox.engine import customer_cards, methods, payments
from app.sandbox.engine.cards import Card, source_of_alias
from app.sandbox.fault import Fault, not_built, refused
from app.sandbox.tx import Tx


def named(tx: Tx, identifier: str, param: str = "payment_method") -> Object:
    """The payment method of an id, or a new one for a fixed test id. Raises resource_missing otherwise."""
    if found := source_of_alias(identifier):
        return methods.make(tx, found)
    return tx.get("payment_method", identifier, param)


@honours()
def retrieve(call: Call) -> Object:
    """GET /v1/payment_methods/{payment_method}."""
    return call.tx.get("payment_method", call.ids["payment_method"])


@honours(*paging("customer", "type"))
def index(call: Call) -> Object:
    """GET /v1/payment_methods."""
    if "customer" not in call.params:
        raise not_built("A list of payment methods without a customer")
    return listing(call, "payment_method", "/v1/payment_methods", **call.given("customer", "type"))


@honours("customer")
def attach(call: Call) -> Object:
    """POST /v1/payment_methods/{payment_method}/attach."""
    method = named(call.tx, call.ids["payment_method"], "id")
    if "customer" not in call.params:
        raise refused("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = call.tx.get("customer", call.params["customer"], "customer")
    if call.tx.hidden(method["id"]).get("detached"):
        raise refused("This PaymentMethod was detached from a Customer, and may not be used again.")
    if method["customer"] not in (None, customer["id"]):
        raise refused("The payment method you provided has already been attached to a customer.")
    used = methods.source_of(call.tx, method)
    if isinstance(used, Card) and used.decline is not None and not used.saves:
        error = payments.error_of(method, used.decline, None)
        details = {
            name: value for name, value in error.items() if name not in ("type", "message", "doc_url", "payment_method")
        }
        raise Fault(402, "card_error", used.decline.message, **details)
    methods.attach(call.tx, method, customer["id"])
    return method


@honours()
def detach(call: Call) -> Object:
    """POST /v1/payment_methods/{payment_method}/detach."""
    method = call.tx.get("payment_method", call.ids["payment_method"])
    if method["customer"] is None:
        raise refused("The payment method you provided is not attached to a customer so detachment is impossible.")
    customer_cards.forget_card(call.tx, method)
    return method


ENDPOINTS: Endpoints = {
    ("get", "/v1/payment_methods"): index,
    ("get", "/v1/payment_methods/{payment_method}"): retrieve,
    ("post", "/v1/payment_methods/{payment_method}/attach"): attach,
    ("post", "/v1/payment_methods/{payment_method}/detach"): detach,
}
