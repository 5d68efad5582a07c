"""Stripe's products and prices for our plans: a product for each plan, a price for each set of terms, found by name."""

from __future__ import annotations

from app.money import Money
from app.providers.errors import InvalidRequest, NotFound
from app.providers.stripe.connection import Connection, Json
from app.providers.values import Interval


def ensure_price(
    stripe: Connection, *, plan: str, version: int, interval: Interval, price: Money, name: str, key: str
) -> str:
    """The id of the price with these terms, made where there is none."""
    lookup = lookup_key(plan, version, interval, price)
    found = stripe.call(lambda v1: v1.prices.list({"lookup_keys": [lookup], "active": True, "limit": 1}))["data"]
    if found:
        return str(found[0]["id"])
    wanted = {
        "product": ensure_product(stripe, plan, name, key=key),
        "currency": price.currency,
        "unit_amount": price.minor,
        "recurring": {"interval": interval},
        "tax_behavior": "exclusive",
        "lookup_key": lookup,
        "transfer_lookup_key": True,  # from one that was archived, or made by another process this very moment
        "nickname": f"{name} {version}",
        "metadata": {"plan": plan, "version": str(version)},
    }
    made = stripe.call(lambda v1: v1.prices.create(wanted, {"idempotency_key": f"{key}:{lookup}"}))
    return str(made["id"])


def lookup_key(plan: str, version: int, interval: Interval, price: Money) -> str:
    """All terms are in the name, so that a customer's own price is another one."""
    return f"purser:{plan}:v{version}:{interval}:{price.minor}{price.currency}"


def product_id(plan: str) -> str:
    """Of the plan, whatever its version: a coupon for the plan is then a coupon for its later versions too."""
    return f"purser_{plan}"


def ensure_product(stripe: Connection, plan: str, name: str, *, key: str) -> str:
    """The plan's product, under the name the plan has now: it stands on invoices."""
    wanted = product_id(plan)
    known = _product(stripe, wanted)
    if known is None:
        try:
            known = _make(stripe, wanted, plan, name, key=key)
        except InvalidRequest:
            known = _product(stripe, wanted)  # another process was faster
            if known is None:
                raise
    if known["name"] != name:
        stripe.call(lambda v1: v1.products.update(wanted, {"name": name}))
    return wanted


def _product(stripe: Connection, wanted: str) -> Json | None:
    try:
        return stripe.call(lambda v1: v1.products.retrieve(wanted))
    except NotFound:
        return None


def _make(stripe: Connection, wanted: str, plan: str, name: str, *, key: str) -> Json:
    product = {"id": wanted, "name": name, "metadata": {"plan": plan}}
    return stripe.call(lambda v1: v1.products.create(product, {"idempotency_key": f"{key}:{wanted}:{name}"[:255]}))
