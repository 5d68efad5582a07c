"""Customers who use things: `user` is Ada, whose usage is reported."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app import ledger, metering
from app.catalogue import file, publish, shipped
from app.db import transaction
from app.flows import close_usage, renew
from app.invoices import Invoice, InvoiceLine
from app.metering import NewEvent, Recorded, reads
from app.metering.reads import MeterNow
from app.payments import customers
from app.providers.port import Provider
from app.providers.values import CustomerRef
from app.subscriptions import standing
from app.wallet import adjust
from tests.support import recount
from tests.support.fake_cards import CardProvider
from tests.support.people import Person

Closes = Callable[[], int]

_numbers = itertools.count(1)

# A meter that is invoiced and one that the wallet pays.
BOTH_MODES = """
[meters.views]
name = "Views"
unit = "view"
overage = "invoice"
overage_price = "0.002"

[meters.calls]
name = "Calls"
unit = "call"
overage = "wallet"
overage_price = "0.001"

[plans.free]
rank = 0
name = "Free"
monthly = "0.00"
allowances = { views = 1_000, calls = 0 }
"""


@pytest.fixture
def catalogue(session: Session) -> Callable[[str], None]:
    """Puts a shipped catalogue on offer, or the text of one."""

    def put(name: str) -> None:
        text = shipped.text_of(name) if name in shipped.names() else name
        with transaction(session):
            publish.apply(session, file.read(text, currency="usd"), actor="test")

    return put


@pytest.fixture
def user(ada: Person) -> User:
    return User(ada)


class User:
    """A customer whose usage is reported."""

    def __init__(self, person: Person) -> None:
        self.person, self.session, self.customer_id = person, person.session, person.customer_id

    def uses(self, meter: str, quantity: int = 1, *, id: str = "", **more: Any) -> Recorded:  # noqa: A002 - the event's
        return self.reports(NewEvent(id or f"ev{next(_numbers)}", meter, quantity, **more))

    def reports(self, *events: NewEvent) -> Recorded:
        with transaction(self.session):
            return metering.record(self.session, self.customer_id, events)

    def meter(self, key: str, period_start: datetime | None = None) -> MeterNow:
        with transaction(self.session):
            now = reads.meters(self.session, standing.of(self.session, self.customer_id), period_start=period_start)
        return next(meter for meter in now if meter.key == key)

    @property
    def available(self) -> int:
        """Of the wallet, in micros."""
        with transaction(self.session):
            return ledger.balance(self.session, self.person.wallet).available

    def faults(self) -> list[str]:
        """Where what is kept differs from an independent recount."""
        with transaction(self.session):
            return recount.faults(self.session, self.customer_id)

    def has(self, micros: int) -> None:
        """Put so much into the wallet, or take all but so much out of it."""
        with transaction(self.session):
            by = micros - ledger.balance(self.session, self.person.wallet).balance
            if by:
                adjust.adjust(self.session, self.customer_id, by, reason="A test", actor="system", key=str(by))


@pytest.fixture
def closes(sessions: sessionmaker[Session], providers: dict[str, Provider]) -> Closes:
    """Lets the worker close what is due, and pay what subscriptions owe, until nothing is left."""

    def run() -> int:
        done = 0
        while now := close_usage.close_due(sessions, providers) + renew.renew_due(sessions, providers):
            done += now
            assert done < 500, "it never comes to an end"
        return done

    return run


def entries(user: User) -> list[ledger.Line]:
    with transaction(user.session):
        return ledger.history(user.session, user.person.wallet, kinds=["overage"])


def invoices(user: User) -> list[Invoice]:
    with transaction(user.session):
        mine = select(Invoice).where(Invoice.customer_id == user.customer_id, Invoice.reason == "usage")
        return list(user.session.scalars(mine.order_by(Invoice.created_at)))


def lines(user: User, invoice: Invoice) -> list[tuple[str, int, int | None, int]]:
    with transaction(user.session):
        its = (InvoiceLine.customer_id == user.customer_id, InvoiceLine.invoice_id == invoice.id)
        found = user.session.scalars(select(InvoiceLine).where(*its).order_by(InvoiceLine.position))
        return [(line.description, line.quantity, line.unit_micros, line.amount_minor) for line in found]


def saves_card(user: User, fake: CardProvider) -> None:
    ref = CustomerRef("pc_ada", user.customer_id)
    with transaction(user.session):
        customers.remember(user.session, ref, fake.name)
    fake.saves(ref)
