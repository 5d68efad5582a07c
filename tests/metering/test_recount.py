"""Batches over changes of terms and days: what is written equals a recount from the events and the ledger (SPEC U1)."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from app.db import transaction
from app.flows import close_usage
from app.metering.events import NewEvent
from app.subscriptions import overrides
from app.subscriptions.overrides import Negotiated
from tests.support.plans import offer
from tests.support.time import Clock
from tests.support.usage import User


def test_counters_periods_overage_and_holds_equal_a_recount(
    user: User, sessions: sessionmaker[Session], clock: Clock
) -> None:
    """Repeated ids, late events, two months, and another price in between."""
    offer(user.session, "oper")
    user.has(3_000_000)
    chance = random.Random(1)
    clock.set(datetime(2026, 3, 30, 22, tzinfo=UTC))
    accepted = refused = 0
    for number in range(9):
        rows = [any_event(chance, clock.now) for _ in range(chance.randint(1, 20))]

        told = user.reports(*rows)

        assert told.accepted + told.duplicates + len(told.refused) == len(rows)
        accepted, refused = accepted + told.accepted, refused + len(told.refused)
        clock.advance(hours=chance.randint(1, 12))
        if number in (3, 5):
            negotiate(user, "invoice" if number == 3 else "wallet", chance.choice([10, 250]))
        if number == 6:
            close_usage.settle_days(sessions)
    assert user.faults() == []
    assert accepted > 40
    assert refused > 0


def any_event(chance: random.Random, now: datetime) -> NewEvent:
    return NewEvent(
        f"e{chance.randint(1, 150)}",
        chance.choice(["passports", "proxy_calls", "drop_offs"]),
        chance.randint(1, 2_500),
        chance.choice(["", "a", "b"]),
        now - timedelta(minutes=chance.randint(0, 3_000)),
    )


def negotiate(user: User, mode: str, micros: int) -> None:
    limits = {"allowance:proxy_calls": {"amount": 6_000, "overage_mode": mode, "overage_micros": micros}}
    with transaction(user.session):
        terms = Negotiated(limits=limits)
        overrides.set_override(user.session, user.customer_id, terms, reason="A test", actor="system")
