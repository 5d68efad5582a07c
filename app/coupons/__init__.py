"""Coupons: what takes something off a price or adds credits, and who has used which. What others may use is here."""

from __future__ import annotations

from app.coupons.discount import Discount
from app.coupons.quote import quote, spelled
from app.coupons.redemptions import redeem, redeemed_for, release, release_expired, reserve
from app.coupons.refusals import (
    CouponEnded,
    CouponNotForThis,
    CouponNotStarted,
    CouponRefused,
    CouponUnknown,
    CouponUsedByYou,
    CouponUsedUp,
)
from app.coupons.renewals import for_invoice, use_up

__all__ = [
    "CouponEnded",
    "CouponNotForThis",
    "CouponNotStarted",
    "CouponRefused",
    "CouponUnknown",
    "CouponUsedByYou",
    "CouponUsedUp",
    "Discount",
    "for_invoice",
    "quote",
    "redeem",
    "redeemed_for",
    "release",
    "release_expired",
    "reserve",
    "spelled",
    "use_up",
]
