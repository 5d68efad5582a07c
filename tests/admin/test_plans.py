"""Staff: the plan editor. Before and after first, mistakes at their fields, nothing typed lost, no script needed."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from app.catalogue import edit, file, publish, reads, shipped
from app.db import transaction
from tests.admin.conftest import HX


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def plans(session):
    """Puts a shipped catalogue on offer: its plans by key."""

    def offer(name="view"):
        with transaction(session):
            publish.apply(session, file.read(shipped.text_of(name), currency="usd"), actor="cli")
        return {plan.key: plan for plan in reads.offered_plans(session)}

    return offer


class Inputs(HTMLParser):
    """What a browser would send for the form `plan` as it is."""

    form = "plan"

    def __init__(self, page):
        super().__init__()
        self.sent, self.inside, self.select, self.area = {}, False, "", ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        if tag == "form":
            self.inside = told.get("id") == self.form
        if not self.inside:
            return
        if tag == "input" and (told.get("type") != "checkbox" or "checked" in told):
            self.sent[told["name"]] = told.get("value", "")
        if tag == "textarea":
            self.area = told["name"]
            self.sent[self.area] = ""
        if tag == "select":
            self.select = told["name"]
        if tag == "option" and (self.select not in self.sent or "selected" in told):
            self.sent[self.select] = told.get("value", "")

    def handle_data(self, data):
        if self.area:
            self.sent[self.area] += data.lstrip("\n")

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.area = ""
        if tag == "form":
            self.inside = False


def typed(page, **changed):
    """The form's values with some typed anew; `allowance_0_price` stands for `allowance-0-price`."""
    named = {re.sub(r"^(allowance|count)_(\d+)_", r"\1-\2-", name): value for name, value in changed.items()}
    return {**Inputs(page).sent, **named}


def on_offer(session, key):
    session.rollback()
    session.expire_all()
    return next(plan for plan in reads.offered_plans(session) if plan.key == key)


def address(plan):
    return f"/admin/plans/{plan.id}"


def test_support_and_finance_read(as_support, as_finance, plans):
    growth = plans()["growth"]

    for browser in (as_support, as_finance):
        assert browser.get("/admin/plans").status_code == 200
        page = browser.get(address(growth)).text
        assert "$99.00" in page
        assert '<form id="plan"' not in page
        for path in ("", "/changes", "/retire", "/offer"):
            assert browser.post(address(growth) + path).status_code == 403
        assert browser.get("/admin/plans/new").status_code == 403


def test_the_list_shows_what_is_sold_and_what_changed(as_support, plans):
    plans()

    page = as_support.get("/admin/plans").text

    for words in ("Growth", "$99.00", "$990.00", "By contract", "Live", "Put on offer, growth"):
        assert words in page, words


def test_without_script_the_change_is_shown_first_and_saved_then(as_admin, session, plans):
    growth = plans()["growth"]
    form = as_admin.get(address(growth)).text

    shown = as_admin.post(address(growth), data=typed(form, monthly="109.00")).text

    assert on_offer(session, "growth").monthly_minor == 9_900
    assert "<td>99.00 USD</td><td>109.00 USD</td>" in shown
    saved = as_admin.post(address(growth), data=typed(shown))
    assert saved.status_code == 303
    assert on_offer(session, "growth") == growth.__class__(
        **{name: getattr(growth, name) for name in growth.__slots__ if name != "monthly_minor"}, monthly_minor=10_900
    )


def test_every_shipped_plan_survives_the_form(as_admin, plans):
    """What the editor shows is what there is: sent back as it came, nothing would change."""
    for name in shipped.names():
        for plan in plans(name).values():
            answer = as_admin.post(address(plan), data=typed(as_admin.get(address(plan)).text))
            assert "Nothing yet." in answer.text, (name, plan.key)


def test_a_sold_plan_gets_a_new_version_and_says_so(as_admin, session, plans):
    growth = plans()["growth"]
    with transaction(session):
        publish.mark_sold(session, growth.id, 1)
    form = as_admin.get(address(growth)).text

    shown = as_admin.post(address(growth), data=typed(form, monthly="109.00")).text
    as_admin.post(address(growth), data=typed(shown))

    assert "Publish version 2" in shown
    assert "Who has version 1 keeps it" in shown
    assert (on_offer(session, "growth").version, on_offer(session, "growth").monthly_minor) == (2, 10_900)
    page = as_admin.get(f"{address(growth)}/versions/1").text
    assert "$99.00" in page


def test_a_change_that_was_not_shown_is_shown_instead_of_saved(as_admin, session, plans):
    growth = plans()["growth"]
    shown = as_admin.post(address(growth), data=typed(as_admin.get(address(growth)).text, monthly="109.00")).text

    other = as_admin.post(address(growth), data=typed(shown, monthly="19.00"))
    with transaction(session):
        publish.mark_sold(session, growth.id, 1)  # sold meanwhile: what was shown is not what would happen
    sold = as_admin.post(address(growth), data=typed(shown))

    assert [other.status_code, sold.status_code] == [200, 200]
    assert "Publish version 2" in sold.text
    assert on_offer(session, "growth").monthly_minor == 9_900


def test_mistakes_stand_at_their_fields_and_nothing_typed_is_lost(as_admin, session, plans):
    growth = plans()["growth"]
    form = as_admin.get(address(growth)).text
    wrong = {
        "name": "",
        "monthly": "ten",
        "rank": "first",
        "allowance_0_amount": "many",
        "count_0_key": "Shops!",
        "provider_ids": "nonsense",
        "features": "One\nTwo <b>",
    }

    answer = as_admin.post(address(growth), data=typed(form, **wrong))

    assert answer.status_code == 422
    for name in ("monthly", "rank", "allowance-0-amount", "name", "count-0-key", "provider_ids"):
        assert f'id="{name}-e"' in answer.text, name
        assert f'<a href="#{name}">' in answer.text, name
    sent = Inputs(answer.text).sent
    assert (sent["monthly"], sent["allowance-0-amount"], sent["count-0-key"]) == ("ten", "many", "Shops!")
    assert sent["features"] == "One\nTwo <b>"
    assert on_offer(session, "growth") == growth


def test_rows_come_and_go_without_script(as_admin, session, plans):
    growth = plans()["growth"]
    page = as_admin.get(address(growth)).text

    page = as_admin.post(address(growth), data=typed(page, do="add-count", name="Growing")).text
    page = as_admin.post(address(growth), data=typed(page, do="check", count_1_key="seats", count_1_amount="5")).text
    page = as_admin.post(address(growth), data=typed(page, do="remove-count-0")).text
    shown = as_admin.post(address(growth), data=typed(page)).text
    as_admin.post(address(growth), data=typed(shown))

    now = on_offer(session, "growth")
    assert now.name == "Growing"
    assert [(limit.key, limit.amount) for limit in now.limits if limit.kind == "count"] == [("seats", 5)]


def test_limits_of_four_kinds(as_admin, session, plans):
    growth = plans()["growth"]
    kinds = {
        "allowance_0_amount": "unlimited",
        "count_0_amount": "1,000",
        "rate-reads": "unlimited",
        "rate-writes": "60",
        "flag-production_access": "yes",
    }

    shown = as_admin.post(address(growth), data=typed(as_admin.get(address(growth)).text, **kinds)).text
    as_admin.post(address(growth), data=typed(shown))

    now = on_offer(session, "growth")
    assert {(limit.kind, limit.key): limit.amount for limit in now.limits} == {
        ("allowance", "views"): None,
        ("count", "stores"): 1_000,
        ("rate", "reads"): None,
        ("rate", "writes"): 60,
        ("flag", "production_access"): 1,
    }


def test_a_new_plan(as_admin, session, plans):
    plans()
    form = as_admin.get("/admin/plans/new").text

    taken = as_admin.post("/admin/plans/new", data=typed(form, name="Growth", key="growth", monthly="1"))
    shown = as_admin.post("/admin/plans/new", data=typed(form, name="Team", key="team", monthly="49")).text
    saved = as_admin.post("/admin/plans/new", data=typed(shown))

    assert taken.status_code == 422
    assert "A plan with this key exists already." in taken.text
    team = on_offer(session, "team")
    assert (team.monthly_minor, team.rank, saved.location) == (4_900, 4, address(team))
    assert "Team" in as_admin.get("/pricing").text


def test_retired_and_offered_again(as_admin, session, plans):
    growth = plans()["growth"]

    as_admin.post(address(growth) + "/retire")
    page = as_admin.get(address(growth)).text
    assert "Offer it again" in page
    assert "Growth" not in as_admin.get("/pricing").text
    as_admin.post(address(growth) + "/offer")

    assert on_offer(session, "growth") == growth


def test_with_script_the_changes_come_as_one_types(as_admin, plans):
    growth = plans()["growth"]
    form = as_admin.get(address(growth)).text

    panel = as_admin.post(address(growth) + "/changes", data=typed(form, yearly=""), headers=HX).text
    wrong = as_admin.post(address(growth) + "/changes", data=typed(form, yearly="x"), headers=HX)
    rows = as_admin.post(address(growth), data=typed(form, do="add-allowance"), headers=HX).text

    assert panel.startswith('<section class="panel" id="changes"')
    assert "<td>990.00 USD</td>" in panel
    assert wrong.status_code == 200
    assert "to put right first" in wrong.text
    assert rows.lstrip().startswith('<form id="plan"')
    assert unescape(rows).count("Meter, row") == 2


def test_a_plan_that_is_not_there(as_admin, as_support):
    for path in ("/admin/plans/plan_x", "/admin/plans/plan_x/versions/1"):
        assert as_support.get(path).status_code == 404
    assert as_admin.post("/admin/plans/plan_x").status_code == 404
    assert as_admin.post("/admin/plans/plan_x/retire").status_code == 404


def test_who_changed_it_is_on_its_page(as_admin, admin, session, plans):
    growth = plans()["growth"]
    with transaction(session):
        edit.save_plan(
            session,
            growth.__class__(**{**{n: getattr(growth, n) for n in growth.__slots__}, "rank": 9}),
            actor=f"staff:{admin.id}",
        )

    page = as_admin.get(address(growth)).text

    assert "rank 2, now 9" in page
    assert admin.name in page
