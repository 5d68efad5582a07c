"""Every number of the usage page, the overview and the credits page is what raw events and the ledger come to.

For the demo's people, and for customers who did things at random.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import credits, ids, metering
from app.cli import story
from app.customers.models import Customer
from app.db import transaction
from app.flows import close_usage
from app.metering import NewEvent
from app.metering.models import UsageEvent
from app.people import users
from app.wallet import debit
from tests.support import credits_end, dashboard_recount
from tests.support.model_calls import billed
from tests.support.people import Person
from tests.web.page_recount import check_pages


def test_the_demo_s_pages_say_what_events_and_ledger_come_to(session, settings, client_of, finance):
    story.tell(session, settings)

    for told in (story.ADA, story.BO, story.CY):
        check_pages(client_of, session, demo_person(session, told.email))
    dashboard_recount.check(client_of(finance), session)


def test_so_do_the_pages_of_customers_who_did_things_at_random(session, sessions, metered, ada, bo, client_of, clock):
    chance = random.Random(4)
    for who in (ada, bo):
        who.gets(chance.randrange(2_000, 9_000))
    clock.set(datetime(2026, 1, 28, 22, 15, tzinfo=UTC))

    for step in range(18):
        clock.advance(hours=chance.randrange(20, 60))
        close_usage.close_due(sessions, {})
        with transaction(session):
            credits_end.expire_due(session, the_clock.now(), 50)
        for who in (ada, bo):
            live_a_little(session, who, chance, step)

    for who in (ada, bo):
        check_pages(client_of, session, who)
    overrun = set(session.scalars(select(UsageEvent.meter).where(UsageEvent.over_micros > 0)))
    assert overrun == {"calls", "runs"}, "else nothing that costs was compared"
    assert True in set(session.scalars(select(UsageEvent.late))), "nor anything late"


def live_a_little(session: Session, who: Person, chance: random.Random, step: int) -> None:
    """Some usage, some of it late, twice or refused, and now and then something about credits and the wallet."""
    now = the_clock.now()
    events = [
        NewEvent(
            id=f"evt-{step}-{chance.randrange(6)}",
            meter=chance.choice(("calls", "calls", "runs", "jobs", "views")),
            quantity=chance.choice((1, 2, 17, 40, 260)),
            source=chance.choice(("", "eu", "us", "a <b> & c")),
            occurred_at=now - timedelta(hours=chance.choice((0, 0, 0, 5, 30, 900))),
        )
        for _ in range(chance.randrange(8))
    ]
    with transaction(session):
        metering.record(session, who.customer_id, events)
    if chance.random() < 0.3:
        with transaction(session):
            ends = chance.choice((None, now + timedelta(days=chance.randrange(2, 60))))
            given = {"source": "promo", "key": ids.new("k"), "actor": "test", "expires_at": ends}
            credits.grant(session, who.customer_id, chance.randrange(1, 90), **given)
    if chance.random() < 0.5 and credits.balance(session, who.customer_id).available >= 7:
        with transaction(session):
            spent = credits.spend(session, who.customer_id, "draw", 1, key=ids.new("k"), actor="test")
            if chance.random() < 0.3:
                why = {"key": ids.new("k"), "reason": "It failed", "actor": "test"}
                credits.reverse(session, who.customer_id, spent.entry.id, **why)
    if chance.random() < 0.3:
        with transaction(session):
            micros = chance.randrange(1, 90_000)
            debit.debit(session, who.customer_id, micros, description="A call", key=ids.new("k"), by="test")
    for _ in range(chance.randrange(3)):
        tokens = (chance.randrange(9_000), chance.randrange(900), chance.randrange(100))
        about = {"model": chance.choice(("gpt-5", "o3")), "key_id": chance.choice(("key_1", "key_2"))}
        billed(session, who, chance.randrange(1, 9_999), tokens=tokens, **about)


def demo_person(session: Session, email: str) -> Person:
    user = users.by_email(session, email)
    customer = session.scalars(select(Customer).where(Customer.email == email)).one()
    return Person(session, user.id, user.name, email, customer.id)
