"""What a coupon gives on top of a purchase: bonus credits, and on a top-up promotional money. Never paid out (W1)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import ledger
from app.coupons.models import Coupon, Redemption
from app.ledger import HOUSE, Account
from app.money import minor_to_micros
from app.wallet.accounts import promotions, wallet_of

CREDITS = "credits"


def give(session: Session, coupon: Coupon, redemption: Redemption, *, occasion: str = "") -> ledger.Entry | None:
    """Post the gift of one use, once per redemption and occasion (an invoice; "" is the purchase itself).

    A top-up is paid in full, and what its coupon is worth comes on top: so it is never refunded as paid money.
    """
    who, currency = redemption.customer_id, redemption.currency
    if coupon.kind == "credits":
        amount, to, from_ = coupon.value, Account(who, CREDITS, CREDITS), Account(HOUSE, "promotions", CREDITS)
    elif redemption.what == "topup":
        amount, to, from_ = (
            minor_to_micros(redemption.off_minor, currency),
            wallet_of(who, currency),
            promotions(currency),
        )
    else:
        return None
    return ledger.post(
        session,
        "promo",
        {to: amount, from_: -amount},
        customer_id=who,
        key=":".join(part for part in ("coupon", redemption.id, occasion) if part),
        data={"description": f"Coupon {coupon.code}", "coupon": coupon.id, "purchase": redemption.key},
    )
