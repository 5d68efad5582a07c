"""The overview: the wallet as it is, and honest empty places for what is not there yet."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from app.catalogue import check_in
from app.catalogue.terms import CheckInTerms
from app.db import transaction
from app.notices import reads as notices
from app.people.models import User
from app.wallet import debit
from tests.support.page_figures import Figures
from tests.support.page_figures import said as text_of


def test_signed_out_it_leads_to_the_sign_in_page(client):
    answer = client.get("/")

    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in")


def test_it_shows_the_wallet_as_it_is(session, ada, client_of):
    ada.gets(4_000)

    page = client_of(ada).get("/").text

    assert '<p class="figure">$45.00 <small>available</small></p>' in page
    assert "$5.00 of it is a gift" in page


def test_it_says_the_same_as_the_wallet_page(session, ada, client_of):
    with transaction(session):
        debit.debit(session, ada.customer_id, 1_230_100, description="A call", key="k", by="test")
    browser = client_of(ada)

    figures = [re.search(r'<p class="figure">(\S+?)[ <]', browser.get(page).text)[1] for page in ("/", "/wallet")]

    assert figures == ["$3.76", "$3.76"]


def test_it_shows_the_five_latest_transactions(session, ada, client_of):
    with transaction(session):
        for number in range(6):
            debit.debit(session, ada.customer_id, 100, description=f"Call {number}.", key=f"k{number}", by="test")

    page = client_of(ada).get("/").text

    assert "Call 5." in page
    assert "Call 1." in page
    assert "Call 0." not in page


def test_a_new_customer_is_told_what_to_do_first(ada, client_of):
    page = client_of(ada).get("/").text

    assert "Get set up" in page
    assert 'href="/wallet#topup"' in page
    assert 'href="/api-keys"' in page


def test_the_first_steps_leave_after_the_first_top_up(ada, client_of, order_of):
    order_of(ada, "paid")

    assert "Get set up" not in client_of(ada).get("/").text


def test_what_is_not_there_yet_says_so_without_figures(ada, client_of):
    page = client_of(ada).get("/").text

    for words in ("No plan", "No meters", '<p class="figure">0 <small>credits</small></p>'):
        assert words in page


def test_an_unconfirmed_address_is_pointed_out(session, ada, client_of):
    with transaction(session):
        session.get_one(User, ada.id).email_verified_at = None

    page = client_of(ada).get("/").text

    assert "Confirm your email address" in page
    assert 'action="/verify-email"' in page


def test_a_confirmed_address_is_not(ada, client_of):
    assert "Confirm your email address" not in client_of(ada).get("/").text


def test_a_member_who_may_only_read_is_offered_no_top_up(cy, client_of):
    assert "#topup" not in client_of(cy).get("/").text


def test_every_link_of_the_page_leads_somewhere(ada, client_of, app):
    browser = client_of(ada)

    for address in set(re.findall(r'<a [^>]*href="(/[^"#?]*)', browser.get("/").text)):
        assert browser.get(address).status_code == 200, address


def test_the_switch_of_customers_is_there_for_who_belongs_to_two(session, ada, bo, client_of):
    from app.customers import members
    from app.people import users

    with transaction(session):
        members.join(session, bo.customer_id, users.by_id(session, ada.id), "read", actor="system")

    page = client_of(ada).get("/").text

    assert 'action="/customer"' in page
    assert "Analytical Engines</option>" in page
    assert "Bo&#39;s Boats</option>" in page


def test_staff_have_a_way_to_the_back_office_and_others_have_not(session, ada, client_of):
    assert "Back office" not in client_of(ada).get("/").text


def test_the_chosen_appearance_comes_from_the_cookie(ada, client_of):
    browser = client_of(ada)
    browser.set_cookie("theme", "dark")
    dark = browser.get("/").text
    browser.set_cookie("theme", '"><script>')
    nonsense = browser.get("/").text

    assert re.search(r'value="dark"[^>]* checked', dark)
    assert re.search(r'value="system"[^>]* checked', nonsense)
    assert "<script>" not in nonsense


def test_what_the_customer_was_told_last_stands_there_until_they_read_it(session, ada, uses, client_of):
    uses(ada, "calls", 850)
    browser = client_of(ada)

    assert "80% of your" in browser.get("/").text

    with transaction(session):
        notices.mark_read(session, ada.customer_id)
    assert "80% of your" not in browser.get("/").text


def test_usage_shows_what_overage_comes_to_and_a_plan_that_saves_money(ada, uses, client_of, clock):
    ada.gets(20_000)
    clock.set(datetime(2026, 3, 10, 12, tzinfo=UTC))
    uses(ada, "calls", 5_000)
    clock.advance(days=1)
    page = Figures(client_of(ada).get("/").text)
    foot = text_of(page.panel("Usage this period"))

    assert "At this week’s pace overage reaches about $43.60 by 31 Mar." in foot
    assert "covers all of it" not in foot  # Growth stops at 100,000, and 110,000 are coming

    uses(ada, "calls", 3_000)
    clock.advance(days=1)
    foot = text_of(Figures(client_of(ada).get("/").text).panel("Usage this period"))

    assert "Growth covers all of it for $29.00 more a month." in foot


def test_who_has_used_nothing_is_told_what_is_free(ada, metered, client_of):
    page = client_of(ada).get("/").text

    assert "No usage yet" in page
    assert "1,000 API calls, 100 agent runs and 10 jobs a month are free." in page


def test_today_s_check_in_is_one_press_away(session, ada, client_of):
    with transaction(session):
        check_in.save(session, CheckInTerms(credits=2, bonuses=((7, 6),), who="verified"), is_on=True, actor="test")

    page = client_of(ada).get("/").text

    assert '<form method="post" action="/check-in">' in page
    assert "Check in for 2 credits" in page
    assert "is day 7, worth 8 credits." in page
