"""Our coupons at Stripe: a coupon under our own id, and the promotion code a customer types for it."""

from __future__ import annotations

from app.providers.billing import CouponTerms
from app.providers.errors import Conflict, InvalidRequest, NotFound
from app.providers.stripe.connection import Connection, Json
from app.providers.stripe.prices import ensure_product
from app.providers.values import DiscountRef


def ensure_coupon(stripe: Connection, terms: CouponTerms, *, key: str) -> DiscountRef:
    """The coupon and its code, made where they are missing. Raises Conflict for a coupon known with other terms."""
    known = _coupon(stripe, terms.coupon_id)
    if known is None:
        wanted = _parameters(stripe, terms, key=key)
        known = stripe.call(lambda v1: v1.coupons.create(wanted, {"idempotency_key": f"{key}:coupon"}))
    if _sold(known) != _asked(terms):
        raise Conflict("Stripe has this coupon with other terms.", code="coupon_differs")
    return DiscountRef(terms.coupon_id, _ensure_code(stripe, terms, key=key))


def _coupon(stripe: Connection, coupon_id: str) -> Json | None:
    try:
        return stripe.call(lambda v1: v1.coupons.retrieve(coupon_id))
    except NotFound:
        return None


def _parameters(stripe: Connection, terms: CouponTerms, *, key: str) -> Json:
    wanted: Json = {
        "id": terms.coupon_id,
        "name": terms.name[:40],  # Stripe's limit
        "duration": terms.duration,
        "metadata": {"coupon_id": terms.coupon_id},
    }
    if terms.amount is not None:
        wanted |= {"amount_off": terms.amount.minor, "currency": terms.amount.currency}
    else:
        wanted["percent_off"] = terms.percent
    if terms.duration == "repeating":
        wanted["duration_in_months"] = terms.months
    if terms.max_redemptions is not None:
        wanted["max_redemptions"] = terms.max_redemptions
    if terms.ends_at is not None:
        wanted["redeem_by"] = int(terms.ends_at.timestamp())
    if terms.plans:
        products = [ensure_product(stripe, plan, name, key=key) for plan, name in sorted(terms.plans.items())]
        wanted["applies_to"] = {"products": products}
    return wanted


def _asked(terms: CouponTerms) -> tuple[object, ...]:
    amount = terms.amount
    off = (None, amount.minor, amount.currency) if amount else (terms.percent, None, None)
    return (*off, terms.duration, terms.months if terms.duration == "repeating" else None)


def _sold(coupon: Json) -> tuple[object, ...]:
    percent, amount = coupon.get("percent_off"), coupon.get("amount_off")
    currency = coupon.get("currency") if amount is not None else None
    return (percent, amount, currency, coupon["duration"], coupon.get("duration_in_months"))


def _ensure_code(stripe: Connection, terms: CouponTerms, *, key: str) -> str:
    theirs = {"coupon": terms.coupon_id, "code": terms.code, "active": True, "limit": 1}
    found = stripe.call(lambda v1: v1.promotion_codes.list(theirs))["data"]
    if found:
        return str(found[0]["id"])
    wanted = {
        "promotion": {"type": "coupon", "coupon": terms.coupon_id},
        "code": terms.code,
        "metadata": {"coupon_id": terms.coupon_id},
    }
    try:
        made = stripe.call(lambda v1: v1.promotion_codes.create(wanted, {"idempotency_key": f"{key}:code"}))
    except InvalidRequest as taken:
        raise Conflict(str(taken), code="code_taken", request_id=taken.request_id) from taken
    return str(made["id"])
