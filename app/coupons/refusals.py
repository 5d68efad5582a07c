"""Why a coupon is refused: each reason has a code, a sentence, and the field the code was typed into."""

from __future__ import annotations

from typing import Any

from app.errors import Refusal


class CouponRefused(Refusal):
    """The base of all of them. Details: field, always "coupon"."""

    code = "COUPON_REFUSED"

    def __init__(self, sentence: str, **details: Any) -> None:
        super().__init__(sentence, **({"field": "coupon"} | details))


class CouponUnknown(CouponRefused):
    code = "COUPON_UNKNOWN"


class CouponNotStarted(CouponRefused):
    """Details: starts_at."""

    code = "COUPON_NOT_STARTED"


class CouponEnded(CouponRefused):
    """Its time is over, or it was retired."""

    code = "COUPON_ENDED"


class CouponUsedUp(CouponRefused):
    """All of its uses are taken; one that was only reserved may become free again."""

    code = "COUPON_USED_UP"


class CouponUsedByYou(CouponRefused):
    """This customer, or the same person under another address, has had it as often as one may."""

    code = "COUPON_ALREADY_USED"


class CouponNotForThis(CouponRefused):
    """It is for other plans, packs, or another currency."""

    code = "COUPON_NOT_APPLICABLE"
