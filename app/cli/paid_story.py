"""The demo's past payments as its sandbox knows them, so that they can be refunded and disputed like new ones."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.money import Money
from app.payments.models import Payment
from app.sandbox.engine import cards, charges, methods
from app.sandbox.server import Running
from app.sandbox.tx import Tx

PAID_WITH = "4242424242424242"


def tell(session: Session, sandbox: Running) -> None:
    """Put every payment into the sandbox that it does not know. Of what is long past it sends no events."""
    paid = session.execute(
        select(Payment.payment_id, Payment.net_minor + Payment.tax_minor, Payment.currency, Payment.at)
        .where(Payment.channel == "stripe")
        .order_by(Payment.at)
    ).all()
    session.rollback()
    of = cards.source(PAID_WITH)
    assert of is not None, "a number of the sandbox's own"
    with sandbox.sandbox.writing() as tx:
        for payment_id, minor, currency, at in paid:
            if tx.find(payment_id) is None:
                _record(tx, payment_id, Money(minor, currency), at, of)


def _record(tx: Tx, payment_id: str, paid: Money, at: datetime, of: cards.Source) -> None:
    """The intent that succeeded, and its charge, at the time they were made."""
    then = int(at.timestamp())
    method = methods.make(tx, of)
    intent = tx.new(
        "payment_intent",
        id=payment_id,
        created=then,
        amount=paid.minor,
        amount_received=paid.minor,
        currency=paid.currency,
        payment_method=method["id"],
        status="succeeded",
    )
    charge = charges.succeeded(tx, intent, method, authenticated=False)
    tx.change(charge, created=then)
    tx.change(intent, latest_charge=charge["id"])
