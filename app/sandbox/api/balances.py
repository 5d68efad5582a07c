"""/v1/customers/{customer}/balance_transactions and /v1/tax_rates."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours, merged_metadata
from app.sandbox.api.lists import listing, paging
from app.sandbox.blanks import Object
from app.sandbox.engine import balances
from app.sandbox.fault import refused


@honours("amount", "currency", "description", "metadata")
def create(call: Call) -> Object:
    """POST /v1/customers/{customer}/balance_transactions. A negative amount is a credit."""
    customer = call.tx.get("customer", call.ids["customer"])
    about = {**call.given("description"), "metadata": merged_metadata({}, call.params.get("metadata"))}
    entry = balances.move(call.tx, customer, call.params["amount"], "adjustment", **about)
    if entry is None:
        raise refused("Amount must not be zero.", param="amount")
    return entry


@honours(*paging("created", "invoice"))
def index(call: Call) -> Object:
    """GET /v1/customers/{customer}/balance_transactions."""
    customer = call.tx.get("customer", call.ids["customer"])
    url = f"/v1/customers/{customer['id']}/balance_transactions"
    filters = {"customer": customer["id"], **call.given("invoice")}
    return listing(call, "customer_balance_transaction", url, **filters)


@honours()
def retrieve_rate(call: Call) -> Object:
    """GET /v1/tax_rates/{tax_rate}: there is one, that of the configuration."""
    return call.tx.get("tax_rate", call.ids["tax_rate"])


ENDPOINTS: Endpoints = {
    ("post", "/v1/customers/{customer}/balance_transactions"): create,
    ("get", "/v1/customers/{customer}/balance_transactions"): index,
    ("get", "/v1/tax_rates/{tax_rate}"): retrieve_rate,
}
