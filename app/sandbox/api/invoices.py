"""/v1/invoices and /v1/invoice_payments: the receipts of one-time checkouts."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours
from app.sandbox.api.lists import listing, paging, whole
from app.sandbox.blanks import Object


@honours()
def retrieve(call: Call) -> Object:
    """GET /v1/invoices/{invoice}."""
    return call.tx.get("invoice", call.ids["invoice"])


@honours(*paging("customer", "status", "created"))
def index(call: Call) -> Object:
    """GET /v1/invoices."""
    return listing(call, "invoice", "/v1/invoices", **call.given("customer", "status"))


@honours(*paging())
def lines(call: Call) -> Object:
    """GET /v1/invoices/{invoice}/lines."""
    invoice = call.tx.get("invoice", call.ids["invoice"])
    return whole(call, invoice["lines"]["data"], f"/v1/invoices/{invoice['id']}/lines")


@honours()
def retrieve_payment(call: Call) -> Object:
    """GET /v1/invoice_payments/{invoice_payment}."""
    return call.tx.get("invoice_payment", call.ids["invoice_payment"])


@honours(*paging("invoice", "status", "payment", "created"))
def list_payments(call: Call) -> Object:
    """GET /v1/invoice_payments."""
    intent = call.params.get("payment", {}).get("payment_intent")
    return listing(
        call,
        "invoice_payment",
        "/v1/invoice_payments",
        payment__payment_intent=intent,
        **call.given("invoice", "status"),
    )


ENDPOINTS: Endpoints = {
    ("get", "/v1/invoices"): index,
    ("get", "/v1/invoices/{invoice}"): retrieve,
    ("get", "/v1/invoices/{invoice}/lines"): lines,
    ("get", "/v1/invoice_payments"): list_payments,
    ("get", "/v1/invoice_payments/{invoice_payment}"): retrieve_payment,
}
