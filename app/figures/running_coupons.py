"""The coupon that runs on a subscription, and what it takes off an invoice."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Subquery, func, or_, select
from sqlalchemy.orm import Session

from app.coupons.discount import covers, taken_off
from app.coupons.models import Coupon, Redemption


def newest_running() -> Subquery:
    """The coupons that take something off later invoices; the newest of a subscription (`place` 1) is the one used."""
    r = Redemption
    newest = func.row_number().over(
        partition_by=(r.customer_id, r.subscription_id), order_by=(r.finished_at.desc(), r.id.desc())
    )
    running = select(r.customer_id, r.subscription_id, r.coupon_id, newest.label("place"))
    return running.where(*_is_running()).subquery("running")


def _is_running() -> tuple[ColumnElement[bool], ...]:
    r = Redemption
    return r.state == "redeemed", r.subscription_id.is_not(None), or_(r.left.is_(None), r.left > 0)


def coupons_of(session: Session, named: list[tuple[str, str]]) -> dict[tuple[str, str], Coupon]:
    """The coupon that runs on each of these subscriptions (customer, id), where one does."""
    if not named:
        return {}
    r = Redemption
    found = session.execute(
        select(r.customer_id, r.subscription_id, Coupon)
        .join(Coupon, Coupon.id == r.coupon_id)
        .where(*_is_running(), r.customer_id.in_({whose for whose, _ in named}))
        .where(r.subscription_id.in_({each for _, each in named}))
        .order_by(r.finished_at, r.id)
    )
    return {(row[0], str(row[1])): row[2] for row in found}  # of several the newest stays


def off_invoice(coupon: Coupon | None, price_minor: int, currency: str, plan: str) -> int:
    """What the coupon takes off one invoice of this price; nothing where it is for other plans or another currency."""
    if coupon is None or coupon.currency not in (None, currency) or not covers(coupon.scope, f"plan:{plan}"):
        return 0
    return taken_off(coupon.kind, coupon.value, price_minor)
