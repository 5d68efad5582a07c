"""A simulated year of customers paying by wallet and card: every second invoiced once, and nobody's credits touched.

`TEST_YEAR_CUSTOMERS=200` in the environment makes it the full year; `TEST_YEAR_SEED` another one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from app import ledger
from app.activity.models import Activity
from app.db import transaction
from app.flows import audit_books
from app.invoices import CreditNote, Invoice
from app.ledger import Account
from app.payments import ProviderEvent
from app.sandbox.config import SandboxConfig
from app.sandbox.server import Running, running_sandbox
from app.subscriptions.models import Subscription, SubscriptionChange
from tests.support import paid_periods
from tests.support.payments import KEY
from tests.support.time import Clock
from tests.support.year import CREDITS, Year

CUSTOMERS = int(os.environ.get("TEST_YEAR_CUSTOMERS", "3"))
SEED = int(os.environ.get("TEST_YEAR_SEED", "1"))


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def provider(tmp_path: Path, clock: Clock) -> Iterator[Running]:
    """A sandbox on the test's clock, that does not stop to prove each event."""
    still_at = int(clock.now.timestamp())
    config = SandboxConfig(database=tmp_path / "sandbox.db", secret_key=KEY, still_at=still_at, checks_events=False)
    with running_sandbox(config, delivers=False) as running:
        yield running


@pytest.mark.timeout(7200 if CUSTOMERS > 20 else 300)
def test_a_year(
    session: Session, sessions: sessionmaker[Session], provider: Running, clock: Clock, plans: None
) -> None:
    year = Year(session, sessions, provider, clock, customers=CUSTOMERS, seed=SEED)

    year.runs()

    with transaction(session):
        session.expire_all()
        sys.stdout.write(figures(session, year))
        no_event_was_given_up(session)
        every_second_is_invoiced_once(session)
        no_change_hangs(session)
        credits_are_as_they_were(session, year)
        own_invoices_are_in_the_books(session)
        assert audit_books.audit(session, full=True).faults == []
    everything_is_as_the_provider_has_it(session, year)


def figures(session: Session, year: Year) -> str:
    """What was done and what came of it, for people who run a full year."""
    done = select(Activity.action, func.count()).group_by(Activity.action)
    known = ("subscription.", "invoice.", "change.", "order.")
    came = [(action, count) for action, count in session.execute(done) if action.startswith(known)]
    told = [f"{CUSTOMERS} customers, seed {SEED}", *(f"  {count:6} {what}" for what, count in sorted(year.did.items()))]
    events = session.scalar(select(func.count()).select_from(ProviderEvent))
    told += [f"came of it, by {events} events:", *(f"  {count:6} {action}" for action, count in sorted(came))]
    return "\n".join(["", *told, ""])


def no_event_was_given_up(session: Session) -> None:
    dead = session.execute(
        select(ProviderEvent.type, ProviderEvent.error).where(ProviderEvent.state.in_(("dead", "pending")))
    ).all()
    assert dead == []


def every_second_is_invoiced_once(session: Session) -> None:
    for sub in session.scalars(select(Subscription)):
        found = [each for each in paid_periods.periods_of(session, sub) if each.starts_at < each.ends_at]
        spans = [(each.starts_at, each.ends_at) for each in found]
        told = (sub.id, sub.paid_by, sub.status, sub.started_at, sub.period_end, sub.ended_at, spans)
        if sub.ended_at is None or sub.ended_at > sub.started_at:
            assert spans, told
            assert spans[0][0] == sub.started_at, told
            assert spans[-1][1] == (sub.ended_at or sub.period_end), told
            assert all(first[1] == second[0] for first, second in pairwise(spans)), told
        for each in found:
            assert session.get(Invoice, (sub.customer_id, each.invoice_id)) is not None, told


def no_change_hangs(session: Session) -> None:
    hanging = session.scalars(select(SubscriptionChange).where(SubscriptionChange.state == "in_flight")).all()
    assert [(change.kind, change.details, change.action_url) for change in hanging] == []


def credits_are_as_they_were(session: Session, year: Year) -> None:
    for customer in year.customers:
        assert ledger.balance(session, Account(customer.id, "credits", "credits")).balance == CREDITS


def own_invoices_are_in_the_books(session: Session) -> None:
    """Revenue and tax are what invoices of ours came to, less what their credit notes gave back to the wallet."""
    ours = Invoice.source == "purser"
    paid = session.scalar(select(func.sum(Invoice.paid_minor)).where(ours)) or 0
    back = session.scalar(
        select(func.sum(CreditNote.total_minor)).where(
            CreditNote.source == "purser", CreditNote.returned_to == "wallet"
        )
    )
    earned = sum(row.balance for row in ledger.trial_balance(session) if row.account in ("revenue", "tax"))
    assert earned == (paid - (back or 0)) * 10_000


def everything_is_as_the_provider_has_it(session: Session, year: Year) -> None:
    with year.sandbox.sandbox.reading() as tx:
        theirs = {each["id"]: each for each in tx.every("subscription", limit=100_000)}
        bills = tx.every("invoice", limit=100_000)
    with transaction(session):
        mine = {sub.provider_id: sub for sub in session.scalars(select(Subscription)) if sub.provider_id}
        mirrored = {
            each.provider_id: each for each in session.scalars(select(Invoice).where(Invoice.source == "stripe"))
        }
    for provider_id, said in theirs.items():
        sub = mine.get(provider_id)
        if said["status"] in ("canceled", "incomplete_expired"):
            assert sub is None or sub.ended_at is not None or sub.paid_by == "wallet", (provider_id, said["status"])
            continue
        assert sub is not None, f"{provider_id} is {said['status']} and nobody's"
        if said["status"] == "trialing":
            assert (sub.paid_by, sub.pays_next_by) == ("wallet", "card")
            continue
        known = {"active": ("active",), "past_due": ("past_due", "restricted"), "unpaid": ("restricted",)}
        assert sub.paid_by == "card", provider_id
        assert sub.status in known[said["status"]], (provider_id, said["status"], sub.status)
        item = said["items"]["data"][0]
        assert int(sub.period_end.timestamp()) == item["current_period_end"], provider_id
        assert sub.price_minor == item["price"]["unit_amount"], provider_id
    for bill in bills:
        if bill["status"] != "draft" and bill["id"] in mirrored:
            known_as = mirrored[bill["id"]]
            assert known_as.total_minor == bill["total"], bill["id"]
            assert known_as.status in (bill["status"], "refunded"), (bill["id"], bill["status"], known_as.status)
