"""Where a customer stands: asked by pages, the API and every check, so it is cheap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from app.customers.models import Customer
from app.db import transaction
from app.subscriptions import changes, lifecycle, overrides, sale, standing
from app.subscriptions.models import Subscription
from app.subscriptions.overrides import Negotiated
from app.subscriptions.periods import Interval
from app.subscriptions.standing import Standing
from tests.support.time import START

Begun = Callable[..., Subscription]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def of(session: Session, customer: Customer) -> Standing:
    with transaction(session):
        return standing.of(session, customer.id)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_without_a_subscription_it_is_the_free_plan_by_calendar_months(
    session: Session, payer: Customer, plans: None
) -> None:
    stands = of(session, payer)

    assert (stands.tier, stands.status, stands.price, stands.next_billing_at) == ("free", "free", None, None)
    assert (stands.period.start, stands.period.end) == (
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 4, 1, tzinfo=UTC),
    )


def test_where_no_plan_is_free_it_is_none(session: Session, payer: Customer) -> None:
    assert (of(session, payer).plan, of(session, payer).tier) == (None, "free")


def test_it_tells_plan_price_and_what_comes_next(session: Session, payer: Customer, begun: Begun) -> None:
    sub = begun("growth")

    stands = of(session, payer)

    assert (stands.tier, stands.status, stands.price.minor) == ("growth", "active", 3000)
    assert (stands.next_billing_at, stands.ends_at) == (sub.period_end, None)


def test_a_year_has_monthly_allowance_periods_on_its_own_anchor(
    session: Session, payer: Customer, begun: Begun
) -> None:
    begun("growth", "year", at=START - timedelta(days=50))

    period = of(session, payer).period

    assert (period.start.day, period.start.month, period.end.month) == (23, 2, 3)


@pytest.mark.parametrize("paid", [True, False])
def test_it_asks_four_times_at_most(
    session: Session, engine: Engine, payer: Customer, begun: Begun, plans: None, paid: bool
) -> None:
    if paid:
        begun()
    with transaction(session):
        agreed = Negotiated(limits={"count:agents": {"amount": 7}})
        overrides.set_override(session, payer.id, agreed, reason="Asked for", actor="staff:usr_1")

    customer_id = payer.id
    with transaction(session), counted(engine) as seen:
        stands = standing.of(session, customer_id)

    assert stands.plan.limit("count", "agents").amount == 7
    assert len(seen) <= 4, seen


def test_a_cancelled_one_is_over_at_its_end_though_nobody_wrote_it_down(
    session: Session, payer: Customer, begun: Begun, clock
) -> None:
    sub = begun()
    with transaction(session):
        session.get_one(Subscription, (sub.customer_id, sub.id)).cancel_at_period_end = True
    assert of(session, payer).ends_at == sub.period_end

    clock.set(sub.period_end)

    assert (of(session, payer).tier, of(session, payer).status) == ("free", "free")


def test_access_is_full_in_the_grace_period_and_restricted_after_it(
    session: Session, payer: Customer, begun: Begun, clock
) -> None:
    sub = begun()
    with transaction(session):
        found = session.get_one(Subscription, (sub.customer_id, sub.id))
        lifecycle.become_past_due(session, found, since=clock.now, grace_days=3)

    assert (of(session, payer).status, of(session, payer).grace_ends_at) == ("past_due", START + timedelta(days=3))
    clock.advance(days=3)
    assert of(session, payer).status == "restricted"
    assert of(session, payer).tier == "starter"


def test_what_is_in_flight_is_told_before_what_is_scheduled(session: Session, payer: Customer, begun: Begun) -> None:
    sub = begun()
    names = []
    for plan, state in (("growth", "scheduled"), ("prompt", "in_flight")):
        with transaction(session):
            bought = sale.offered(session, payer.id, plan, Interval.MONTH)
            found = session.get_one(Subscription, (sub.customer_id, sub.id))
            change = changes.note_preview(
                session,
                found,
                kind="upgrade",
                plan_id=bought.terms.id,
                version=bought.terms.version,
                interval=bought.interval,
                price=bought.price,
                as_of=START,
                effective_at=START,
                actor="usr_1",
            )
            change.state = state
            names.append(change.id)

    assert of(session, payer).pending.id == names[1]
