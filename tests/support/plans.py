"""Plans on offer in tests, and a customer who pays for one from the wallet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.catalogue import file, publish, reads, shipped
from app.customers.models import Customer
from app.db import transaction
from app.flows import renew, subscribe_from_wallet
from app.invoices import Invoice
from app.providers.port import Provider
from app.subscriptions.models import Subscription, SubscriptionPeriod
from tests.support import paid_periods
from tests.support.people import Person

PLANS = """
[plans.free]
rank = 0
name = "Free"
monthly = "0.00"

[plans.starter]
rank = 1
name = "Starter"
monthly = "10.00"
yearly = "100.00"

[plans.growth]
rank = 2
name = "Growth"
monthly = "30.00"
yearly = "300.00"

[plans.prompt]
rank = 3
name = "Prompt"
monthly = "60.00"
downgrade = "immediate"
"""


@pytest.fixture
def plans(session: Session) -> None:
    """Free, Starter ($10, $100 a year), Growth ($30, $300) and Prompt ($60, left for less at once)."""
    with transaction(session):
        publish.apply(session, file.read(PLANS, currency="usd"), actor="test")


@pytest.fixture
def subscriber(ada: Person, plans: None) -> Subscriber:
    """Ada, who has money in her wallet, and $5.00 of welcome credit."""
    return Subscriber(ada)


def offer(session: Session, name: str) -> None:
    """Put one of the catalogues that come with the program on offer: `agent`, `oper`, …"""
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of(name), currency="usd"), actor="test")


def put_on(who: Person, plan: str) -> None:
    """Put somebody on one of the plans on offer, paid from a wallet that has just enough."""
    terms = next(one for one in reads.offered_plans(who.session) if one.key == plan)
    who.gets(terms.monthly_minor or 0)
    with transaction(who.session):
        customer = who.session.get_one(Customer, who.customer_id)
    subscribe_from_wallet.start(who.session, customer, plan, "month", form_key=f"to {plan}", actor=who.id)


class Subscriber:
    """Somebody whose subscription is paid from the wallet."""

    def __init__(self, person: Person) -> None:
        self.person, self.session = person, person.session
        self.customer_id = person.customer_id

    @property
    def customer(self) -> Customer:
        with transaction(self.session):
            return self.session.get_one(Customer, self.customer_id)

    def lives_in(self, zone: str) -> None:
        with transaction(self.session):
            self.session.get_one(Customer, self.customer_id).time_zone = zone

    def gets(self, cents: int) -> None:
        self.person.gets(cents)

    def subscribes(self, plan: str = "starter", interval: str = "month", **how: Any) -> Subscription:
        how = {"form_key": "form-1", "actor": self.person.id, **how}
        return subscribe_from_wallet.start(self.session, self.customer, plan, interval, **how)

    @property
    def cents(self) -> int:
        return self.person.balance() // 10_000

    @property
    def sub(self) -> Subscription:
        """The newest subscription as it is in the database now."""
        with transaction(self.session):
            mine = select(Subscription).where(Subscription.customer_id == self.customer_id)
            return self.session.scalars(mine.order_by(Subscription.started_at.desc(), Subscription.id.desc())).first()

    @property
    def invoices(self) -> list[Invoice]:
        """Oldest first."""
        with transaction(self.session):
            mine = select(Invoice).where(Invoice.customer_id == self.customer_id)
            return list(self.session.scalars(mine.order_by(Invoice.created_at, Invoice.id)))

    @property
    def periods(self) -> list[SubscriptionPeriod]:
        sub = self.sub
        with transaction(self.session):
            return paid_periods.periods_of(self.session, sub)

    def spans(self) -> list[tuple[datetime, datetime]]:
        return [(period.starts_at, period.ends_at) for period in self.periods]

    def is_invoiced_without_a_gap(self) -> None:
        """Every second of the subscription is in exactly one period."""
        sub, spans = self.sub, [span for span in self.spans() if span[0] < span[1]]
        assert spans[0][0] == sub.started_at
        assert spans[-1][1] == (sub.ended_at or sub.period_end)
        assert all(first[1] == second[0] for first, second in pairwise(spans))


@pytest.fixture
def works(sessions: sessionmaker[Session], providers: Mapping[str, Provider]) -> Callable[[], int]:
    """Lets the worker renew what is due, until nothing is."""

    def run() -> int:
        done = 0
        while now := renew.renew_due(sessions, providers):
            done += now
            assert done < 500, "it never comes to an end"
        return done

    return run
