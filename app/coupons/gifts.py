"""What a coupon gives on top of a purchase: bonus credits, and on a top-up promotional money. Never paid out (W1).

What came on top of a payment is taken back with it, as far as it is not spent; how much is for whoever knows refunds.
"""

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

_GIFTS = tuple(kind for kind in ledger.WALLET_KINDS if ledger.ENTRY_KINDS[kind].promo or kind == "promo_taken")
_AT_ONCE = 50


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
        key=key_of(redemption.id, occasion),
        data={"description": f"Coupon {coupon.code}", "coupon": coupon.id, "purchase": redemption.key},
    )
    told.credited(session, entry, wallet_of(who, currency), amount)


def key_of(redemption_id: str, occasion: str = "") -> str:
    """Under which key its bonus was given, of money or of credits."""
    return ":".join(part for part in ("coupon", redemption_id, occasion) if part)


def unspent(session: Session, redemption: Redemption, *, beside: int = 0) -> int:
    """What is still there of the money it gave, in micros; `beside`: so much of the wallet goes otherwise.

    Gifts are spent in the order in which they came. What is held is as good as spent.
    """
    wallet = wallet_of(redemption.customer_id, redemption.currency)
    given = ledger.find_entry(session, redemption.customer_id, key_of(redemption.id))
    if given is None:
        return 0
    now = ledger.balance(session, wallet)
    there = min(given.leg(wallet).amount - redemption.taken_back, now.available - beside)
    return max(0, min(there, now.promo - _given_since(session, wallet, given, redemption, most=now.promo)))


def _given_since(
    session: Session, wallet: ledger.Account, given: ledger.Entry, redemption: Redemption, *, most: int
) -> int:
    """What other gifts brought after this one, less what was taken back of them; counted up to `most`."""
    later, before = 0, None
    while later < most:
        lines = ledger.history(session, wallet, before=before, limit=_AT_ONCE, kinds=_GIFTS, since=given.recorded_at)
        for line in lines:
            if line.entry_id == given.id:
                return later
            later += line.amount if line.data.get("redemption") != redemption.id else 0
        if len(lines) < _AT_ONCE:
            break
        before = lines[-1].seq
    return later


def take(session: Session, redemption: Redemption, amount: int, *, cause: str, why: str) -> ledger.Entry:
    """Out of the wallet, so many micros. `cause` names the refund or the dispute: once for each."""
    return _move(session, redemption, "promo_taken", -amount, cause, why)


def put_back(session: Session, redemption: Redemption, amount: int, *, cause: str, why: str) -> ledger.Entry:
    """Promotional again: what had been taken, for the payment stays after all. Once for each `cause`."""
    return _move(session, redemption, "promo", amount, cause, why)


def _move(session: Session, redemption: Redemption, kind: str, amount: int, cause: str, why: str) -> ledger.Entry:
    wallet = wallet_of(redemption.customer_id, redemption.currency)
    redemption.taken_back -= amount
    return ledger.post(
        session,
        kind,
        {wallet: amount, promotions(redemption.currency): -amount},
        customer_id=redemption.customer_id,
        key=f"{key_of(redemption.id)}:{cause}",
        data={"description": why, "redemption": redemption.id, "purchase": redemption.key, "cause": cause},
    )
