"""Who may check in: the conditions staff set against farming (SPEC C5), each with what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.customers.models import Membership
from app.payments.models import Order
from app.people.models import User
from app.subscriptions import standing


def reason_against(session: Session, customer_id: str, who: str) -> str:
    """The sentence that says what is missing; "" for a customer who may."""
    holds, sentence = CONDITIONS[who]
    return "" if holds(session, customer_id) else sentence


def _anyone(_session: Session, _customer_id: str) -> bool:
    return True


def _verified(session: Session, customer_id: str) -> bool:
    """Somebody here has confirmed an address. A customer without people was not made by a stranger, but by the host."""
    of_customer = (
        select(func.count(), func.count(User.email_verified_at))
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(Membership.customer_id == customer_id)
    )
    people, confirmed = session.execute(of_customer).one()
    return bool(confirmed or not people)


def _payer(session: Session, customer_id: str) -> bool:
    paid = select(Order.id).where(Order.customer_id == customer_id, Order.state == "paid")
    return session.scalar(paid.limit(1)) is not None


def _paid_plan(session: Session, customer_id: str) -> bool:
    now = standing.of(session, customer_id)
    return now.status in ("active", "past_due") and now.price is not None and now.price.minor > 0


CONDITIONS: dict[str, tuple[Callable[[Session, str], bool], str]] = {
    "everyone": (_anyone, ""),
    "verified": (_verified, "Confirm your email address first: check-in is for people we can write to."),
    "payer": (_payer, "Check-in is for customers who have paid for something: a plan, a top-up or a pack."),
    "paid_plan": (_paid_plan, "Check-in is part of the paid plans."),
}
