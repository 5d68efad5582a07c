"""The plan of one of the demo's people that the sandbox bills, with a card in front of it that will fail."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.catalogue import reads
from app.customers.models import Customer
from app.flows import payer, subscribe
from app.providers.port import Provider
from app.sandbox.engine import cards, methods
from app.sandbox.server import Running

PLAN = "growth"
WORKS, FAILS_LATER = "4242424242424242", "4000000000000341"


def tell(session: Session, provider: Provider, sandbox: Running, email: str) -> None:
    """A subscription that the sandbox renews, with a card in front of it that will decline the next charge."""
    customer = session.scalars(select(Customer).where(Customer.email == email)).one()
    if PLAN not in [plan.key for plan in reads.offered_plans(session)]:
        return
    session.rollback()
    ref = payer.known(session, provider, customer)
    _saves(sandbox, ref.id, WORKS)
    subscribe.with_card(session, provider, customer, PLAN, "month", form_key="seed-plan", actor="system")
    _saves(sandbox, ref.id, FAILS_LATER)


def _saves(sandbox: Running, provider_customer: str, number: str) -> None:
    """Save a test card there, as the one that is charged."""
    of = cards.source(number)
    assert of is not None, "a number of the sandbox's own"
    with sandbox.sandbox.writing() as tx:
        method = methods.make(tx, of)
        methods.attach(tx, method, provider_customer)
        methods.make_default(tx, tx.get("customer", provider_customer), method["id"])
