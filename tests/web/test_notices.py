"""The notices page: what the customer was told, what is unread, and what they want to be told of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app import clock, notices
from app.db import transaction
from app.notices import choices
from app.notices.models import Notice

HX = {"HX-Request": "true"}


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def tell(session, who, percent=80):
    facts = {"period_start": clock.now(), "resets_at": clock.now() + timedelta(days=30), "percent": percent}
    counts = {"meter": "views", "name": "views", "used": percent * 100, "allowance": 10_000}
    with transaction(session):
        notices.tell(session, who.customer_id, "usage_threshold", key=f"views:{percent}", **facts, **counts)


def test_it_says_that_nothing_happened_yet(ada, client_of):
    page = client_of(ada).get("/notices").text

    assert "Nothing to tell" in page
    assert 'value="80, 100"' in page


def test_it_shows_what_was_told_and_counts_what_is_unread(session, ada, bo, client_of, clock):
    tell(session, ada)
    clock.advance(minutes=1)
    tell(session, ada, 90)

    page = client_of(ada).get("/notices").text

    assert "2 unread" in page
    assert page.index("90% of your views are used") < page.index("80% of your views are used")
    assert "You have used 8,000 of the 10,000 views in your plan." in page
    assert "2 new" in client_of(ada).get("/wallet").text, "the navigation says so on every page"
    assert "of your views" not in client_of(bo).get("/notices").text


def test_new_terms_lead_to_the_plan(session, ada, client_of):
    facts = {"plan": "Starter", "from_at": clock.now(), "price": "You pay $31.00.", "what": "More views."}
    with transaction(session):
        notices.tell(session, ada.customer_id, "plan_terms_change", key="terms", **facts)

    page = client_of(ada).get("/notices").text

    assert '<a href="/plan">Plan</a>' in page


def test_one_is_marked_read_and_then_all(session, ada, client_of):
    for percent in (70, 80, 90):
        tell(session, ada, percent)
    browser = client_of(ada)
    first = session.scalars(select(Notice.id).limit(1)).one()
    session.rollback()

    one = browser.post(f"/notices/{first}/read", headers=HX)
    assert one.text.lstrip().startswith('<section class="panel" id="notices"')
    assert "2 unread" in one.text
    assert 'id="unread" hx-swap-oob="true">2 new<' in one.text, "the menu says so at once"
    assert "All read" in browser.post("/notices/read", headers=HX).text
    assert browser.post("/notices/read").location == "/notices"


def test_older_ones_are_on_the_next_page(session, ada, client_of, clock):
    for percent in range(1, 30):
        tell(session, ada, percent)
        clock.advance(seconds=1)
    browser = client_of(ada)

    page = browser.get("/notices").text
    older = page.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]

    assert "29% of" in page
    assert "/notices.csv" in page
    assert browser.get("/notices.csv").text.count("% of your views are used") > 25, "all of them, page by page"
    assert "4% of" not in page.replace("14% of", "").replace("24% of", "")
    assert "4% of your views" in browser.get(older, headers=HX).text


def test_they_choose_what_they_are_told_of(session, ada, client_of):
    answer = client_of(ada).post("/notices/choices", data={"percents": "50, 90 %", "low": "20.00"}, headers=HX)

    assert "Saved" in answer.text
    with transaction(session):
        chosen = choices.of(session, ada.customer_id)
        assert (chosen.percents, chosen.low_micros, chosen.mails) == ([50, 90], 20_000_000, False)
        assert notices.thresholds(session, ada.customer_id) == (50, 90)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"percents": "eighty"}, "Enter whole percentages"),
        ({"percents": "0"}, "whole percentages from 1 to 1000"),
        ({"percents": "80", "low": "much"}, "Enter an amount in figures"),
    ],
)
def test_nonsense_comes_back_with_a_sentence(ada, client_of, typed, sentence):
    answer = client_of(ada).post("/notices/choices", data=typed)

    assert answer.status_code == 422
    assert sentence in answer.text


def test_who_may_only_look_sees_no_form(cy, client_of):
    page = client_of(cy).get("/notices").text

    assert "80, 100%" in page
    assert 'name="percents"' not in page
