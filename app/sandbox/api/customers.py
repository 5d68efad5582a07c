"""/v1/customers."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours, merged_metadata, unset
from app.sandbox.api.lists import listing, paging
from app.sandbox.blanks import Object
from app.sandbox.fault import missing, refused
from app.sandbox.webhooks.events import emit

_PLAIN = (
    "description",
    "email",
    "name",
    "phone",
    "tax_exempt",
    "preferred_locales",
    "invoice_prefix",
    "next_invoice_sequence",
    "shipping",
)
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


@honours(*_PLAIN, "address", "metadata", "invoice_settings", "tax")
def create(call: Call) -> Object:
    """POST /v1/customers."""
    customer = call.tx.new("customer", **_fields(call, {}))
    emit(call.tx, "customer.created", customer)
    return customer


@honours()
def retrieve(call: Call) -> Object:
    """GET /v1/customers/{customer}."""
    return call.tx.get("customer", call.ids["customer"])


@honours(*_PLAIN, "address", "metadata", "invoice_settings", "tax")
def update(call: Call) -> Object:
    """POST /v1/customers/{customer}."""
    customer = call.tx.get("customer", call.ids["customer"])
    before = call.tx.change(customer, **_fields(call, customer))
    if before:
        emit(call.tx, "customer.updated", customer, before)
    return customer


@honours(*paging("email", "created"))
def index(call: Call) -> Object:
    """GET /v1/customers."""
    return listing(call, "customer", "/v1/customers", email=call.params.get("email"))


@honours(*paging("type"))
def payment_methods(call: Call) -> Object:
    """GET /v1/customers/{customer}/payment_methods."""
    customer = call.tx.get("customer", call.ids["customer"])
    url = f"/v1/customers/{customer['id']}/payment_methods"
    return listing(call, "payment_method", url, customer=customer["id"], type=call.params.get("type"))


def _fields(call: Call, old: Object) -> Object:
    fields = {name: unset(value) for name, value in call.given(*_PLAIN).items()}
    if "address" in call.params:
        address = unset(call.params["address"])
        fields["address"] = address and {part: address.get(part) for part in _ADDRESS}
    if "metadata" in call.params:
        fields["metadata"] = merged_metadata(old.get("metadata", {}), call.params["metadata"])
    if "invoice_settings" in call.params:
        fields["invoice_settings"] = _invoice_settings(call, old)
    return fields


def _invoice_settings(call: Call, old: Object) -> Object:
    sent = {name: unset(value) for name, value in call.params["invoice_settings"].items()}
    resting = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
    method = sent.get("default_payment_method")
    if method:
        found = call.tx.find(method)
        if found is None or found["object"] != "payment_method":
            raise missing("payment_method", method, "invoice_settings[default_payment_method]")
        if not old or found["customer"] != old["id"]:
            words = f"The customer does not have a payment method with the ID {method}. It must be attached first."
            raise refused(words, code="resource_missing", param="invoice_settings[default_payment_method]")
    return {**resting, **old.get("invoice_settings", {}), **sent}


ENDPOINTS: Endpoints = {
    ("post", "/v1/customers"): create,
    ("get", "/v1/customers"): index,
    ("get", "/v1/customers/{customer}"): retrieve,
    ("post", "/v1/customers/{customer}"): update,
    ("get", "/v1/customers/{customer}/payment_methods"): payment_methods,
}
