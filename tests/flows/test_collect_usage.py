"""Paying for overage that was invoiced: with the plan's invoices, or by itself from card and wallet (SPEC U3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.db import transaction
from app.flows import cancel_from_wallet, dunning
from app.invoices import Invoice
from app.notices.models import Notice
from tests.flows.test_close_usage import CLOSES
from tests.support.fake_cards import CardProvider
from tests.support.plans import Subscriber
from tests.support.time import Clock
from tests.support.usage import Closes, User, invoices, saves_card

Put = Callable[[str], None]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The locks are those of renewals, which are tested on both databases."""
    return sqlite_url


@pytest.fixture
def fake() -> CardProvider:
    return CardProvider()


def test_a_wallet_paid_plan_pays_it_like_its_renewals(
    subscriber: Subscriber, user: User, catalogue: Put, closes: Closes, clock: Clock
) -> None:
    catalogue("view")
    user.has(60_000_000)
    subscriber.subscribes("starter")  # $29
    user.uses("views", 25_000 + 20_000)  # $40 beyond
    clock.set(datetime(2026, 4, 14, 9, 30, tzinfo=UTC))
    closes()
    assert (subscriber.sub.status, invoices(user)) == ("active", [])

    clock.advance(hours=1)
    closes()

    [invoice] = invoices(user)
    assert (invoice.subscription_id, invoice.status, invoice.total_minor) == (subscriber.sub.id, "open", 4_000)
    assert subscriber.sub.status == "past_due"
    user.has(40_000_000)
    clock.advance(days=2)
    closes()
    assert (invoices(user)[0].status, subscriber.sub.status) == ("paid", "active")
    assert subscriber.sub.due_at == subscriber.sub.period_end


def test_a_late_worker_renews_first_and_collects_both(
    subscriber: Subscriber, user: User, catalogue: Put, closes: Closes, clock: Clock
) -> None:
    catalogue("view")
    user.has(100_000_000)
    subscriber.subscribes("starter")
    user.uses("views", 25_000 + 20_000)

    clock.set(datetime(2026, 4, 16, tzinfo=UTC))
    closes()

    assert [one.status for one in subscriber.invoices] == ["paid"] * 3
    assert user.available == 2_000_000
    assert subscriber.sub.due_at == subscriber.sub.period_end == datetime(2026, 5, 14, 9, 30, tzinfo=UTC)


def test_on_a_free_plan_the_card_pays_first(
    user: User, catalogue: Put, closes: Closes, clock: Clock, fake: CardProvider
) -> None:
    catalogue("view")
    saves_card(user, fake)
    user.uses("views", 1_500)
    before = user.available
    clock.set(CLOSES)

    closes()

    [invoice] = invoices(user)
    assert (invoice.status, invoice.paid_with) == ("paid", "Visa ending in 4242")
    assert [charge.amount.minor for charge in fake.succeeded] == [100]
    assert user.available == before


def test_on_a_free_plan_the_wallet_pays_where_the_card_does_not(
    user: User, catalogue: Put, closes: Closes, clock: Clock, fake: CardProvider
) -> None:
    catalogue("view")
    saves_card(user, fake)
    fake.declines()
    user.uses("views", 1_500)
    clock.set(CLOSES)

    closes()

    assert (invoices(user)[0].status, invoices(user)[0].paid_with) == ("paid", "Wallet")


def test_what_nobody_pays_is_tried_again_and_told_once(
    user: User, catalogue: Put, closes: Closes, clock: Clock, fake: CardProvider
) -> None:
    catalogue("view")
    saves_card(user, fake)
    user.has(0)
    fake.declines()
    fake.declines()
    user.uses("views", 1_500)
    clock.set(CLOSES)
    closes()
    assert invoices(user)[0].next_attempt_at == CLOSES + timedelta(days=2)

    clock.advance(days=2)
    closes()
    assert invoices(user)[0].attempts == 2
    clock.advance(days=5)
    closes()

    assert invoices(user)[0].status == "paid"
    assert len(fake.charges) == 3
    with transaction(user.session):
        told = list(user.session.scalars(select(Notice).where(Notice.kind == "invoice_unpaid")))
    assert len(told) == 1


def test_leaving_the_plan_at_once_does_not_void_what_was_used(
    subscriber: Subscriber, user: User, catalogue: Put, closes: Closes, clock: Clock
) -> None:
    catalogue("view")
    user.has(60_000_000)
    subscriber.subscribes("starter")
    user.uses("views", 25_000 + 20_000)
    clock.set(datetime(2026, 4, 14, 10, 30, tzinfo=UTC))
    closes()
    assert invoices(user)[0].status == "open"

    cancel_from_wallet.now(user.session, {}, user.customer_id, reason="unused", actor="usr_1")
    user.has(40_000_000)
    clock.advance(days=2)
    closes()

    assert (invoices(user)[0].status, invoices(user)[0].total_minor) == ("paid", 4_000)
    assert user.available == 0


def test_a_plan_that_ended_before_the_worker_came_is_paid_for_all_the_same(
    subscriber: Subscriber, user: User, catalogue: Put, closes: Closes, clock: Clock
) -> None:
    catalogue("view")
    user.has(100_000_000)
    subscriber.subscribes("starter")
    user.uses("views", 25_000 + 20_000)
    cancel_from_wallet.at_period_end(user.session, {}, user.customer_id, reason="unused", actor="usr_1")

    clock.set(datetime(2026, 4, 14, 12, 30, tzinfo=UTC))
    closes()

    [invoice] = invoices(user)
    assert (invoice.subscription_id, subscriber.sub.status) == (subscriber.sub.id, "canceled")
    assert (invoice.status, user.available) == ("paid", 31_000_000)


def test_money_tries_it_at_once_and_locks_it_before_the_wallet(
    user: User, catalogue: Put, closes: Closes, clock: Clock
) -> None:
    catalogue("view")
    user.has(0)
    user.uses("views", 1_500)
    clock.set(CLOSES)
    closes()
    clock.advance(hours=1)

    with transaction(user.session):  # a collector locks the invoice, then the wallet: the other way round is a deadlock
        dunning.lock(user.session, user.customer_id)
        assert user.session.scalars(select(Invoice.next_attempt_at)).all() == [clock.now]
    user.has(5_000_000)
    closes()

    assert (invoices(user)[0].status, user.available) == ("paid", 4_000_000)


def test_what_is_too_small_for_a_card_is_the_wallets(
    user: User, catalogue: Put, closes: Closes, clock: Clock, fake: CardProvider
) -> None:
    catalogue("view")
    saves_card(user, fake)
    user.uses("views", 1_000 + 100)  # 20 cents beyond
    before = user.available
    clock.set(CLOSES)

    closes()

    assert (invoices(user)[0].status, invoices(user)[0].paid_with) == ("paid", "Wallet")
    assert (fake.charges, before - user.available) == ([], 200_000)
