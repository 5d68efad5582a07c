"""Cards that Stripe keeps for our customers: whose they are, and which one is charged unless another is named."""

from __future__ import annotations

from app.providers.errors import NotFound
from app.providers.stripe.body import id_of
from app.providers.stripe.connection import Connection, Json
from app.providers.values import Card


def assert_own(stripe: Connection, customer_id: str, card_id: str) -> None:
    """Raises NotFound for a card that is not this customer's (`customer_id` is Stripe's)."""
    # The id comes from a request: without this, one customer could use or remove another's card.
    method = stripe.call(lambda v1: v1.payment_methods.retrieve(card_id))
    if id_of(method.get("customer")) != customer_id:
        raise NotFound("There is no such card.", code="resource_missing")


def default_of(stripe: Connection, customer_id: str) -> str | None:
    known = stripe.call(lambda v1: v1.customers.retrieve(customer_id))
    return id_of((known.get("invoice_settings") or {}).get("default_payment_method"))


def card_of(method: Json, default: str | None) -> Card:
    card = method["card"]
    return Card(
        method["id"], card["brand"], card["last4"], card["exp_month"], card["exp_year"], method["id"] == default
    )
