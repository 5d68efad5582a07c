"""Using a coupon: reserved when a purchase begins, redeemed when it is paid, released when it comes to nothing.

A reservation counts as a use, so the last one has one winner: the guard is in the UPDATE (SPEC P15).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.coupons import gifts
from app.coupons.discount import Discount, left_after, left_at_first, taken_off
from app.coupons.models import Coupon, Redemption
from app.coupons.quote import checked, discount_of, person_of, spelled, used_by
from app.coupons.refusals import CouponUsedUp
from app.errors import IdempotencyKeyReused
from app.money import Money

HELD_FOR = timedelta(hours=26)  # longer than any checkout page lives; its news usually ends the reservation earlier


def reserve(
    session: Session,
    code: str,
    *,
    customer_id: str,
    what: str,
    price: Money,
    key: str,
    expires_at: datetime | None = None,
) -> tuple[Redemption, Discount]:
    """Take one use for the purchase `key` (an order, a subscription), and say what it takes off `price`.

    The same key with the same coupon is the same reservation; with another coupon it replaces the one reserved before.
    Raises CouponRefused as `quote` does, and IdempotencyKeyReused where the purchase is paid with another coupon.
    """
    before = _of_key(session, customer_id, key, lock=True)
    coupon = _locked(session, spelled(code), before)
    # Whoever waited for the coupon's row now counts with everybody's uses before theirs, their own double's included.
    before = before or _of_key(session, customer_id, key)
    if before is not None and before.state != "released":
        if coupon is not None and before.coupon_id == coupon.id:
            return before, discount_of(coupon, price, before.id)
        if before.state == "redeemed":
            raise IdempotencyKeyReused("This was paid with another coupon already.", field="coupon")
        _let_go(session, before)
    if what == "topup" and coupon is not None:
        _give_up_earlier(session, coupon.id, customer_id, what)
    discount = checked(session, coupon, customer_id=customer_id, what=what, price=price)
    assert coupon is not None, "an unknown coupon was refused"
    if not _take_one(session, coupon.id):
        raise CouponUsedUp("This coupon has been used up.", most=coupon.most)
    made = before or Redemption(customer_id=customer_id, id=ids.new("red"), key=key)
    made.what, made.person, made.expires_at = what, person_of(session, customer_id), expires_at or _latest()
    _fill(made, coupon, discount)
    session.add(made)
    session.flush()
    return made, discount_of(coupon, price, made.id)


def redeem(
    session: Session,
    customer_id: str,
    key: str,
    *,
    subscription_id: str | None = None,
    months: int = 1,
    actor: str = "system",
    paid_minor: int | None = None,
) -> Redemption | None:
    """The purchase is paid: its coupon is used, the first invoice (of so many `months`) counts. Once per key.

    `paid_minor` is what was paid of a top-up, where a code of the provider's own took the rest off: then what comes on
    top is that of the smaller sum.
    Gives the bonus there is. None where the purchase had no coupon. For a payment that comes after the reservation was
    given up the use is taken again while the coupon still is for them; a plan's is honoured in any case.
    """
    found = _of_key(session, customer_id, key, lock=True)
    if found is None or found.state == "redeemed":
        return found
    coupon = session.get_one(Coupon, found.coupon_id)
    late = found.state == "released"
    if late and not _honoured(session, coupon, found):
        return found
    found.state, found.expires_at, found.finished_at = "redeemed", None, clock.now()
    found.subscription_id = subscription_id
    found.left = left_after(found.left, months)
    if paid_minor is not None and found.what == "topup":
        found.off_minor = min(found.off_minor, taken_off(coupon.kind, coupon.value, paid_minor))
    found.given = coupon.value if coupon.kind == "credits" else found.off_minor
    gifts.give(session, coupon, found)
    activity.record(
        session,
        actor,
        "coupon.redeemed",
        found.id,
        customer_id=customer_id,
        coupon=coupon.code,
        purchase=key,
        what=found.what,
        given=found.given,
        late=late,
    )
    session.flush()
    return found


def redeemed_for(session: Session, customer_id: str, key: str, *, lock: bool = False) -> Redemption | None:
    """The coupon this purchase was paid with; None where there was none. `lock` keeps it until the commit."""
    found = _of_key(session, customer_id, key, lock=lock)
    return found if found is not None and found.state == "redeemed" else None


def release(session: Session, customer_id: str, key: str) -> bool:
    """The purchase came to nothing: the use is free again. False where nothing was reserved (any more)."""
    found = _of_key(session, customer_id, key, lock=True)
    return found is not None and _let_go(session, found)


def release_expired(session: Session, now: datetime, limit: int = 100) -> int:
    """Release reservations whose time ran out; how many."""
    due = (
        select(Redemption)
        .where(Redemption.expires_at <= now)
        .order_by(Redemption.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return sum(_let_go(session, found) for found in session.scalars(due).all())


def _honoured(session: Session, coupon: Coupon, late: Redemption) -> bool:
    """Count a use that had been given up. Where none is left for a plan, the sum stays at its limit."""
    session.refresh(coupon, with_for_update=True)  # two that come late at once are counted one after the other
    if late.what.startswith("plan:"):
        _take_one(session, coupon.id)
        return True
    if late.what.startswith("pack:"):  # what is paid goes before what is merely begun
        _give_up_earlier(session, coupon.id, late.customer_id, "pack:")
    theirs = used_by(session, coupon, late.customer_id)
    return theirs < coupon.most_per_customer and _take_one(session, coupon.id)


def _take_one(session: Session, coupon_id: str) -> bool:
    """Count one use more, unless that were one too many."""
    room = Coupon.most.is_(None) | (Coupon.redeemed < Coupon.most)
    taken = update(Coupon).where(Coupon.id == coupon_id, room).values(redeemed=Coupon.redeemed + 1)
    return session.execute(taken.returning(Coupon.id)).one_or_none() is not None


def _let_go(session: Session, found: Redemption) -> bool:
    ended = update(Redemption).where(
        Redemption.customer_id == found.customer_id, Redemption.id == found.id, Redemption.state == "reserved"
    )
    ended = ended.values(state="released", expires_at=None, finished_at=clock.now())
    if session.execute(ended.returning(Redemption.id)).one_or_none() is None:
        return False
    session.execute(update(Coupon).where(Coupon.id == found.coupon_id).values(redeemed=Coupon.redeemed - 1))
    session.refresh(found)
    return True


def _give_up_earlier(session: Session, coupon_id: str, customer_id: str, what: str) -> None:
    """Whoever comes back from the payment page and chooses another sum has the coupon for that one.

    No provider has promised a lower price for a top-up: should the first page be paid as well, it brings what was paid
    and nothing on top. A pack brings what was paid for, too.
    """
    mine = select(Redemption).where(
        Redemption.customer_id == customer_id,
        Redemption.coupon_id == coupon_id,
        Redemption.what.startswith(what, autoescape=True),
        Redemption.state == "reserved",
    )
    for earlier in session.scalars(mine.with_for_update()):
        _let_go(session, earlier)


def _fill(made: Redemption, coupon: Coupon, discount: Discount) -> None:
    """What a fresh reservation says; a purchase that is tried again fills its row again."""
    made.coupon_id, made.state, made.subscription_id = coupon.id, "reserved", None
    made.left = left_at_first(coupon.duration, coupon.months)
    made.off_minor, made.currency = discount.off.minor, discount.price.currency
    made.given, made.invoices = 0, []
    made.created_at, made.finished_at = clock.now(), None


def _latest() -> datetime:
    return clock.now() + HELD_FOR


def _locked(session: Session, code: str, before: Redemption | None) -> Coupon | None:
    """The coupon, locked, and with it the one it replaces: always in the same order, so that no two wait for each
    other."""
    wanted = (Coupon.code == code) | (Coupon.id == (before.coupon_id if before else ""))
    found = select(Coupon).where(wanted).order_by(Coupon.id).with_for_update()
    rows = session.scalars(found.execution_options(populate_existing=True)).all()
    return next((row for row in rows if row.code == code), None)


def _of_key(session: Session, customer_id: str, key: str, *, lock: bool = False) -> Redemption | None:
    asked = select(Redemption).where(Redemption.customer_id == customer_id, Redemption.key == key)
    asked = asked.with_for_update() if lock else asked
    return session.scalars(asked.execution_options(populate_existing=True)).one_or_none()
