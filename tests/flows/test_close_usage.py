"""Closing usage: days into the ledger, periods into invoices, once each, however late and by however many (SPEC U3)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.db import transaction
from app.flows import close_usage
from app.metering.models import UsageAccrual, UsageEvent, UsagePeriod
from app.providers.port import Provider
from app.subscriptions.models import Subscription
from tests.support.crashes import Crash, Doom
from tests.support.fake_cards import CardProvider
from tests.support.plans import Subscriber
from tests.support.time import Clock
from tests.support.usage import BOTH_MODES, Closes, User, entries, invoices, lines, saves_card

Put = Callable[[str], None]
MARCH, CLOSES = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, 1, tzinfo=UTC)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Counting is tested on both databases in tests/metering, and two workers at once in test_close_usage_at_once."""
    return sqlite_url


@pytest.fixture
def fake() -> CardProvider:
    return CardProvider()


def test_a_days_entry_is_what_accrued_to_the_micro(user: User, catalogue: Put, closes: Closes, clock: Clock) -> None:
    catalogue("oper")
    user.uses("passports", 50_000)
    for quantity in (1, 2, 4_000):
        user.uses("passports", quantity)
    user.uses("proxy_calls", 5_007)
    before = user.available

    clock.set(datetime(2026, 3, 15, 0, 4, 59, tzinfo=UTC))
    assert closes() == 0, "until five minutes after midnight the day is not over"
    clock.advance(days=3)
    assert closes() == 2
    assert closes() == 0

    told = [(line.amount, line.data["meter"], line.data["day"], line.data["units"]) for line in entries(user)]
    assert sorted(told) == [(-400_300, "passports", "2026-03-14", 4_003), (-7_000, "proxy_calls", "2026-03-14", 7)]
    assert user.available == before
    assert user.meter("passports").held_micros == 0
    assert user.faults() == []


def test_each_day_has_an_entry_of_its_own(user: User, catalogue: Put, closes: Closes, clock: Clock) -> None:
    catalogue("oper")
    user.uses("drop_offs", 501)
    clock.advance(days=1)
    user.uses("drop_offs", 2)
    clock.advance(days=1)

    closes()
    user.uses("drop_offs", 3)

    assert [(line.data["day"], line.amount) for line in entries(user)] == [("2026-03-15", -200), ("2026-03-14", -100)]
    assert user.meter("drop_offs").held_micros == 300
    assert user.faults() == []


def test_the_invoice_has_one_line_rounded_once(user: User, catalogue: Put, closes: Closes, clock: Clock) -> None:
    catalogue("view")
    user.uses("views", 1_000)
    for _ in range(7):
        user.uses("views")  # $0.002 each: 1.4 cents

    clock.set(CLOSES - timedelta(seconds=1))
    assert closes() == 0
    clock.set(CLOSES + timedelta(days=4))
    closes()

    [invoice] = invoices(user)
    assert lines(user, invoice) == [("Views beyond the plan", 7, 2_000, 1)]
    assert (invoice.status, invoice.paid_with, invoice.total_minor) == ("paid", "Wallet", 1)
    assert user.meter("views", MARCH).closed_at == clock.now
    assert closes() == 0
    assert len(invoices(user)) == 1


def test_what_rounds_to_nothing_is_not_invoiced(user: User, catalogue: Put, closes: Closes, clock: Clock) -> None:
    catalogue("view")
    user.uses("views", 1_002)

    clock.set(CLOSES)
    closes()

    assert invoices(user) == []
    assert user.meter("views", MARCH).closed_at is not None


def test_an_event_of_a_closed_period_counts_in_the_open_one_and_says_so(
    user: User, catalogue: Put, closes: Closes, clock: Clock
) -> None:
    catalogue("view")
    user.uses("views", 10)
    clock.set(CLOSES)
    closes()

    user.uses("views", 5, id="tardy", occurred_at=datetime(2026, 3, 20, tzinfo=UTC))

    assert (user.meter("views", MARCH).used, user.meter("views").used) == (10, 5)
    with transaction(user.session):
        event = user.session.get_one(UsageEvent, (user.customer_id, "tardy"))
        assert (event.late, event.day, event.period_start) == (True, "2026-03-20", datetime(2026, 4, 1, tzinfo=UTC))
    assert user.faults() == []


def test_a_period_whose_end_was_moved_stays_open_until_then(
    subscriber: Subscriber, user: User, catalogue: Put, closes: Closes, clock: Clock
) -> None:
    catalogue("view")
    user.has(100_000_000)
    subscriber.subscribes("starter")
    sub_id = subscriber.sub.id
    for days in (6, 11):  # a trial at a provider, which is then made longer
        with transaction(user.session):
            sub = user.session.get_one(Subscription, (user.customer_id, sub_id))
            sub.paid_by, sub.channel, sub.provider_id, sub.due_at = "card", "stripe", "sub_1", None
            sub.period_end = sub.anchor_at = sub.period_start + timedelta(days=days)
        if days == 6:
            user.uses("views", 20_000)
    clock.set(datetime(2026, 3, 21, tzinfo=UTC))
    closes()

    user.uses("views", 10_000)
    clock.set(datetime(2026, 3, 26, tzinfo=UTC))
    closes()

    [invoice] = invoices(user)
    assert lines(user, invoice) == [("Views beyond the plan", 5_000, 2_000, 1_000)]
    assert user.faults() == []


def test_an_upgrade_in_mid_period_leaves_a_line_for_each_price(
    subscriber: Subscriber, user: User, catalogue: Put, closes: Closes, clock: Clock
) -> None:
    catalogue("view")
    user.has(500_000_000)
    sub = subscriber.subscribes("starter")
    user.uses("views", 25_003)
    with transaction(user.session):  # the plan changes, its period does not: changes of plan have tests of their own
        growth = user.session.get_one(Subscription, (user.customer_id, sub.id))
        growth.plan_id = plan_id(user.session, "growth")

    assert user.meter("views").allowance == 150_000
    user.uses("views", 150_000 - 25_003)
    now = user.meter("views")
    assert (now.used, now.over, now.over_micros, now.unit_micros) == (150_000, 3, 6_000, 1_500)
    user.uses("views", 11)
    clock.set(datetime(2026, 4, 14, 10, 30, tzinfo=UTC))
    closes()

    [invoice] = invoices(user)
    assert lines(user, invoice) == [("Views beyond the plan", 11, 1_500, 2), ("Views beyond the plan", 3, 2_000, 1)]
    assert user.faults() == []


def plan_id(session: Session, key: str) -> str:
    from app.catalogue.reads import offered_plans

    return next(plan.id for plan in offered_plans(session) if plan.key == key)


def test_a_crash_at_any_step_is_repaired_by_running_again(
    user: User, catalogue: Put, engine: Engine, closes: Closes, clock: Clock, fake: CardProvider,
    providers: dict[str, Provider],
) -> None:  # fmt: skip
    catalogue(BOTH_MODES)
    saves_card(user, fake)
    crashed = point = 0
    while crashed == point:
        user.uses("views", 1_500 if point == 0 else 2_500)
        user.uses("calls", 10)
        clock.set((clock.now + timedelta(days=32)).replace(day=1, hour=1, minute=0))
        doom = Doom(point, fake)
        with contextlib.suppress(Crash):
            close_usage.close_due(doom.sessions(engine), providers)
            crashed -= 1
        fake.before = fake.after = lambda _what="": None
        clock.advance(minutes=3)  # beyond the lease of a charge
        closes()

        point += 1
        crashed += 1
        assert len(invoices(user)) == len(fake.succeeded) == len(entries(user)) == point
        assert {invoice.status for invoice in invoices(user)} == {"paid"}
        assert user.faults() == []
    assert point > 10, "it has as many steps"
    with transaction(user.session):
        assert not user.session.scalars(select(UsageAccrual).where(UsageAccrual.entry_id.is_(None))).all()
        assert not user.session.scalars(select(UsagePeriod).where(UsagePeriod.closed_at.is_(None))).all()
