"""Renewals of wallet-paid subscriptions: each period once, from the anchor, however late the worker is (P10, R6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from app.db import transaction
from app.flows import renew
from app.providers.port import Provider
from tests.support.crashes import Crash, Doom
from tests.support.plans import Subscriber
from tests.support.time import Clock

Works = Callable[[], int]


def day(*date: int) -> datetime:
    return datetime(*date, 9, 30, tzinfo=UTC)  # type: ignore[arg-type, misc]


def test_it_invoices_and_debits_the_next_period(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes()

    clock.set(day(2026, 4, 14))
    works()

    assert subscriber.cents == 500 + 10_000 - 2_000
    assert [invoice.status for invoice in subscriber.invoices] == ["paid", "paid"]
    assert subscriber.invoices[1].reason == "subscription_cycle"
    assert subscriber.sub.period_end == day(2026, 5, 14)
    subscriber.is_invoiced_without_a_gap()


def test_it_does_nothing_a_second_before(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes()

    clock.set(day(2026, 4, 14))
    clock.advance(seconds=-1)

    assert works() == 0


def test_running_twice_charges_once(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes()
    clock.set(day(2026, 4, 14))
    works()
    before = subscriber.cents

    works()

    assert subscriber.cents == before


def test_missed_periods_follow_one_another(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes()

    clock.set(day(2026, 7, 20))
    works()

    assert subscriber.cents == 500 + 10_000 - 5 * 1_000
    assert [start for start, _ in subscriber.spans()] == [day(2026, month, 14) for month in (3, 4, 5, 6, 7)]
    assert [invoice.period_start for invoice in subscriber.invoices] == [start for start, _ in subscriber.spans()]
    subscriber.is_invoiced_without_a_gap()


def test_the_31st_comes_back(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    clock.set(day(2027, 1, 31))
    subscriber.gets(10_000)
    subscriber.subscribes()

    for date in ((2027, 2, 28), (2027, 3, 31), (2027, 4, 30)):
        clock.set(day(*date))
        assert works() == 1

    assert [start for start, _ in subscriber.spans()] == [
        day(2027, 1, 31), day(2027, 2, 28), day(2027, 3, 31), day(2027, 4, 30)
    ]  # fmt: skip


def test_the_customers_clock_decides_when_a_day_begins(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.lives_in("Europe/Berlin")
    subscriber.gets(10_000)
    subscriber.subscribes()  # 10:30 in Berlin, in winter
    subscriber.lives_in("Asia/Tokyo")  # a move changes nothing about it

    clock.set(datetime(2026, 4, 14, 8, 30, tzinfo=UTC))  # 10:30 in Berlin, in summer

    assert works() == 1
    assert subscriber.sub.period_start == datetime(2026, 4, 14, 8, 30, tzinfo=UTC)


def test_a_yearly_plan_is_renewed_after_a_year(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.gets(50_000)
    subscriber.subscribes(interval="year")

    clock.set(day(2027, 3, 13))
    early = works()
    clock.set(day(2027, 3, 14))
    works()

    assert early == 0
    assert subscriber.cents == 500 + 50_000 - 20_000


def test_a_cancellation_takes_effect_at_the_boundary(
    subscriber: Subscriber, works: Works, clock: Clock, session: Session
) -> None:
    subscriber.gets(10_000)
    sub = subscriber.subscribes()
    with transaction(session):
        session.merge(sub).cancel_at_period_end = True

    clock.set(day(2026, 4, 20))
    works()

    assert subscriber.sub.ended_at == day(2026, 4, 14)
    assert subscriber.cents == 500 + 9_000
    subscriber.is_invoiced_without_a_gap()


@pytest.mark.parametrize("point", range(4))
def test_a_crash_at_any_point_charges_once(
    subscriber: Subscriber,
    works: Works,
    clock: Clock,
    engine: Engine,
    providers: Mapping[str, Provider],
    point: int,
) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes()
    clock.set(day(2026, 4, 14))
    doomed: sessionmaker[Session] = Doom(point).sessions(engine)

    with pytest.raises(Crash):
        renew.renew_due(doomed, providers)
    works()

    assert subscriber.cents == 500 + 10_000 - 2_000
    assert len(subscriber.invoices) == 2
