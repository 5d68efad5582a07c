"""Which seconds an invoice was made for: told in any order, each second of a paid subscription is in exactly one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.db import transaction
from app.subscriptions import invoiced
from app.subscriptions.models import Subscription, SubscriptionPeriod
from app.subscriptions.periods import Interval
from tests.support import paid_periods
from tests.support.time import START

Begun = Callable[..., Subscription]
DAYS = timedelta(days=1)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def enter(session: Session, sub: Subscription, start: int, end: int, name: str = "inv_1") -> None:
    invoiced.enter_period(
        session,
        sub,
        starts_at=START + start * DAYS,
        ends_at=START + end * DAYS,
        plan_id=sub.plan_id,
        version=sub.version,
        interval=Interval.MONTH,
        invoice_id=name,
    )


def spans(session: Session, sub: Subscription) -> list[tuple[int, int]]:
    return [
        ((each.starts_at - START).days, (each.ends_at - START).days) for each in paid_periods.periods_of(session, sub)
    ]


def test_a_period_within_another_cuts_it_short_in_either_order(session: Session, begun: Begun) -> None:
    sub = begun()
    told = [(0, 31), (10, 375), (375, 740)]

    for order in permutations(told):
        with transaction(session):
            session.execute(delete(SubscriptionPeriod))
            for start, end in order:
                enter(session, sub, start, end)
                enter(session, sub, start, end)
            assert spans(session, sub) == [(0, 10), (10, 375), (375, 740)]


def test_what_it_had_been_is_kept(session: Session, begun: Begun) -> None:
    sub = begun()
    with transaction(session):
        enter(session, sub, 0, 31)
        enter(session, sub, 10, 41, "inv_2")
        first = paid_periods.periods_of(session, sub)[0]

    assert (first.ends_at, first.paid_until) == (START + 10 * DAYS, START + 31 * DAYS)


def test_the_end_cuts_what_runs_and_what_was_told_too_late(session: Session, begun: Begun) -> None:
    sub = begun()
    with transaction(session):
        enter(session, sub, 0, 31)
        enter(session, sub, 31, 62)
        invoiced.cut(session, sub, at=START + 20 * DAYS)
        assert spans(session, sub) == [(0, 20), (31, 31)]
        sub.status, sub.ended_at = "canceled", START + 20 * DAYS
        enter(session, sub, 5, 36, "inv_3")
        assert spans(session, sub) == [(0, 5), (5, 20), (31, 31)]


def test_a_change_in_a_periods_first_second_takes_its_place(session: Session, begun: Begun) -> None:
    sub = begun()
    for order in ([(31, "inv_1"), (365, "inv_2")], [(365, "inv_2"), (31, "inv_1")]):
        with transaction(session):
            session.execute(delete(SubscriptionPeriod))
            for end, name in order:
                enter(session, sub, 0, end, name)
            assert [(each.invoice_id, each.ends_at) for each in paid_periods.periods_of(session, sub)] == [
                ("inv_2", START + 365 * DAYS)
            ]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(starts=st.lists(st.integers(0, 60), min_size=1, max_size=8, unique=True), order=st.randoms())
def test_no_second_is_ever_in_two(session: Session, begun: Begun, starts: list[int], order: object) -> None:
    if session.query(Subscription).count() == 0:
        begun()
    sub = session.query(Subscription).one()
    with transaction(session):
        session.execute(delete(SubscriptionPeriod))
        order.shuffle(starts)
        for start in starts:
            enter(session, sub, start, start + 31)
        found = spans(session, sub)

    assert [start for start, _ in found] == sorted(starts)
    assert all(first[1] <= second[0] for first, second in pairwise(found))
    covered = {day for start, end in found for day in range(start, end)}
    assert covered == {day for start in starts for day in range(start, start + 31)}
