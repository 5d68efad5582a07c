"""Creem's checkout: what we ask for, what a page says, and the event a lost webhook would have brought."""

from __future__ import annotations

from datetime import datetime

from app.providers.creem.body import id_of, maybe_id, metadata, parsed, verified, written
from app.providers.creem.connection import Connection, Json
from app.providers.errors import InvalidRequest, NotConfigured
from app.providers.values import CheckoutRequest, CheckoutSession, Heard

REFERENCE = "intent_id"  # our order's id under the name it travels by
OURS = "customer_id"  # and our customer's: Creem knows customers by their address alone
KINDS = {"topup": "wallet_topup", "credit_pack": "credit_pack", "subscription": "subscription"}
EXPIRED = "checkout.expired"  # Creem sends no such event; what we read is told under this name


def parameters(request: CheckoutRequest, product_id: str) -> Json:
    """The body for POST /v1/checkouts. Raises InvalidRequest for what cannot be sold here."""
    if request.kind not in KINDS:
        raise InvalidRequest("Creem keeps no cards.", code="no_saved_cards")
    told = {
        **request.metadata,
        REFERENCE: request.order_id,
        "kind": KINDS[request.kind],
        OURS: request.customer.customer_id,
    }
    wanted: Json = {
        "request_id": request.order_id,
        "units": 1,
        "success_url": request.success_url,
        "metadata": told,
    }
    if request.email:
        wanted["customer"] = {"email": request.email}
    if request.plan is not None:
        return {**wanted, "product_id": request.plan.provider_price_id}
    assert request.amount is not None, "a purchase has an amount"
    sold_as = request.product_id or product_id
    if not sold_as:
        sentence = f"There is no product to sell {request.title} as: make a one-time product at Creem, and name it"
        raise NotConfigured(f"{sentence} in CREEM_PRODUCT_ID.", code="creem_product_id_missing")
    return {**wanted, "product_id": sold_as, "custom_price": request.amount.minor}


def session_of(page: Json) -> CheckoutSession:
    """A page as our value. One that is being paid counts as open: it will be asked about again."""
    order, state = page.get("order"), page["status"]
    paid = isinstance(order, dict) and order.get("status") == "paid"
    return CheckoutSession(
        id=id_of(page["id"]),
        url=page.get("checkout_url") if state == "pending" else None,
        status="complete" if state == "completed" else "expired" if state == "expired" else "open",
        paid=paid,
        order_id=order_id_of(page),
        payment_id=maybe_id(order.get("transaction")) if isinstance(order, dict) else None,
        subscription_id=maybe_id(page.get("subscription")),
        expires_at=None,  # Creem does not say
    )


def order_id_of(thing: Json) -> str | None:
    """Our order, as our own server named it."""
    return metadata(thing).get(REFERENCE) or None


def missed(creem: Connection, page: Json, *, at: datetime) -> Heard | None:
    """What this page would have told by now; None while nothing happened."""
    state = page["status"]
    if state not in ("completed", "expired"):
        return None
    kind = "checkout.completed" if state == "completed" else EXPIRED
    body = written(f"poll:{page['id']}:{state}", kind, _whole(creem, page) if state == "completed" else page, at=at)
    return Heard(verified(parsed(body)), body)


def _whole(creem: Connection, page: Json) -> Json:
    """With its order and product, which are ids alone where it is asked for."""
    order, product = page.get("order"), page.get("product")
    if isinstance(product, str):
        product = creem.get("/v1/products", product_id=product)
    if isinstance(order, str):
        paid = creem.transactions(order_id=order)
        assert paid, "an order that was paid has its transaction"
        order = _order_of(order, paid[-1])
    return {**page, "order": order, "product": product}


def _order_of(name: str, paid: Json) -> Json:
    return {
        "id": name,
        "transaction": paid["id"],
        "status": "paid",
        "type": "recurring" if paid.get("subscription") else "onetime",
        "amount_paid": paid["amount_paid"],
        "tax_amount": paid.get("tax_amount") or 0,
        "discount_amount": paid.get("discount_amount") or 0,
        "currency": paid["currency"],
        "customer": paid.get("customer"),
    }
