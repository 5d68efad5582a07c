"""Polar's checkout: what we ask for, what a page says, and the event a lost webhook would have brought."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.providers.bodies import id_of
from app.providers.errors import InvalidRequest, NotConfigured, NotFound
from app.providers.polar import products
from app.providers.polar.body import maybe_id, maybe_instant, metadata, verified, written
from app.providers.polar.connection import Connection, Json
from app.providers.values import CheckoutRequest, CheckoutSession, DiscountRef, Heard

REFERENCE = "intent_id"  # our order's id under the name it travels by; Polar copies it to the order and subscription
KINDS = {"topup": "wallet_topup", "credit_pack": "credit_pack", "subscription": "subscription"}
_STATES: dict[str, Any] = {"succeeded": "complete", "failed": "expired", "expired": "expired"}


def parameters(polar: Connection, request: CheckoutRequest) -> Json:
    """The body for POST /v1/checkouts/; looks the product up where a custom amount needs one."""
    if request.kind == "save_card":
        raise InvalidRequest("Polar saves cards on its own portal only.", code="save_card")
    told = {
        REFERENCE: request.order_id,
        "kind": KINDS[request.kind],
        "customer_id": request.customer.customer_id,
        **request.metadata,
    }
    shared = {
        "customer_id": request.customer.id,
        "success_url": request.success_url,
        "return_url": request.cancel_url,
        "allow_discount_codes": request.allow_codes and request.discount is None,
        "metadata": told,
    }
    if request.discount is not None:
        shared["discount_id"] = request.discount.id
    if request.kind == "subscription":
        assert request.plan is not None, "a subscription has a plan"
        return {**shared, "products": [request.plan.provider_price_id]}
    assert request.amount is not None, "a purchase has an amount"
    product = request.product_id or products.for_purchase(polar, request.kind, request.amount.currency)
    return {**shared, "products": [product], "prices": {product: [products.fixed(request.amount)]}}


def opened(polar: Connection, request: CheckoutRequest) -> Json:
    """The page, made. Raises NotConfigured for a product that is not there (any more)."""
    wanted = parameters(polar, request)
    try:
        return polar.post("/v1/checkouts/", wanted)
    except NotFound as gone:
        if "customer_id" in str(gone):
            raise
        sentence = f"Polar has no product {wanted['products'][0]}, which {request.title} is sold as."
        raise NotConfigured(sentence, code="product_gone", request_id=gone.request_id) from gone


def session_of(page: Json) -> CheckoutSession:
    """A page as our value. An unknown state counts as open: it will be asked about again."""
    state = page["status"]
    discount = maybe_id(page.get("discount_id"))
    return CheckoutSession(
        id=id_of(page["id"]),
        url=page.get("url") if state == "open" else None,
        status=_STATES.get(state, "open"),
        paid=state == "succeeded",
        order_id=order_id_of(page),
        payment_id=None,  # the order it becomes; only the order names the page
        subscription_id=maybe_id(page.get("subscription_id")),
        expires_at=maybe_instant(page.get("expires_at")),
        discount=DiscountRef(discount) if discount else None,
    )


def order_id_of(thing: Json) -> str | None:
    """Our order, as our own server named it; a link of the same organization may carry other metadata."""
    return metadata(thing).get(REFERENCE) or None


def missed(polar: Connection, page: Json, *, at: datetime, livemode: bool) -> Heard | None:
    """What this page would have told by now; None while nothing happened."""
    word, kind, data = page["status"], "checkout.updated", page
    if word == "expired":
        kind = "checkout.expired"
    elif word == "succeeded":
        bought = polar.get("/v1/orders/", checkout_id=page["id"], limit=10)["items"]
        paid = next((order for order in bought if order["paid"]), None)
        if paid is not None:
            word, kind, data = "paid", "order.paid", paid
    elif word != "failed":
        return None
    body = written(kind, data, at=at)
    event = {"type": kind, "timestamp": at.isoformat(), "data": data}
    return Heard(verified(event, f"poll:{page['id']}:{word}", livemode=livemode), body)
