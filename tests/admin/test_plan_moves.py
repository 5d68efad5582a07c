"""Staff: moving subscribers to a newer version. Shown first, confirmed with a reason, then watched, and taken back."""

from __future__ import annotations

import csv
import io
import re

import pytest
from sqlalchemy import select

from app.activity.models import Activity
from app.catalogue import reads
from app.db import transaction
from app.flows import move_subscribers
from app.moves.models import VersionMove
from tests.admin.conftest import CONFIRMED, HX
from tests.admin.test_plan_versions import counted, publishes
from tests.admin.test_plans import address
from tests.support.plans import Subscriber

WISH = {"from": "1", "who": "all", "times": "renewal", "notice_days": "30"}


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def starter(session, plans, as_admin, subscriber, bo):
    """Starter at $15 a month and $150 a year; Ada and Bo have the version before, by the month and by the year."""
    for who, every in ((subscriber, "month"), (Subscriber(bo), "year")):
        who.gets(50_000)
        who.subscribes("starter", every)
    plan = next(each for each in reads.offered_plans(session) if each.key == "starter")
    publishes(as_admin, plan, monthly="15.00", yearly="")
    return plan


@pytest.fixture
def begun(as_admin, starter, session):
    """A move that was looked at and confirmed; its address."""

    def move(**differs):
        form = WISH | {"reason": "Costs rose"} | differs
        shown = as_admin.post(f"{address(starter)}/moves", data=form).text
        answer = as_admin.post(f"{address(starter)}/moves", data=form | {"confirmed": CONFIRMED.search(shown)[1]})
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    return move


def test_what_it_comes_to_is_shown_before_anybody_is_moved(as_admin, starter, session, bo):
    links = as_admin.get(address(starter)).text
    page = as_admin.get(f"{address(starter)}/moves/new").text

    assert f"{address(starter)}/moves/new" in links
    for words in (
        "At their first period after the notice",
        "$10.00</td><td>$15.00",
        "1: Starter is not sold by the year.",
        "$18.33",
        "$23.33",
        "+$5.00",
        "Move 1 customer to version 2",
        "Monthly price",
    ):
        assert words in page, words
    assert bo.customer_id in page
    with transaction(session):
        assert session.scalars(select(VersionMove.id)).all() == []


def test_it_is_begun_with_a_reason_and_filed_under_the_plan(as_admin, starter, session, begun, sessions, admin):
    refused = as_admin.post(
        f"{address(starter)}/moves",
        data=WISH | {"confirmed": CONFIRMED.search(as_admin.get(f"{address(starter)}/moves/new").text)[1]},
    )
    moved = begun()
    waiting = as_admin.get(moved).text
    move_subscribers.move_due(sessions, {})

    page = as_admin.get(moved).text
    assert refused.status_code == 422
    assert "Write a reason of 3 characters or more." in refused.text
    for words in ("Costs rose", admin.name, "Arranged", "Not moved", "Starter is not sold by the year.", "$15.00"):
        assert words in page, words
    assert 'hx-trigger="every 5s"' in waiting
    assert 'hx-trigger="every 5s"' not in page, "what is left to do has its day"
    assert "Version 1 to 2" in as_admin.get(address(starter)).text
    with transaction(session):
        line = session.scalars(select(Activity).where(Activity.action == "catalogue.move_begun")).one()
    assert (line.actor, line.subject, line.details["count"]) == (f"staff:{admin.id}", "plan:starter", 2)


def test_the_customer_sees_it_on_their_plan_and_cannot_take_it_back(begun, sessions, subscriber, client_of):
    begun()
    move_subscribers.move_due(sessions, {})
    browser = client_of(subscriber.person)

    page = browser.get("/plan").text

    assert re.search(r"Starter has new terms from 14.Apr.2026", page)
    assert "$15.00 a month from then on" in page
    assert "/plan/undo" not in page
    assert browser.post("/plan/undo").status_code == 409


def test_anything_else_than_was_shown_is_shown_first(as_admin, starter):
    seen = CONFIRMED.search(as_admin.get(f"{address(starter)}/moves/new").text)[1]

    other = as_admin.post(
        f"{address(starter)}/moves", data=WISH | {"reason": "Costs", "times": "now", "confirmed": seen}
    )

    assert other.status_code == 409
    assert "This is not what you looked at" in other.text
    assert re.search(r'name="reason".*>\s*Costs</textarea>', other.text)


def test_chosen_customers_are_those_who_have_that_version(as_admin, starter, subscriber, begun, session):
    listed = as_admin.get(f"{address(starter)}/versions/1/customers").text
    ticked = as_admin.get(f"{address(starter)}/moves/new?from=1&customer={subscriber.customer_id}").text
    wrong = as_admin.post(f"{address(starter)}/moves", data=WISH | {"who": "chosen", "customers": "cus_nobody"})

    assert f'name="customer" value="{subscriber.customer_id}"' in listed
    assert re.search(rf">\s*{subscriber.customer_id}</textarea>", ticked)
    assert "Move 1 customer to version 2" in ticked
    assert (wrong.status_code, "Not on version 1: cus_nobody." in wrong.text) == (422, True)
    begun(who="chosen", customers=subscriber.customer_id)
    with transaction(session):
        move = session.scalars(select(VersionMove)).one()
    assert (move.count, move.is_chosen) == (1, True)


def test_the_list_is_filtered_and_is_a_file(as_support, begun, sessions, subscriber):
    moved = begun(notice_days="45")
    move_subscribers.move_due(sessions, {})

    rows = list(csv.DictReader(io.StringIO(as_support.get(f"{moved}.csv?status=told").text)))
    partial = as_support.get(f"{moved}?status=stopped", headers=HX)

    assert [(row["customer_id"], row["price_before"], row["price_after"]) for row in rows] == [
        (subscriber.customer_id, "10.00", "15.00")
    ]
    assert "Nothing matches" in partial.text
    assert "<html" not in partial.text
    assert "Take it back" not in as_support.get(moved).text
    assert as_support.get(f"{moved}?status=x").status_code == 422


def test_it_is_taken_back(as_admin, begun, sessions):
    moved = begun()
    move_subscribers.move_due(sessions, {})

    assert as_admin.post(f"{moved}/stop").status_code == 303
    move_subscribers.move_due(sessions, {})

    page = as_admin.get(moved).text
    assert len(re.findall("Taken back", page)) >= 3
    assert 'hx-trigger="every 5s"' not in page


def test_its_pages_keep_to_their_queries(app, as_admin, starter, begun):
    asked = counted(app)
    as_admin.get(f"{address(starter)}/moves/new")
    looked = len(asked)
    moved = begun()
    asked.clear()
    as_admin.get(moved)

    assert looked <= 26, looked
    assert len(asked) <= 14, asked
