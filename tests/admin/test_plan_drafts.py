"""Staff: drafts of plans. What is put by is not on offer, comes back as it was typed, and goes when it is published."""

from __future__ import annotations

import pytest

from app.catalogue import drafts, reads
from tests.admin.conftest import HX
from tests.admin.test_plans import Inputs, address, on_offer, typed


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def starter(session, plans):
    return next(plan for plan in reads.offered_plans(session) if plan.key == "starter")


def puts_by(browser, plan, page, **changed):
    return browser.post(f"{address(plan)}/draft", data=typed(page, **changed)).location


def test_a_draft_is_taken_up_with_its_mistakes_and_published(as_admin, as_support, admin, session, starter):
    opened = as_admin.get(address(starter)).text
    rows = as_admin.post(address(starter), data=typed(opened, do="add-count")).text

    draft = puts_by(as_admin, starter, rows, monthly="ten", name="Soon", count_0_key="seats", count_0_amount="5")

    page = as_admin.get(draft).text
    sent = Inputs(page).sent
    assert (sent["monthly"], sent["name"], sent["count-0-key"]) == ("ten", "Soon", "seats")
    assert 'id="monthly-e"' in page
    assert on_offer(session, "starter").name == "Starter"
    assert "Soon" not in as_support.get("/pricing").text
    listed = as_support.get("/admin/plans").text
    assert "Draft" in listed
    assert admin.name in listed
    assert draft in as_admin.get(address(starter)).text
    assert as_support.get(draft).status_code == 403

    shown = as_admin.post(address(starter), data=typed(page, monthly="12.00")).text
    assert as_admin.post(address(starter), data=typed(shown)).status_code == 303
    assert (on_offer(session, "starter").name, on_offer(session, "starter").monthly_minor) == ("Soon", 1_200)
    assert as_admin.get(draft).status_code == 404
    assert drafts.every(session) == []


def test_a_draft_is_told_what_was_changed_since(as_admin, session, starter):
    opened = as_admin.get(address(starter)).text
    draft = puts_by(as_admin, starter, opened, name="Soon")
    shown = as_admin.post(address(starter), data=typed(opened, features="Fast")).text
    as_admin.post(address(starter), data=typed(shown))

    page = as_admin.get(draft).text

    assert "Features nothing → Fast" in page
    as_admin.post(address(starter), data=typed(page))
    assert (on_offer(session, "starter").name, on_offer(session, "starter").features) == ("Soon", ("Fast",))


def test_two_who_save_one_draft_have_two(as_admin, session, starter, clock):
    draft = puts_by(as_admin, starter, as_admin.get(address(starter)).text, name="Soon")
    page = as_admin.get(draft).text
    clock.advance(seconds=1)

    first = puts_by(as_admin, starter, page, name="Mine")
    second = puts_by(as_admin, starter, page, name="Theirs")

    assert (first, second) == (draft, second)
    assert second != first
    session.rollback()
    assert [each.name for each in drafts.every(session)] == ["Theirs", "Mine"]


def test_a_new_plan_is_drafted_and_thrown_away(as_admin, session, starter):
    form = as_admin.get("/admin/plans/new").text

    answer = as_admin.post("/admin/plans/new/draft", data=typed(form, name="Team", key="team"), headers=HX)
    draft = answer.headers["HX-Redirect"]

    assert Inputs(as_admin.get(draft).text).sent["key"] == "team"
    assert as_admin.post(f"{draft}/discard").status_code == 303
    assert as_admin.get(draft).status_code == 404
    assert "Draft thrown away" in as_admin.get("/admin/catalogue").text
