"""Reading coupons for pages: all of them with what they gave away, who used one, and which a customer has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.coupons.discount import covers
from app.coupons.models import Coupon, Redemption

_USABLE = ("waiting", "active")


@dataclass(frozen=True, slots=True)
class Listed:
    """A coupon and what it gave so far: minor units, or credits where it gives those."""

    coupon: Coupon
    given: int


def listed(session: Session) -> list[Listed]:
    """All coupons, newest first, the retired ones last. Two SELECTs."""
    sums = select(Redemption.coupon_id, func.sum(Redemption.given)).group_by(Redemption.coupon_id)
    given = {coupon_id: int(total or 0) for coupon_id, total in session.execute(sums)}
    order = Coupon.retired_at.is_not(None), Coupon.created_at.desc(), Coupon.id.desc()
    return [Listed(coupon, given.get(coupon.id, 0)) for coupon in session.scalars(select(Coupon).order_by(*order))]


def find(session: Session, coupon_id: str) -> Coupon | None:
    return session.get(Coupon, coupon_id)


def good_for(session: Session, what: str, now: datetime) -> list[Coupon]:
    """The coupons that can be used for "plan:studio" or "pack:small" now or later, newest first. One SELECT."""
    offered = select(Coupon).where(Coupon.retired_at.is_(None)).order_by(Coupon.created_at.desc(), Coupon.id.desc())
    return [each for each in session.scalars(offered) if covers(each.scope, what) and state_of(each, now) in _USABLE]


def uses_of(session: Session, coupon_id: str, *, limit: int = 25) -> list[Redemption]:
    """The last uses of one coupon, newest first; those that came to nothing are left out."""
    mine = select(Redemption).where(Redemption.coupon_id == coupon_id, Redemption.state != "released")
    return list(session.scalars(mine.order_by(Redemption.created_at.desc(), Redemption.id.desc()).limit(limit)))


def given_by(session: Session, coupon_id: str) -> int:
    """What one coupon gave so far."""
    mine = select(func.sum(Redemption.given)).where(Redemption.coupon_id == coupon_id)
    return int(session.scalar(mine) or 0)


def of_subscription(session: Session, customer_id: str, subscription_id: str) -> tuple[Coupon, Redemption] | None:
    """The coupon that takes something off the subscription's next invoice; None where there is none (left)."""
    mine = (
        select(Coupon, Redemption)
        .join(Redemption, Redemption.coupon_id == Coupon.id)
        .where(Redemption.customer_id == customer_id, Redemption.subscription_id == subscription_id)
        .where(Redemption.state == "redeemed", Redemption.left.is_(None) | (Redemption.left > 0))
        .order_by(Redemption.finished_at.desc(), Redemption.id.desc())
        .limit(1)
    )
    row = session.execute(mine).one_or_none()
    return (row[0], row[1]) if row else None


def state_of(coupon: Coupon, now: datetime) -> str:
    """waiting, active, used_up or ended."""
    if coupon.retired_at is not None or (coupon.ends_at is not None and coupon.ends_at <= now):
        return "ended"
    if coupon.most is not None and coupon.redeemed >= coupon.most:
        return "used_up"
    return "waiting" if coupon.starts_at is not None and now < coupon.starts_at else "active"
