"""A pack paid with a coupon that another purchase has used since: its payment brings what it paid for (SPEC P15).

That happens where a page cannot be closed at its provider: who comes back takes the coupon along to another page, and
then pays the first one too.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import activity, coupons
from app.payments.models import Order
from app.providers.events import PaymentSucceeded


def redeem(session: Session, order: Order, told: PaymentSucceeded) -> None:
    """Its coupon is used, or the pack becomes as much smaller as the price was."""
    used = coupons.redeem(session, order.customer_id, order.id)
    if used is None or used.state == "redeemed" or not order.request["off_minor"]:
        return
    whole = order.request
    part = max(1, whole["credits"] * (told.net.minor + told.discount) // whole["price_minor"])
    name = f"{whole['name']}, in part: coupon {whole['coupon']} was used otherwise"
    order.request = {**whole, "credits": part, "name": name}
    facts = {"credits": part, "instead_of": whole["credits"], "coupon": whole["coupon"]}
    activity.record(session, told.provider, "order.coupon_gone", order.id, customer_id=order.customer_id, **facts)
