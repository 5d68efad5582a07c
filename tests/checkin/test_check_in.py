"""Checking in: once for each stretch of time, whoever asks how often and from whichever zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import checkin, credits, ledger
from app.activity.models import Activity
from app.checkin import AlreadyCheckedIn, CheckInNotAllowed, CheckInOff
from app.credits import words
from app.credits.models import CreditGrant
from app.customers import customers
from app.db import transaction
from app.ledger import Account
from app.payments.models import Order
from app.people.models import User


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def refusal(check_in) -> AlreadyCheckedIn:
    with pytest.raises(AlreadyCheckedIn) as refused:
        check_in()
    return refused.value


def balance(session: Session, customer_id: str) -> int:
    session.rollback()
    return credits.balance(session, customer_id).available


def test_it_gives_the_days_credits_and_writes_the_day_down(session, ada, check_in, set_rules) -> None:
    set_rules()

    day = check_in()

    assert (day.local_date, day.zone, day.streak, day.amount, day.bonus) == (date(2026, 3, 14), "UTC", 1, 10, 0)
    assert balance(session, ada.customer_id) == 10
    grant = session.scalars(select(CreditGrant)).one()
    assert (grant.source, grant.key, grant.entry_id, grant.expires_at) == (
        "checkin", "checkin:2026-03-14", day.entry_id, None,
    )  # fmt: skip
    told = session.scalars(select(Activity).where(Activity.action == "check_in.done")).one()
    assert (told.actor, told.details["streak"], told.details["amount"]) == (ada.id, 1, 10)


def test_a_second_try_is_refused_with_the_time_of_the_next(session, ada, check_in, set_rules, clock) -> None:
    set_rules()
    check_in()
    clock.advance(hours=3)

    assert refusal(check_in).details == {"next_at": "2026-03-15T00:00:00Z", "date": "2026-03-14", "streak": 1}
    assert balance(session, ada.customer_id) == 10


def test_days_in_a_row_bring_a_bonus_and_a_missed_day_ends_the_row(check_in, set_rules, clock) -> None:
    set_rules()

    given = []
    for skipped in (0, 0, 0, 0, 0, 0, 0, 1, 0):
        clock.advance(days=skipped)
        day = check_in()
        given.append((day.streak, day.amount, day.streak_began))
        clock.advance(days=1)

    first, again = date(2026, 3, 14), date(2026, 3, 22)
    assert given == [*((n, 10, first) for n in range(1, 7)), (7, 40, first), (1, 10, again), (2, 10, again)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Pacific/Honolulu", "Pacific/Auckland"),
        ("Pacific/Auckland", "Pacific/Honolulu"),
        ("Pacific/Kiritimati", "Etc/GMT+12"),
        ("Etc/GMT+12", "Pacific/Kiritimati"),
        ("UTC", "Asia/Kolkata"),
    ],
)
def test_another_zone_brings_no_second_day(check_in, set_rules, clock, move_to, before, after) -> None:
    set_rules(bonuses=())
    move_to(before)
    clock.set(datetime(2026, 7, 14, 9, 59, tzinfo=UTC))
    first = check_in()
    move_to(after)

    refused = refusal(check_in)
    free = datetime.fromisoformat(refused.details["next_at"])
    clock.set(free - timedelta(seconds=1))
    refusal(check_in)
    clock.set(free)
    second = check_in()

    assert first.ends_at <= second.ends_at - timedelta(days=1) == free  # no summer time begins in that week
    assert second.streak == 2  # a change of zone costs nobody their row
    assert second.local_date > first.local_date


def test_a_zone_changed_after_the_day_is_over_gives_no_part_of_it_again(check_in, set_rules, clock, move_to) -> None:
    set_rules()
    move_to("Pacific/Honolulu")
    clock.set(datetime(2026, 7, 14, 9, 59, tzinfo=UTC))  # the last minute of the 13th there
    check_in()
    clock.set(datetime(2026, 7, 14, 10, 1, tzinfo=UTC))
    move_to("Pacific/Auckland")  # where it is 22:01 on the 14th, most of which was the 13th in Honolulu

    assert refusal(check_in).details["next_at"] == "2026-07-14T12:00:00Z"


def test_the_day_may_begin_at_midnight_utc_for_everyone(check_in, set_rules, move_to) -> None:
    set_rules(day="utc")
    move_to("Pacific/Auckland")

    assert check_in().zone == "UTC"


def test_the_history_of_credits_names_the_day_and_its_bonus(session, ada, check_in, set_rules, clock) -> None:
    set_rules(bonuses=((2, 5),))
    check_in()
    clock.advance(days=1)
    check_in()

    lines = ledger.history(session, Account(ada.customer_id, "credits", "credits"))

    assert [words.line_title(line) for line in lines] == [
        ("Check-in, day 2", "Bonus of 5 included"),
        ("Check-in, day 1", ""),
    ]


def test_what_is_given_ends_when_the_rules_say(session, check_in, set_rules, clock) -> None:
    set_rules(expires_days=30)

    check_in()

    assert session.scalars(select(CreditGrant.expires_at)).one() == clock.now + timedelta(days=30)


def test_the_cap_is_on_what_is_held_and_the_row_goes_on(session, ada, check_in, set_rules, clock) -> None:
    set_rules(most=25)
    days = []
    for _ in range(4):
        days.append(check_in())
        clock.advance(days=1)

    assert [(day.amount, day.entry_id is None, day.streak) for day in days] == [
        (10, False, 1), (10, False, 2), (5, False, 3), (0, True, 4),
    ]  # fmt: skip
    assert balance(session, ada.customer_id) == 25

    with transaction(session):
        credits.adjust(session, ada.customer_id, -15, reason="Spent elsewhere", key="spent", actor="system")

    assert check_in().amount == 10


def test_credits_of_other_sources_do_not_count_for_the_cap(session, ada, check_in, set_rules) -> None:
    set_rules(most=10)
    with transaction(session):
        credits.grant(session, ada.customer_id, 500, source="pack", key="p", is_paid=True, actor="stripe")

    assert check_in().amount == 10


def test_off_is_off_at_once(check_in, set_rules) -> None:
    with pytest.raises(CheckInOff):
        check_in()
    set_rules()
    set_rules(is_on=False)

    with pytest.raises(CheckInOff):
        check_in()


def test_a_day_gives_what_it_promised_when_it_began(check_in, set_rules, clock) -> None:
    set_rules()
    clock.advance(days=1)
    set_rules(credits=3, bonuses=())

    today, _ = check_in(), clock.advance(days=1)

    assert (today.amount, check_in().amount) == (10, 3)


@pytest.mark.parametrize(
    ("who", "needs"),
    [("verified", "Confirm your email"), ("payer", "paid for something"), ("paid_plan", "paid plans")],
)
def test_a_condition_that_is_not_met_is_told(session, ada, check_in, set_rules, who, needs) -> None:
    set_rules(who=who)
    with transaction(session):
        session.get_one(User, ada.id).email_verified_at = None

    with pytest.raises(CheckInNotAllowed, match=needs) as refused:
        check_in()

    assert refused.value.details == {"needs": who}


def test_conditions_that_are_met_let_them_in(session, ada, check_in, set_rules, clock) -> None:
    set_rules(who="verified")
    assert check_in().amount == 10

    clock.advance(days=1)
    set_rules(who="payer")
    with transaction(session):
        session.add(_paid_order(ada.customer_id, clock.now))

    assert check_in().streak == 2


def test_a_customer_of_the_hosts_own_making_needs_no_address(session, set_rules) -> None:
    set_rules(who="verified")
    with transaction(session):
        made = customers.open_customer(session, name="Host's", email="x@example.com", actor="system")

    with transaction(session):
        assert checkin.check_in(session, made.id, actor="key_1").amount == 10


def _paid_order(customer_id: str, at: datetime) -> Order:
    return Order(
        customer_id=customer_id, id="ord_1", kind="topup", amount_minor=1000, currency="usd", channel="stripe",
        state="paid", form_key="f", attempt=1, request={}, payment_id="pi_1", created_by="x", created_at=at,
        updated_at=at, paid_at=at, polls=0,
    )  # fmt: skip
