"""Stripe Checkout: what we ask for, what a session says, and the event a lost webhook would have brought."""

from __future__ import annotations

from app.providers.stripe.body import id_of, maybe_instant
from app.providers.stripe.connection import Json
from app.providers.values import CheckoutRequest, CheckoutSession, DiscountRef, PlanRef

# Our order's id under the name it travels by. Session metadata is not copied to the payment intent: it is set on both.
REFERENCE = "intent_id"
KINDS = {
    "topup": "wallet_topup",
    "credit_pack": "credit_pack",
    "subscription": "subscription",
    "save_card": "save_card",
}


def parameters(request: CheckoutRequest, *, invoices: bool, tax: bool) -> Json:
    """The form for POST /v1/checkout/sessions. Pure, so that a retry with the same key sends the same content."""
    metadata = {
        REFERENCE: request.order_id,
        "kind": KINDS[request.kind],
        "customer_id": request.customer.customer_id,
        **request.metadata,
    }
    shared = {
        "customer": request.customer.id,
        "client_reference_id": request.order_id,
        "metadata": metadata,
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
    }
    if request.kind == "save_card":
        return {"mode": "setup", "currency": request.currency, "setup_intent_data": {"metadata": metadata}, **shared}
    if request.kind == "subscription":
        return {"mode": "subscription", **_subscription(request, metadata, tax=tax), **shared}
    return {"mode": "payment", **_purchase(request, metadata, invoices=invoices), **shared}


def plan_metadata(plan: PlanRef) -> dict[str, str]:
    """What was bought, on the subscription itself. A later change of price does not change it."""
    return {"plan": plan.plan, "version": str(plan.version), "interval": plan.interval}


def _subscription(request: CheckoutRequest, metadata: Json, *, tax: bool) -> Json:
    assert request.plan is not None, "a subscription has a plan"
    wanted: Json = {
        "line_items": [{"price": request.plan.provider_price_id, "quantity": 1}],
        "subscription_data": {"metadata": {**metadata, **plan_metadata(request.plan)}},
        **_discounts(request),
    }
    if tax:
        # Where the buyer is decides the tax: Stripe asks on the page and keeps it on the customer.
        wanted["automatic_tax"] = {"enabled": True}
        wanted["customer_update"] = {"address": "auto", "name": "auto"}
        wanted["tax_id_collection"] = {"enabled": True}
    return wanted


def _purchase(request: CheckoutRequest, metadata: Json, *, invoices: bool) -> Json:
    assert request.amount is not None, "a purchase has an amount"
    price = {
        "currency": request.amount.currency,
        "unit_amount": request.amount.minor,
        "tax_behavior": "exclusive",
        "product_data": {"name": request.title},
    }
    intent: Json = {"metadata": metadata}
    wanted: Json = {
        "line_items": [{"quantity": 1, "price_data": price}],
        "payment_intent_data": intent,
        # The invoice knows of our order only by what it is told itself.
        "invoice_creation": {"enabled": True, "invoice_data": {"metadata": metadata}}
        if invoices
        else {"enabled": False},
    }
    if request.save_card:
        intent["setup_future_usage"] = "off_session"
        wanted["saved_payment_method_options"] = {"payment_method_save": "enabled"}
    return {**wanted, **_discounts(request)}


def _discounts(request: CheckoutRequest) -> Json:
    """One of ours, or whatever code the customer types: Stripe takes no both."""
    if request.discount is not None:
        return {"discounts": [discount_of(request.discount)]}
    return {"allow_promotion_codes": True} if request.allow_codes else {}


def discount_of(discount: DiscountRef) -> Json:
    """By its code where there is one: then Stripe counts the code's redemptions too."""
    return {"promotion_code": discount.code_id} if discount.code_id else {"coupon": discount.id}


def session_of(session: Json) -> CheckoutSession:
    """A session as our value. An unknown status counts as open: it will be asked about again."""
    status = session["status"]
    return CheckoutSession(
        id=session["id"],
        url=session.get("url"),
        status=status if status in ("complete", "expired") else "open",
        paid=session["payment_status"] == "paid",
        order_id=order_id_of(session),
        payment_id=id_of(session.get("payment_intent")),
        subscription_id=id_of(session.get("subscription")),
        expires_at=maybe_instant(session.get("expires_at")),
        setup_id=id_of(session.get("setup_intent")),
        discount=_discount(session),
    )


def _discount(session: Json) -> DiscountRef | None:
    """Which coupon the page was paid with, given by us or typed there."""
    used = next(iter(session.get("discounts") or []), None)
    coupon = id_of(used.get("coupon")) if used else None
    code = id_of(used.get("promotion_code")) if used else None
    return DiscountRef(coupon or "", code) if coupon or code else None


def order_id_of(session: Json) -> str | None:
    """Our order, by the name our own server gave the session.

    Not by `client_reference_id`: whoever opens a Payment Link of the same Stripe account chooses that in its address,
    and would be credited here for what they bought there.
    """
    return id_of((session.get("metadata") or {}).get(REFERENCE))


def missed_event(session: Json, *, at: int) -> Json | None:
    """The event this session would have sent by now, under an id that says it was asked for; None while it is open."""
    found = _news(session)
    if found is None:
        return None
    word, kind = found
    return {
        "id": f"poll:{session['id']}:{word}",
        "object": "event",
        "api_version": None,
        "created": at,
        "livemode": session["livemode"],
        "type": kind,
        "data": {"object": session},
    }


def _news(session: Json) -> tuple[str, str] | None:
    if session["status"] == "expired":
        return "expired", "checkout.session.expired"
    if session["status"] != "complete":
        return None
    if session["payment_status"] != "unpaid":
        return "paid", "checkout.session.completed"
    intent = session.get("payment_intent")
    given_up = isinstance(intent, dict) and intent.get("status") in ("requires_payment_method", "canceled")
    if given_up:
        return "failed", "checkout.session.async_payment_failed"
    return "processing", "checkout.session.completed"
