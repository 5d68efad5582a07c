"""Disputed payments in tests: a top-up that was paid, and what a bank makes of it, told as a provider tells it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.customers.models import Customer
from app.db import transaction
from app.flows import settle, top_up
from app.payments import inbox
from app.payments.dispute_table import Dispute
from app.providers.values import CustomerRef
from tests.support.fake_provider import FakeProvider, heard, told

_KNOWN: dict[str, CustomerRef] = {}  # to all the doubles, as one provider knows its customers


def tops_up(session: Session, customer_id: str, minor: int = 5000, payment: str = "pay_1") -> None:
    """A top-up of so many cents, paid through the double."""
    fake, customer = FakeProvider(), session.get_one(Customer, customer_id)
    fake.customers = _KNOWN
    order = top_up.start(
        session, fake, customer, minor, form_key=payment, return_url="https://x.example/", actor="usr_1"
    )
    news(session, fake, "paid", order.id, payment=payment, amount=minor)


def disputes(session: Session, phase: str = "open", minor: int = 5000, payment: str = "pay_1", **more: Any) -> Dispute:
    """The bank takes back so many cents of this payment, or whatever `phase` says; the dispute as it is then."""
    facts = {"dispute": f"dp_{payment}", **more}
    news(session, FakeProvider(), "dispute", None, phase=phase, payment=payment, amount=minor, **facts)
    with transaction(session):
        return session.scalars(select(Dispute).where(Dispute.provider_dispute_id == facts["dispute"])).one()


def news(session: Session, fake: FakeProvider, kind: str, order: str | None, **more: Any) -> None:
    came = heard(told(kind, order, **more))
    with transaction(session):
        inbox.keep(session, provider=fake.name, verified=came.verified, body=came.body, headers={})
    settle.apply_pending(sessionmaker(session.get_bind(), expire_on_commit=False), {fake.name: fake})
    session.expire_all()
