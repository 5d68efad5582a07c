"""Quoting a coupon: what it would do to a price, or why it does not. Promises nothing: only a reservation does."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app import clock
from app.coupons.discount import Discount, covers, taken_off
from app.coupons.models import Coupon, Redemption
from app.coupons.refusals import (
    CouponEnded,
    CouponNotForThis,
    CouponNotStarted,
    CouponUnknown,
    CouponUsedByYou,
    CouponUsedUp,
)
from app.customers.models import Customer
from app.money import Money
from app.people import addresses


def quote(
    session: Session, code: str, *, customer_id: str, what: str, price: Money, given_up: Collection[str] = ()
) -> Discount:
    """What the coupon with this code takes off `price` (before tax) of "plan:<key>", "pack:<key>" or "topup".

    `given_up` are keys of the customer's purchases whose reservations would be released first. Raises CouponRefused,
    with the field "coupon".
    """
    coupon = session.scalars(select(Coupon).where(Coupon.code == spelled(code))).one_or_none()
    return checked(session, coupon, customer_id=customer_id, what=what, price=price, given_up=given_up)


def spelled(code: str) -> str:
    """A code as it is kept: without the space around it, in capitals."""
    return code.replace("\0", "").strip().upper()[:60]


def checked(
    session: Session,
    coupon: Coupon | None,
    *,
    customer_id: str,
    what: str,
    price: Money,
    given_up: Collection[str] = (),
) -> Discount:
    """The discount, or the first reason against it. Raises CouponRefused."""
    if coupon is None:
        raise CouponUnknown("There is no coupon with this code. Check how it is spelt.")
    _in_time(coupon)
    _for_this(coupon, what, price)
    freed = _reserved_for(session, coupon, customer_id, given_up) if given_up else 0
    if coupon.most is not None and coupon.redeemed - freed >= coupon.most:
        raise CouponUsedUp("This coupon has been used up.", most=coupon.most)
    if used_by(session, coupon, customer_id) - freed >= coupon.most_per_customer:
        raise CouponUsedByYou("You have used this coupon already.", most_per_customer=coupon.most_per_customer)
    return discount_of(coupon, price)


def discount_of(coupon: Coupon, price: Money, redemption_id: str | None = None) -> Discount:
    """What the coupon does to a price, whoever has it."""
    return Discount(
        coupon_id=coupon.id,
        code=coupon.code,
        name=coupon.name,
        price=price,
        off=Money(taken_off(coupon.kind, coupon.value, price.minor), price.currency),
        credits=coupon.value if coupon.kind == "credits" else 0,
        duration=coupon.duration,
        months=coupon.months,
        redemption_id=redemption_id,
    )


def used_by(session: Session, coupon: Coupon, customer_id: str) -> int:
    """How often this customer, or the same person as another customer, has the coupon, reservations included."""
    person = person_of(session, customer_id)
    theirs = or_(Redemption.customer_id == customer_id, Redemption.person == person)
    found = select(func.count()).where(Redemption.coupon_id == coupon.id, Redemption.state != "released", theirs)
    return session.execute(found).scalar_one()


def _reserved_for(session: Session, coupon: Coupon, customer_id: str, keys: Collection[str]) -> int:
    mine = (Redemption.customer_id == customer_id, Redemption.coupon_id == coupon.id, Redemption.key.in_(keys))
    held = select(func.count()).where(*mine, Redemption.state == "reserved")
    return session.execute(held).scalar_one()


def person_of(session: Session, customer_id: str) -> str:
    """Who pays, as a hash that ignores case, +alias and Gmail's dots of the address notices go to."""
    customer = session.get(Customer, customer_id)
    return addresses.person_hash(customer.email if customer else customer_id)


def _in_time(coupon: Coupon) -> None:
    now = clock.now()
    if coupon.retired_at is not None or (coupon.ends_at is not None and coupon.ends_at <= now):
        raise CouponEnded("This coupon has ended.")
    if coupon.starts_at is not None and now < coupon.starts_at:
        raise CouponNotStarted(
            f"This coupon is good from {coupon.starts_at.day} {coupon.starts_at:%B %Y, %H:%M} UTC.",
            starts_at=clock.timestamp(coupon.starts_at),
        )


def _for_this(coupon: Coupon, what: str, price: Money) -> None:
    if not covers(coupon.scope, what) or coupon.currency not in (None, price.currency):
        raise CouponNotForThis("This coupon is not for what you are buying.")
    if price.minor <= 0 and coupon.kind != "credits":
        raise CouponNotForThis("This costs nothing, so there is nothing to take off.")
