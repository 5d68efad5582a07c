"""Whether a payment a provider tells of is the one an order waits for: the checks before any money is credited."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock
from app.payments.customers import customer_behind
from app.payments.models import Order, Payment
from app.providers.events import PaymentSucceeded

BY_ANSWER = ""  # in place of the inbox row, for a payment that was told by the answer to our own charge


class Mismatch(Exception):
    """What arrived is not what was ordered: nothing is credited, a person must look."""


def check(session: Session, order: Order, paid: PaymentSucceeded) -> None:
    """Raises Mismatch unless channel, currency, amount and customer are the order's. Never "credit what came"."""
    if order.channel != paid.provider:
        raise Mismatch(f"Order {order.id} is to be paid through {order.channel}, not {paid.provider}.")
    if order.currency != paid.net.currency:
        raise Mismatch(f"Order {order.id} is in {order.currency}, the payment in {paid.net.currency}.")
    if order.amount_minor != paid.net.minor + paid.discount:
        raise Mismatch(f"Order {order.id} is for {order.amount_minor}, the payment for {paid.net.minor} before tax.")
    if not paid.net.minor:
        raise Mismatch(f"A code took all of order {order.id} off at {paid.provider}: nothing was paid.")
    if paid.product_id is not None and paid.product_id != order.request.get("product_id"):
        raise Mismatch(f"It names order {order.id}, but {paid.product_id} was bought, which that is not sold as.")
    payer = customer_behind(session, paid.provider, paid.customer_id) if paid.customer_id else None
    if payer is not None and payer != order.customer_id:
        raise Mismatch(f"Order {order.id} belongs to {order.customer_id}, the payment to {payer}.")


def answered(session: Session, order: Order, payment_id: str) -> None:
    """Keep a payment that the provider's answer told of; should its event come, too, it finds it taken."""
    row = {
        "channel": order.channel,
        "payment_id": payment_id,
        "customer_id": order.customer_id,
        "order_id": order.id,
        "net_minor": order.amount_minor,
        "tax_minor": 0,
        "currency": order.currency,
        "is_extra": order.payment_id is not None and order.payment_id != payment_id,
        "event_id": BY_ANSWER,
        "at": clock.now(),
    }
    unique = ["channel", "payment_id"]
    session.execute(insert(Payment).values(row).on_conflict_do_nothing(index_elements=unique))


def take(session: Session, order: Order, paid: PaymentSucceeded, *, inbox_id: str) -> bool:
    """Claim the payment for this order; whether this is the first time it is told.

    Raises Mismatch when it already paid for another order.
    """
    row = {
        "channel": paid.provider,
        "payment_id": paid.payment_id,
        "customer_id": order.customer_id,
        "order_id": order.id,
        "net_minor": paid.net.minor,
        "tax_minor": paid.tax,
        "currency": paid.net.currency,
        "invoice_id": paid.invoice_id,
        "is_extra": order.payment_id is not None and order.payment_id != paid.payment_id,
        "event_id": inbox_id,
        "at": clock.now(),
    }
    unique = ["channel", "payment_id"]
    claimed = insert(Payment).values(row).on_conflict_do_nothing(index_elements=unique).returning(Payment.order_id)
    if session.execute(claimed).scalar_one_or_none() is not None:
        return True
    known = Payment.channel == paid.provider, Payment.payment_id == paid.payment_id
    paid_for = session.scalars(select(Payment.order_id).where(*known)).one()
    if paid_for != order.id:
        raise Mismatch(f"Payment {paid.payment_id} already paid for order {paid_for}, not {order.id}.")
    return False
