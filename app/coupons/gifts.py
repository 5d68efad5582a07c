"""What a coupon gives on top of a purchase: bonus credits, and on a top-up promotional money. Never paid out (W1)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock, ledger
from app.coupons.models import Coupon, CouponBonus, Redemption
from app.money import minor_to_micros
from app.wallet import told
from app.wallet.accounts import promotions, wallet_of


def give(session: Session, coupon: Coupon, redemption: Redemption, *, occasion: str = "") -> None:
    """Give what one use is worth, once per redemption and occasion (an invoice; "" is the purchase itself).

    A top-up is paid in full, and what its coupon is worth comes on top: so it is never refunded as paid money. Credits
    are promised here; whoever grants credits takes up what `waiting` says.
    """
    if coupon.kind == "credits":
        _promise(session, coupon, redemption, occasion)
    elif redemption.what == "topup":
        _credit(session, coupon, redemption, occasion)


def waiting(session: Session, limit: int, *, customer_id: str | None = None) -> list[CouponBonus]:
    """Bonuses that were promised and are not granted yet, the oldest first; of all, or of one customer."""
    mine = select(CouponBonus).where(CouponBonus.granted_at.is_(None))
    mine = mine if customer_id is None else mine.where(CouponBonus.customer_id == customer_id)
    order = CouponBonus.created_at, CouponBonus.customer_id, CouponBonus.redemption_id, CouponBonus.occasion
    return list(session.scalars(mine.order_by(*order).limit(limit)))


def taken_up(session: Session, bonus: CouponBonus, at: datetime) -> None:
    """The credits of this bonus are granted."""
    bonus.granted_at = at
    session.flush()


def _promise(session: Session, coupon: Coupon, redemption: Redemption, occasion: str) -> None:
    promised = {
        "customer_id": redemption.customer_id,
        "redemption_id": redemption.id,
        "occasion": occasion,
        "code": coupon.code,
        "credits": coupon.value,
        "created_at": clock.now(),
    }
    session.execute(insert(CouponBonus).values(promised).on_conflict_do_nothing())


def _credit(session: Session, coupon: Coupon, redemption: Redemption, occasion: str) -> None:
    who, currency = redemption.customer_id, redemption.currency
    amount = minor_to_micros(redemption.off_minor, currency)
    if not amount:
        return
    entry = ledger.post(
        session,
        "promo",
        {wallet_of(who, currency): amount, promotions(currency): -amount},
        customer_id=who,
        key=":".join(part for part in ("coupon", redemption.id, occasion) if part),
        data={"description": f"Coupon {coupon.code}", "coupon": coupon.id, "purchase": redemption.key},
    )
    told.credited(session, entry, wallet_of(who, currency), amount)
