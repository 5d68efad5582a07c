"""Subscribing from the wallet: all or nothing, once for each form (SPEC P5, P10)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Thread

import pytest
from sqlalchemy.orm import Session, sessionmaker

from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.errors import IdempotencyKeyReused, InsufficientFunds
from app.flows import subscribe_from_wallet
from app.subscriptions import standing
from app.subscriptions.lifecycle import AlreadySubscribed
from app.subscriptions.sale import PlanNotForSale
from tests.flows.test_renew import day
from tests.support.people import Person
from tests.support.plans import Subscriber
from tests.support.time import Clock


def test_it_is_invoiced_paid_and_active_at_once(subscriber: Subscriber, session: Session) -> None:
    subscriber.gets(1_000)

    subscriber.subscribes()

    now = standing.of(session, subscriber.customer_id)
    assert (now.tier, now.status, now.next_billing_at) == ("starter", "active", day(2026, 4, 14))
    [invoice] = subscriber.invoices
    assert (invoice.status, invoice.paid_with, invoice.reason) == ("paid", "Wallet", "subscription_create")
    assert subscriber.spans() == [(day(2026, 3, 14), day(2026, 4, 14))]
    assert subscriber.cents == 500


def test_a_wallet_that_is_short_is_told_by_how_much_and_nothing_is_left(subscriber: Subscriber) -> None:
    with pytest.raises(InsufficientFunds, match=r"Top up at least \$5\.00") as short:
        subscriber.subscribes()

    assert short.value.details["missing_minor"] == 500
    assert (subscriber.invoices, subscriber.sub) == ([], None)
    assert subscriber.cents == 500


def test_the_same_form_is_the_same_subscription(subscriber: Subscriber) -> None:
    subscriber.gets(5_000)
    first = subscriber.subscribes()

    second = subscriber.subscribes()

    assert first.id == second.id
    assert subscriber.cents == 4_500


def test_the_same_form_with_another_plan_is_refused(subscriber: Subscriber) -> None:
    subscriber.gets(5_000)
    subscriber.subscribes()

    with pytest.raises(IdempotencyKeyReused):
        subscriber.subscribes("growth")


def test_another_form_is_a_second_subscription_and_refused(subscriber: Subscriber) -> None:
    subscriber.gets(5_000)
    subscriber.subscribes()

    with pytest.raises(AlreadySubscribed):
        subscriber.subscribes(form_key="form-2")


def test_a_form_sent_twice_at_once_is_one_subscription(
    subscriber: Subscriber, sessions: sessionmaker[Session], clock: Clock
) -> None:
    subscriber.gets(5_000)
    customer, found = subscriber.customer, []

    def send() -> None:
        with sessions() as own:
            made = subscribe_from_wallet.start(own, customer, "starter", "month", form_key="form-1", actor="usr_1")
            found.append(made.id)

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert len(set(found)) == 1
    assert subscriber.cents == 4_500


def test_a_free_plan_is_not_bought(subscriber: Subscriber) -> None:
    with pytest.raises(PlanNotForSale):
        subscriber.subscribes("free")


def test_the_billing_day_is_the_customers(subscriber: Subscriber, clock: Clock) -> None:
    subscriber.lives_in("Asia/Tokyo")
    clock.set(datetime(2026, 1, 30, 20, tzinfo=UTC))  # the 31st in Tokyo
    subscriber.gets(5_000)

    subscriber.subscribes()

    assert subscriber.sub.period_end == datetime(2026, 2, 27, 20, tzinfo=UTC)  # the 28th there


def test_a_coupon_takes_off_the_first_invoice_and_those_it_goes_on_for(
    subscriber: Subscriber, works: Callable[[], int], clock: Clock, admin: Person
) -> None:
    with transaction(subscriber.session):
        terms = Terms(code="HALF", kind="percent", value=50, duration="repeating", months=2, limits=Limits(name="Half"))
        issue.make(subscriber.session, terms, actor=admin.id)
    subscriber.gets(5_000)

    subscriber.subscribes(coupon="half")
    for month in (4, 5):
        clock.set(day(2026, month, 14))
        works()

    assert [invoice.total_minor for invoice in subscriber.invoices] == [500, 500, 1_000]
    assert subscriber.cents == 5_500 - 2_000
