"""The check-in page: the month, the row, what it gives, and the one button that works once a day."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, event

from app import checkin
from app.catalogue import check_in as rules
from app.catalogue.terms import CheckInTerms
from app.checkin.models import CheckIn
from app.customers import customers
from app.db import transaction
from app.people import users

HX = {"HX-Request": "true"}
NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def switch(session):
    """`switch(most=20)`: check-in is on by these rules; `switch(is_on=False)`: off."""

    def put(*, is_on=True, **terms):
        wanted = CheckInTerms(**{"credits": 10, "bonuses": ((7, 30),), "who": "everyone", **terms})
        with transaction(session):
            rules.save(session, wanted, is_on=is_on, actor="system")

    return put


@pytest.fixture
def days(session, ada, clock):
    """Ada checks in on each of these days, at nine; the clock stays at the last."""

    def live(*listed):
        for day in listed:
            clock.set(datetime(2026, *day, 9, tzinfo=UTC))
            with transaction(session):
                checkin.check_in(session, ada.customer_id, actor=ada.id)

    return live


def flat(page):
    return " ".join(page.text.replace(NBSP, " ").split())


def test_it_says_what_checking_in_gives_and_then_when_the_next_is(client_of, ada, switch):
    switch()
    browser = client_of(ada)

    before = flat(browser.get("/check-in"))
    pressed = browser.post("/check-in")
    after = flat(browser.get("/check-in"))

    for words in (
        "Check in for 10 credits",
        "Takes you to 1 day and 10 credits",
        "Every 7th day in a row",
        "+30 bonus",
    ):
        assert words in before, words
    assert (pressed.status_code, pressed.location) == (303, "/check-in")
    for words in ("Done today", "15 Mar 2026, 00:00", "Next bonus: 40 credits on Friday 20 Mar.", "+10 credits: day 1"):
        assert words in after, words
    assert "Check in for" not in after


def test_a_second_press_changes_nothing_and_says_so(client_of, ada, switch, session):
    switch()
    browser = client_of(ada)
    browser.post("/check-in")

    again = browser.post("/check-in")

    assert again.status_code == 409
    assert "You have checked in already" in again.text
    assert session.query(CheckIn).count() == 1


def test_htmx_gets_the_panels_and_a_word(client_of, ada, switch):
    switch()
    browser = client_of(ada)

    done, again = browser.post("/check-in", headers=HX), browser.post("/check-in", headers=HX)

    assert (done.status_code, again.status_code) == (200, 409)
    for answer, words in ((done, "day 1 in a row"), (again, "checked in already")):
        assert "<html" not in answer.text
        assert 'id="check-in"' in answer.text
        assert 'hx-swap-oob="innerHTML"' in answer.text
        assert words in answer.text


def test_the_calendar_shows_what_was_done_missed_and_will_give_more(client_of, ada, switch, days, clock):
    switch()
    days((3, 14), (3, 15), (3, 16), (3, 18))
    clock.set(datetime(2026, 3, 19, 9, tzinfo=UTC))

    page = client_of(ada).get("/check-in")

    cells = {line.split("</time>")[0].split(">")[-1]: line for line in page.text.split("<td ")[1:]}
    states = {number: cells[str(number)].split('"')[1] for number in (13, 14, 17, 18, 19, 20, 24)}
    assert states == {13: "none", 14: "done", 17: "missed", 18: "done", 19: "today", 20: "future", 24: "future"}
    assert "i-star" in cells["24"]
    assert "+40" in cells["24"]
    assert "4 of 5 days in March, 40 credits. One day missed, 17 Mar." in flat(page)
    assert "Longest 3 days, 14 Mar to 16 Mar" in flat(page)
    assert "Miss today and the streak restarts at 1." in flat(page)


def test_months_can_be_leafed_through_where_there_is_something_to_see(client_of, ada, switch, days):
    switch()
    days((3, 14), (4, 2))
    browser = client_of(ada)

    april, march = browser.get("/check-in"), browser.get("/check-in?month=2026-03")
    part = browser.get("/check-in/calendar?month=2026-03")

    assert "April 2026" in april.text
    assert "month=2026-03" in april.text
    assert "month=2026-05" not in april.text
    assert "March 2026" in march.text
    assert "month=2026-04" in march.text
    assert "month=2026-02" not in march.text
    assert part.text.startswith('<section class="panel w8" id="calendar"')
    for odd in ("2026-13", "2026-09"):
        assert "April 2026" in browser.get(f"/check-in?month={odd}").text


def test_off_is_told_and_what_was_earned_stays(client_of, ada, switch, days):
    switch()
    days((3, 14))
    switch(is_on=False)
    browser = client_of(ada)

    page, pressed = browser.get("/check-in"), browser.post("/check-in")

    assert "switched off" in page.text
    assert "+10" in page.text
    assert "Check in for" not in page.text
    assert pressed.status_code == 409


def test_who_may_not_is_told_what_is_missing(client_of, ada, switch, session):
    switch(who="verified")
    with transaction(session):
        user = users.by_id(session, ada.id)
        user.email_verified_at = None
    browser = client_of(ada)

    page, pressed = browser.get("/check-in"), browser.post("/check-in")

    assert "Confirm your email address first" in page.text
    assert "Go to your profile" in page.text
    assert (pressed.status_code, "Confirm your email" in pressed.text) == (403, True)


def test_a_reader_looks_and_does_not_check_in(client_of, cy, switch):
    switch()
    browser = client_of(cy)

    page = browser.get("/check-in")

    assert "You can look, but not check in" in page.text
    assert "<button" not in page.text.split('id="check-in"')[1].split("</main>")[0]
    assert browser.post("/check-in").status_code == 403
    assert browser.post("/check-in/time-zone", data={"time_zone": "UTC"}).status_code == 403


def test_the_next_time_is_told_in_the_readers_zone_and_the_day_in_the_customers(client_of, ada, switch, session):
    switch()
    browser = client_of(ada)
    browser.post("/check-in/time-zone", data={"time_zone": "Asia/Tokyo"})
    with transaction(session):
        users.set_time_zone(session, users.by_id(session, ada.id), "Europe/London")
    browser.post("/check-in")

    page = flat(browser.get("/check-in"))

    assert session.query(CheckIn).one().local_date == date(2026, 3, 14)
    assert "The day starts at 00:00 in Asia/Tokyo." in page
    assert "14 Mar 2026, 15:00" in page  # midnight in Tokyo


def test_a_zone_that_does_not_exist_is_refused_at_its_field(client_of, ada, switch, session):
    switch()

    answer = client_of(ada).post("/check-in/time-zone", data={"time_zone": "Mars/Olympus"})

    assert answer.status_code == 422
    assert "Choose a time zone from the list." in answer.text
    assert customers.by_id(session, ada.customer_id).time_zone == "UTC"


def test_at_the_cap_the_row_can_be_kept(client_of, ada, switch, days, clock):
    switch(most=10)
    days((3, 14))
    clock.set(datetime(2026, 3, 15, 9, tzinfo=UTC))

    page = flat(client_of(ada).get("/check-in"))

    assert "Check in and keep the streak" in page
    assert "You hold 10 credits from check-ins, of 10 at most: spend some to earn more." in page


def test_a_long_row_costs_no_more_questions_than_a_short_one(client_of, ada, switch, days, engine):
    switch()
    browser = client_of(ada)
    browser.get("/check-in")

    with counting(engine) as few:
        browser.get("/check-in")
    days(*((3, day) for day in range(14, 18)))
    with counting(engine) as many:
        browser.get("/check-in")

    assert 0 < len(many) <= len(few) <= 16


@contextmanager
def counting(engine):
    """The statements asked meanwhile; the web's engine is the test's."""
    asked = []

    def note(*told):
        asked.append(told[2])

    event.listen(Engine, "before_cursor_execute", note)
    yield asked
    event.remove(Engine, "before_cursor_execute", note)
