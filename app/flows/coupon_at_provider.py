"""Our coupon as a provider's discount, for a price that the provider charges (SPEC P15). Made there once, and kept."""

from __future__ import annotations

import hashlib
from typing import Literal, cast

from sqlalchemy.orm import Session

from app.catalogue import reads
from app.coupons import issue
from app.coupons.discount import Discount
from app.coupons.models import Coupon
from app.db import transaction
from app.money import Money
from app.providers import port
from app.providers.billing import CouponTerms
from app.providers.port import Provider
from app.providers.values import DiscountRef


def discount_at(session: Session, provider: Provider, discount: Discount) -> DiscountRef | None:
    """What the provider calls this discount's coupon; None where it takes nothing off, as bonus credits do.

    To be called outside a transaction, after the coupon was reserved. Raises UnsupportedByChannel where the provider
    takes no coupons, and ProviderError.
    """
    if not discount.off.minor:
        return None
    discounts = port.discounts_of(provider)
    with transaction(session):
        coupon = issue.locked(session, discount.coupon_id)
        known = coupon.provider_ids.get(provider.name)
        terms = _terms(session, coupon, discount.price.currency)
    if known is not None:
        return DiscountRef(known["id"], known.get("code_id"))
    # The names of plans may change before a second try, and another request needs another key.
    key = f"{terms.coupon_id}:{hashlib.sha256(repr(terms).encode()).hexdigest()[:12]}"
    made = discounts.ensure_coupon(terms, key=key)
    with transaction(session):
        coupon = issue.locked(session, discount.coupon_id)
        coupon.provider_ids = coupon.provider_ids | {provider.name: {"id": made.id, "code_id": made.code_id}}
    return made


def _terms(session: Session, coupon: Coupon, currency: str) -> CouponTerms:
    """Only what never changes. How often and how long it may be used is counted here, where the reservations are."""
    names = {plan.key: plan.name for plan in reads.offered_plans(session)}
    return CouponTerms(
        coupon_id=coupon.id,
        code=coupon.code,
        name=coupon.code,
        duration=cast("Literal['once', 'repeating', 'forever']", coupon.duration),
        percent=coupon.value if coupon.kind == "percent" else None,
        amount=Money(coupon.value, coupon.currency or currency) if coupon.kind == "amount" else None,
        months=coupon.months,
        plans={key: names.get(key, key) for key in coupon.scope.get("plans") or ()},
    )
