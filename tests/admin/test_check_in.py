"""Staff: the rules of the daily check-in. Admins change them; everyone in the back office sees what they cost."""

from __future__ import annotations

import re
from html import unescape

import pytest

from app import checkin
from app.activity.models import Activity
from app.catalogue import check_in as rules
from app.catalogue import file, publish, shipped
from app.catalogue.terms import CheckInTerms
from app.db import transaction
from tests.admin.conftest import CONFIRMED, saves

HX = {"HX-Request": "true"}
BASE = re.compile(r'name="base" value="([^"]+)"')
FORM = {"on": "1", "credits": "10", "bonus-1": "30", "every-1": "7", "day": "customer", "who": "verified"}


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def eight_days(session, ada, clock):
    """Ada checked in eight days in a row, up to today."""
    with transaction(session):
        rules.save(session, CheckInTerms(10, ((7, 30),), who="everyone"), is_on=True, actor="system")
    clock.advance(days=-7)
    for day in range(8):
        clock.advance(days=min(day, 1))
        with transaction(session):
            checkin.check_in(session, ada.customer_id, actor=ada.id)


def flat(page):
    return " ".join(page.text.split())


def test_what_is_typed_becomes_the_rules_and_is_in_the_audit_log(as_admin, admin, session):
    typed = {"expires_days": "90", "most": "1,000", "bonus-2": "100", "every-2": "30", "day": "utc", "who": "paid_plan"}

    answer = saves(as_admin, "/admin/check-in", FORM | typed)

    assert (answer.status_code, answer.location) == (303, "/admin/check-in")
    kept = rules.newest(session)
    assert kept.is_on
    assert rules.terms_of(kept) == CheckInTerms(10, ((7, 30), (30, 100)), 90, 1_000, "utc", "paid_plan")
    line = session.query(Activity).filter_by(subject="check-in:daily").one()
    assert (line.action, line.actor) == ("catalogue.new", f"staff:{admin.id}")
    page = as_admin.get("/admin/check-in").text
    for value in ('value="90"', 'value="1,000"', 'value="100"', "<details open>", "Check-in is on from now on"):
        assert value in page, value


def test_switching_off_keeps_the_rules(as_admin, session):
    saves(as_admin, "/admin/check-in", FORM)
    saves(as_admin, "/admin/check-in", FORM | {"on": ""})

    kept = rules.newest(session)
    assert (kept.is_on, kept.credits) == (False, 10)
    assert rules.live(session) is None
    assert session.query(Activity).filter_by(subject="check-in:daily", action="catalogue.retired").count() == 1


def test_saving_what_is_already_so_changes_nothing(as_admin, session):
    saves(as_admin, "/admin/check-in", FORM)
    saves(as_admin, "/admin/check-in", FORM)

    assert session.query(rules.CheckInRules).count() == 1


def test_what_changes_is_shown_first_and_the_second_editor_is_told_of_the_first(as_admin, session):
    saves(as_admin, "/admin/check-in", FORM)
    opened = unescape(BASE.search(as_admin.get("/admin/check-in").text)[1])

    looked = as_admin.post("/admin/check-in", data=FORM | {"credits": "20", "base": opened})
    assert "<td>10</td><td>20</td>" in looked.text
    assert rules.newest(session).credits == 10
    session.rollback()
    saves(as_admin, "/admin/check-in", FORM | {"most": "500"})

    sent = FORM | {"credits": "20", "base": opened}
    told = as_admin.post("/admin/check-in", data=sent | {"confirmed": CONFIRMED.search(looked.text)[1]})
    assert told.status_code == 409
    assert "Most nothing → 500" in told.text
    assert 'value="500"' in told.text
    assert rules.newest(session).credits == 10


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("credits", {"credits": ""}),
        ("credits", {"credits": "0"}),
        ("credits", {"credits": "ten"}),
        ("every-1", {"every-1": ""}),
        ("bonus-1", {"bonus-1": ""}),
        ("every-1", {"every-1": "1"}),
        ("every-1", {"bonus-2": "5", "every-2": "7"}),
        ("expires_days", {"expires_days": "0"}),
        ("most", {"most": "9"}),
        ("who", {"who": "friends"}),
        ("day", {"day": "mars"}),
    ],
)
def test_a_mistake_stands_at_its_field_and_nothing_typed_is_lost(as_admin, session, field, typed):
    answer = as_admin.post("/admin/check-in", data=FORM | {"expires_days": "77"} | typed)

    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert typed.get("expires_days", "77") in answer.text
    assert rules.newest(session) is None


def test_it_says_what_was_given_and_what_it_is_worth(as_admin, session, eight_days):
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")

    page = flat(as_admin.get("/admin/check-in"))

    for words in (
        "last 30 days</dt><dd>8</dd>",
        "<dd>80</dd>",
        "Bonus credits, 1 × 30</dt><dd>30</dd>",
        "<dd>110</dd>",
    ):
        assert words in page, words
    assert "Worth $" in page


def test_other_rules_are_worked_out_over_the_same_days(as_admin, eight_days):
    typed = FORM | {"credits": "5", "every-1": "4"}

    part, page = (
        as_admin.post("/admin/check-in/cost", data=typed, headers=HX),
        as_admin.post("/admin/check-in/cost", data=typed),
    )

    for answer in (part, page):  # eight days of 5, and twice 30
        assert "the same days give <b>100 credits</b>, \N{MINUS SIGN}10, before any cap" in flat(answer)
    assert part.text.startswith('<section class="panel w5" id="cost"')
    assert 'value="5"' in page.text


def test_support_and_finance_read(as_support, as_finance, as_admin):
    assert "Nobody has set any rules yet" in as_support.get("/admin/check-in").text
    saves(as_admin, "/admin/check-in", FORM)

    for browser in (as_support, as_finance):
        page = browser.get("/admin/check-in").text
        assert "Every 7 days in a row" in page
        assert "Save rules" not in page
        assert browser.post("/admin/check-in", data=FORM).status_code == 403
        assert browser.post("/admin/check-in/cost", data=FORM).status_code == 403
