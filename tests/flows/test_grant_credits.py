"""What is granted by itself: welcome and included credits, bonuses of coupons; and the end of what is over."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app import coupons, credits
from app.catalogue import file, publish
from app.catalogue.models import Plan
from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.credits.models import CreditGrant
from app.customers import customers
from app.db import transaction
from app.flows import cancel_from_wallet, cancel_plan, change_from_wallet, grant_credits, renew, sign_up
from app.money import Money
from app.subscriptions import lifecycle
from tests.support.people import PASSWORD, Person
from tests.support.plans import Subscriber

PLANS = """
[plans.free]
rank = 0
name = "Free"
monthly = "0.00"
welcome_credits = 20

[plans.starter]
rank = 1
name = "Starter"
monthly = "10.00"
yearly = "100.00"
included_credits = 100
welcome_credits = 50

[plans.growth]
rank = 2
name = "Growth"
monthly = "30.00"
yearly = "300.00"
included_credits = 1000
welcome_credits = 500
"""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def plans(session: Session) -> None:
    """Free welcomes with 20; Starter includes 100 a month and welcomes with 50; Growth 1,000 and 500."""
    with transaction(session):
        publish.apply(session, file.read(PLANS, currency="usd"), actor="test")


@pytest.fixture
def works(engine) -> Callable[[], None]:
    """The worker does what is due, twice over."""
    factory = sessionmaker(engine, expire_on_commit=False)

    def run() -> None:
        grant_credits.grant_due(factory)
        assert grant_credits.grant_due(factory) == 0

    return run


@pytest.fixture
def paying(subscriber: Subscriber) -> Subscriber:
    subscriber.gets(100_000)
    return subscriber


def given(person: Subscriber) -> list[tuple[str, int, int]]:
    """Source, amount and what is left of each grant, oldest first."""
    person.session.rollback()
    mine = select(CreditGrant).where(CreditGrant.customer_id == person.customer_id).order_by(CreditGrant.id)
    return [(row.source, row.amount, row.remaining) for row in person.session.scalars(mine)]


def included_left(person: Subscriber) -> int:
    return sum(left for source, _, left in given(person) if source == "included")


def renews(person: Subscriber, engine) -> None:
    renew.renew_due(sessionmaker(engine, expire_on_commit=False), {})


def test_who_signs_up_is_welcomed_once_whatever_address_they_spell(session, settings, plans) -> None:
    for email in ("ann@example.com", "ann+two@example.com"):
        sign_up.sign_up(session, settings, name="Ann", email=email, password=PASSWORD, company="Ann")

    rows = session.scalars(select(CreditGrant)).all()
    assert [(row.key, row.source, row.amount, row.expires_at) for row in rows] == [
        ("welcome:customer", "welcome", 20, None)
    ]


def test_a_subscription_brings_its_credits_and_a_welcome_once(paying: Subscriber, works) -> None:
    paying.subscribes("starter")

    works()

    assert given(paying) == [("welcome", 50, 50), ("included", 100, 100)]


def test_the_welcome_is_of_the_plan_it_began_on_however_late_the_worker(paying: Subscriber, works, clock) -> None:
    paying.subscribes("starter")
    clock.advance(minutes=1)
    upgrade(paying)

    works()

    assert [amount for source, amount, _ in given(paying) if source == "welcome"] == [50]


def test_each_period_brings_new_ones_and_ends_what_is_left_of_the_old(paying, works, clock, engine) -> None:
    paying.subscribes("starter")
    works()
    with transaction(paying.session):
        credits.adjust(paying.session, paying.customer_id, -30, reason="spent", actor="system", key="1")

    clock.advance(days=31)
    renews(paying, engine)
    works()

    assert given(paying) == [("welcome", 50, 50), ("included", 100, 0), ("included", 100, 100)]
    assert credits.balance(paying.session, paying.customer_id).available == 150


def test_a_late_worker_does_not_make_up_for_periods_that_are_over(paying, works, clock, engine) -> None:
    paying.subscribes("starter")

    for _ in range(3):
        clock.advance(days=31)
        renews(paying, engine)
    works()

    assert given(paying) == [("welcome", 50, 50), ("included", 100, 100)]


def test_a_yearly_plan_brings_them_each_month(paying, works, clock) -> None:
    paying.subscribes("starter", "year")
    works()
    clock.advance(days=31)
    works()

    assert [row for row in given(paying) if row[0] == "included"] == [("included", 100, 0), ("included", 100, 100)]


@pytest.mark.parametrize("late", [False, True])
def test_an_upgrade_brings_its_share_of_the_difference_once(paying, works, clock, late: bool) -> None:
    sub = paying.subscribes("starter")
    if not late:
        works()
    clock.advance(days=15)
    upgrade(paying)
    clock.advance(days=1 if late else 0)  # it counts from the change, whenever the worker comes

    works()

    seconds = round((sub.period_end - sub.period_start).total_seconds())
    share = 900 * (seconds - 15 * 86_400) // seconds
    assert [amount for source, amount, _ in given(paying) if source == "included"] == [100, share]


def test_going_up_and_down_at_once_does_not_pay_twice(paying, works, clock) -> None:
    paying.subscribes("starter")
    works()
    clock.advance(days=10)
    upgrade(paying)
    works()
    before = given(paying)
    with transaction(paying.session):  # staff of the provider put it down and up again
        sub = lifecycle.the_live(paying.session, paying.customer_id)
        was, sub.plan_id = sub.plan_id, plan_of(paying.session, "starter")
    works()
    with transaction(paying.session):
        lifecycle.the_live(paying.session, paying.customer_id).plan_id = was
    works()

    assert given(paying) == before


def test_subscribing_and_leaving_over_and_over_brings_a_months_credits_once(paying, works, clock) -> None:
    before = paying.cents
    for time in range(3):
        paying.subscribes("growth", form_key=f"form-{time}")
        works()
        clock.advance(minutes=1)
        assert included_left(paying) == 1000
        cancel_from_wallet.now(paying.session, {}, paying.customer_id, reason="unused", actor="usr_1")
        works()
        assert included_left(paying) == time + 1, "those of the minute, rounded up"
    assert (paying.cents, given(paying)[0]) == (before, ("welcome", 500, 500))

    clock.advance(days=31)
    paying.subscribes("growth", form_key="another month")
    works()

    assert included_left(paying) == 1000


def test_leaving_at_once_takes_what_is_unspent_of_the_credits_for_the_time_that_is_paid_back(paying, works, clock):
    sub = paying.subscribes("growth")
    works()
    with transaction(paying.session):
        credits.grant(paying.session, paying.customer_id, 70, source="pack", key="pack", actor="system")
        credits.adjust(paying.session, paying.customer_id, -700, reason="spent", actor="system", key="1")
    clock.set(sub.period_start + (sub.period_end - sub.period_start) / 2)
    assert cancel_plan.credits_now(paying.session, paying.customer_id, 1) == 300

    cancel_from_wallet.now(paying.session, {}, paying.customer_id, reason="unused", actor="usr_1")

    assert given(paying) == [("welcome", 500, 500), ("included", 1000, 0), ("pack", 70, 70)]
    paying.subscribes("growth", form_key="again")
    works()
    assert included_left(paying) == 1000 - 200, "200 of the 500 for the other half are spent"


def test_coming_back_to_a_cheaper_plan_and_rising_from_it_brings_no_more(paying, works, clock) -> None:
    paying.subscribes("growth")
    works()
    before = paying.cents
    for time in range(2):
        with transaction(paying.session):
            left = credits.balance(paying.session, paying.customer_id).available
            if left:
                told = {"reason": "spent", "actor": "system", "key": f"spent-{time}"}
                credits.adjust(paying.session, paying.customer_id, -left, **told)
        cancel_from_wallet.now(paying.session, {}, paying.customer_id, reason="unused", actor="usr_1")
        paying.subscribes("starter", form_key=f"again-{time}")
        works()
        upgrade(paying)
        works()

        assert (paying.cents, included_left(paying)) == (before, 0)


def test_leaving_at_once_what_was_free_keeps_its_credits(paying, works, clock):
    paying.subscribes("growth")
    works()
    with transaction(paying.session):
        lifecycle.the_live(paying.session, paying.customer_id).price_minor = 0

    cancel_from_wallet.now(paying.session, {}, paying.customer_id, reason="unused", actor="usr_1")

    assert included_left(paying) == 1000


def test_whoever_comes_back_has_the_credits_of_the_time_that_is_new(paying, works, clock) -> None:
    sub = paying.subscribes("growth")
    works()
    clock.set(sub.period_start + (sub.period_end - sub.period_start) / 2)
    cancel_from_wallet.now(paying.session, {}, paying.customer_id, reason="unused", actor="usr_1")

    paying.subscribes("growth", form_key="again")
    works()

    assert given(paying)[1:] == [("included", 1000, 500), ("included", 1000, 1000)]


def test_an_unpaid_period_brings_none_until_it_is_paid(paying, works, clock, engine) -> None:
    paying.subscribes("starter")
    works()
    with transaction(paying.session):
        lifecycle.the_live(paying.session, paying.customer_id).status = "past_due"
    clock.advance(days=31)
    works()
    assert [row for row in given(paying) if row[0] == "included"] == [("included", 100, 0)]

    with transaction(paying.session):
        lifecycle.the_live(paying.session, paying.customer_id).status = "active"
    renews(paying, engine)
    works()

    assert [row for row in given(paying) if row[0] == "included"] == [("included", 100, 0), ("included", 100, 100)]


def test_no_plan_event_touches_the_others(paying, works, clock, engine) -> None:
    with transaction(paying.session):
        for source in ("pack", "checkin"):
            told = {"source": source, "key": source, "actor": "system"}
            credits.grant(paying.session, paying.customer_id, 7, **told)
    paying.subscribes("starter")
    works()
    with transaction(paying.session):
        lifecycle.the_live(paying.session, paying.customer_id).cancel_at_period_end = True
    clock.advance(days=40)
    renews(paying, engine)
    works()

    assert given(paying) == [("pack", 7, 7), ("checkin", 7, 7), ("welcome", 50, 50), ("included", 100, 0)]


def test_a_free_plan_may_include_some_by_calendar_month(session, ada: Person, works, clock) -> None:
    told = PLANS.replace("welcome_credits = 20", "included_credits = 5", 1)
    with transaction(session):
        publish.apply(session, file.read(told, currency="usd"), actor="test")

    works()
    clock.advance(days=31)
    works()

    mine = select(CreditGrant).where(CreditGrant.customer_id == ada.customer_id)
    rows = session.scalars(mine.order_by(CreditGrant.id)).all()
    assert [(row.amount, row.expires_at.day, row.expires_at.hour) for row in rows] == [(5, 1, 0), (5, 1, 0)]
    assert credits.balance(session, ada.customer_id).available == 5


def test_a_coupons_bonus_is_granted_once(session, works) -> None:
    with transaction(session):
        ann = customers.open_customer(session, name="Ann", email="ann@example.com", actor="system").id
        issue.make(session, Terms("BONUS", "credits", 100, Limits("Bonus"), None), actor="staff:usr_1")
        price = Money(2_900, "usd")
        coupons.reserve(session, "BONUS", customer_id=ann, what="plan:studio", price=price, key="ord_1")
        coupons.redeem(session, ann, "ord_1")

    works()

    [row] = session.scalars(select(CreditGrant)).all()
    assert (row.customer_id, row.source, row.amount) == (ann, "coupon", 100)


def upgrade(paying: Subscriber) -> None:
    session, customer_id = paying.session, paying.customer_id
    shown = change_from_wallet.preview(session, {}, customer_id, "growth", "month", actor="usr_1")
    change_from_wallet.confirm(session, {}, customer_id, shown.id, actor="usr_1")


def plan_of(session: Session, key: str) -> str:
    return session.scalars(select(Plan.id).where(Plan.key == key)).one()
