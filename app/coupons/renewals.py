"""A coupon on a subscription's later invoices: repeating for some months, or forever (SPEC P15)."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.coupons import gifts
from app.coupons.discount import Discount, covers, left_after
from app.coupons.models import Coupon, Redemption
from app.coupons.quote import discount_of
from app.money import Money


def for_invoice(
    session: Session, customer_id: str, subscription_id: str, price: Money, *, what: str | None = None
) -> Discount | None:
    """What the subscription's coupon takes off its next invoice of `price`, before tax; None where it has none left.

    For renewals: the first invoice's discount is the reservation's. `what` ("plan:<key>") is the plan invoiced now;
    a coupon for other plans sleeps meanwhile. The newest coupon counts.
    """
    newest = (
        select(Redemption, Coupon)
        .join(Coupon, Coupon.id == Redemption.coupon_id)
        .where(
            Redemption.customer_id == customer_id,
            Redemption.subscription_id == subscription_id,
            Redemption.state == "redeemed",
            or_(Redemption.left.is_(None), Redemption.left > 0),
        )
        .order_by(Redemption.finished_at.desc(), Redemption.id.desc())
        .limit(1)
    )
    row = session.execute(newest).one_or_none()
    if row is None:
        return None
    redemption, coupon = row
    if coupon.currency not in (None, price.currency) or (what is not None and not covers(coupon.scope, what)):
        return None
    return discount_of(coupon, price, redemption.id)


def use_up(session: Session, customer_id: str, discount: Discount, *, invoice_id: str, months: int = 1) -> None:
    """Count this discount as used for an invoice of so many months (12 for a yearly one), once per invoice.

    To be called in the transaction that makes the invoice; a bonus in credits is given here.
    """
    assert discount.redemption_id is not None, "a quote is not a use"
    redemption = session.scalars(
        select(Redemption)
        .where(Redemption.customer_id == customer_id, Redemption.id == discount.redemption_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if invoice_id in redemption.invoices:
        return
    redemption.invoices = [*redemption.invoices, invoice_id][-_REMEMBERED:]
    redemption.left = left_after(redemption.left, months)
    redemption.given += discount.credits or discount.off.minor
    gifts.give(session, session.get_one(Coupon, redemption.coupon_id), redemption, occasion=invoice_id)
    session.flush()


_REMEMBERED = 36  # a coupon that lasts forever shall not grow its row forever; nobody repeats an older invoice
