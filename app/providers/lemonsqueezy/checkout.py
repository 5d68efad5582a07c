"""Lemon Squeezy's checkout pages: what we ask for, what became of one, and the event a lost webhook would have brought.

A page does not say whether it was paid on. The order does not say which page it came from, nor does it show what we
gave the page to carry; but it shows the name of what was bought, so our order's id stands in that name.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.providers.errors import InvalidRequest, NotConfigured, NotFound
from app.providers.lemonsqueezy.body import POLLED, instant, maybe_instant, number
from app.providers.lemonsqueezy.connection import Connection, Json
from app.providers.lemonsqueezy.shop import Shop
from app.providers.lemonsqueezy.told_orders import REFERENCE, payment_id_of
from app.providers.values import CheckoutRequest, CheckoutSession

LIVES = timedelta(hours=24)
_PAYING_TAKES = timedelta(hours=1)  # after the page's end, before nobody can be paying on it any more
_KINDS = {"topup": "wallet_topup", "credit_pack": "credit_pack", "subscription": "subscription"}
_RECENT = 100  # orders of the store to look through for one that was paid under another address


def document(request: CheckoutRequest, shop: Shop, *, now: datetime) -> Json:
    """The document for POST /checkouts. Raises InvalidRequest for what cannot be sold here."""
    if request.kind not in _KINDS:
        raise InvalidRequest("Lemon Squeezy keeps no cards.", code="no_saved_cards")
    variant = request.plan.provider_price_id if request.plan else request.product_id or shop.variant_id
    if not variant:
        sentence = f"There is no variant to sell {request.title} as: make one in Lemon Squeezy, and name it"
        raise NotConfigured(f"{sentence} in LEMONSQUEEZY_VARIANT_ID.", code="variant_not_named")
    custom = {
        **request.metadata,
        REFERENCE: request.order_id,
        "kind": _KINDS[request.kind],
        "customer_id": request.customer.customer_id,
    }
    attributes: Json = {
        "product_options": {
            "name": f"{request.title} ({request.order_id})",
            "redirect_url": request.success_url,
            "enabled_variants": [int(number(variant))],
        },
        # A code typed there would change the price, and an order is only ever paid in full.
        "checkout_options": {"discount": False},
        "checkout_data": {"custom": custom, **_payer(request)},
        "expires_at": (now + LIVES).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "test_mode": shop.test_mode,
    }
    if request.plan is None:
        assert request.amount is not None, "a purchase has an amount"
        attributes["custom_price"] = request.amount.minor
    sold = {"store": ("stores", shop.store_id), "variant": ("variants", variant)}
    related = {name: {"data": {"type": kind, "id": which}} for name, (kind, which) in sold.items()}
    return {"data": {"type": "checkouts", "attributes": attributes, "relationships": related}}


def _payer(request: CheckoutRequest) -> Json:
    known = {"email": request.email, "name": request.name}
    return {name: said for name, said in known.items() if said}


def session_of(page: Json, order: Json | None, *, now: datetime) -> CheckoutSession:
    """A page, with the order that was placed on it if there is one."""
    told = page["attributes"]
    ends = maybe_instant(told.get("expires_at"))
    is_over = ends is not None and ends <= now
    return CheckoutSession(
        id=page["id"],
        url=None if order or is_over else told["url"],
        status="complete" if order else "expired" if is_over else "open",
        paid=order is not None and order["attributes"]["status"] == "paid",
        order_id=custom_in(page).get(REFERENCE),
        payment_id=payment_id_of(order) if order else None,
        subscription_id=None,
        expires_at=ends,
    )


def read_page(lemon: Connection, shop: Shop, session_id: str) -> Json:
    """The page. Raises NotFound for none of this store."""
    if not session_id.replace("-", "").isalnum():
        raise NotFound("There is no such page.")
    page: Json = lemon.read(f"/checkouts/{session_id}")["data"]
    if number(page["attributes"]["store_id"]) != shop.store_id:
        raise NotFound("There is no such page in this store.")
    return page


def order_on(lemon: Connection, shop: Shop, page: Json) -> Json | None:
    """The order placed on this page, as its name tells: first among those of the address we know."""
    reference, since = custom_in(page).get(REFERENCE), instant(page["attributes"]["created_at"])
    email = (page["attributes"].get("checkout_data") or {}).get("email")
    if not reference:
        return None
    asks = [{"filter[user_email]": email}] if email else []
    for ask in [*asks, {}]:
        listed = lemon.pages("/orders", {"filter[store_id]": shop.store_id, **ask}, most=_RECENT)
        for order in listed:
            if instant(order["attributes"]["created_at"]) < since:
                break
            if _names(order, reference):
                return order
    return None


def _names(order: Json, reference: str) -> bool:
    name = (order["attributes"].get("first_order_item") or {}).get("product_name") or ""
    return str(name).endswith(f"({reference})")


def custom_in(page: Json) -> dict[str, str]:
    custom = (page["attributes"].get("checkout_data") or {}).get("custom")
    return {name: str(value) for name, value in custom.items()} if isinstance(custom, dict) else {}


def missed_event(lemon: Connection, shop: Shop, page: Json, *, now: datetime) -> Json | None:
    """The event this page would have caused by now, under an id that says it was asked for; None while it is open."""
    order = order_on(lemon, shop, page)
    if order is None:
        ends = maybe_instant(page["attributes"].get("expires_at"))
        is_over = ends is not None and ends + _PAYING_TAKES <= now
        return _event(page, "checkout_expired", page, "expired") if is_over else None
    if custom_in(page).get("kind") != "subscription":
        return _event(page, "order_created", order, str(order["attributes"]["status"]))
    begun = lemon.read(f"/orders/{number(order['id'])}/subscriptions")["data"]
    return _event(page, "subscription_created", begun[0], f"begun:{number(begun[0]['id'])}") if begun else None


def _event(page: Json, name: str, data: Json, word: str) -> Json:
    meta = {
        "event_name": name,
        "test_mode": bool(data["attributes"].get("test_mode")),
        "webhook_id": f"{POLLED}{page['id']}:{word}",
        "custom_data": custom_in(page),
    }
    return {"meta": meta, "data": data}
