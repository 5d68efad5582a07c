"""Staff: a new version of a plan: what it will look like, whom it concerns, and that no subscriber is touched."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import event

from app.catalogue import edit, reads
from app.db import transaction
from app.extensions import db
from app.subscriptions import subscribers
from tests.admin.conftest import HX
from tests.admin.test_plans import Inputs, address, on_offer, typed
from tests.support.plans import Subscriber


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def starter(session, plans):
    return next(plan for plan in reads.offered_plans(session) if plan.key == "starter")


def publishes(browser, plan, **changed):
    """The form is opened, the change looked at, and published; the page that was looked at."""
    shown = browser.post(address(plan), data=typed(browser.get(address(plan)).text, **changed)).text
    assert browser.post(address(plan), data=typed(shown)).status_code == 303
    return shown


def test_old_subscribers_renew_at_the_old_price_and_new_ones_pay_the_new(
    as_admin, client_of, admin, session, subscriber, bo, works, clock, starter
):
    """A year of renewals is not needed: the next period's invoice says what they pay."""
    subscriber.gets(10_000)
    subscriber.subscribes("starter")

    shown = publishes(as_admin, starter, monthly="15.00", name="Starter 2027")

    assert "1 subscriber keeps</dt><dd>Version 1" in shown
    assert "Who subscribes from now on</dt><dd>Version 2" in shown
    clock.advance(days=32)
    works()
    first, second = subscriber.invoices
    assert (first.subtotal_minor, second.subtotal_minor) == (1_000, 1_000)
    assert (subscriber.sub.version, subscriber.sub.price_minor) == (1, 1_000)
    bo.gets(10_000)
    Subscriber(bo).subscribes("starter")
    with transaction(session):
        assert subscribers.per_version(session) == {(starter.id, 1): 1, (starter.id, 2): 1}
        [second_version] = subscribers.of_version(session, starter.id, 2)[0]
    assert (second_version.customer_id, second_version.price_minor) == (bo.customer_id, 1_500)
    page = client_of(admin).get(address(starter)).text
    assert "Monthly: 10.00 USD → 15.00 USD" in page
    assert "Name: Starter → Starter 2027" in page
    assert f", {admin.name}, " in page


def test_who_has_a_version_is_listed_with_what_they_pay(as_support, subscriber, starter):
    subscriber.gets(10_000)
    subscriber.subscribes("starter")
    listed = f"{address(starter)}/versions/1/customers"

    page, file = as_support.get(listed).text, as_support.get(f"{listed}.csv").text

    assert "$10.00" in page
    assert subscriber.person.customer_id in page
    heading, row = csv.reader(io.StringIO(file))
    assert dict(zip(heading, row, strict=True))["price_minor"] == "1000"
    assert "Nobody has this version" in as_support.get(listed + "?after=z", headers=HX).text
    assert as_support.get(f"{address(starter)}/versions/7/customers").status_code == 404


def test_the_pricing_page_is_previewed_and_nothing_is_saved(as_admin, session, starter):
    form = typed(as_admin.get(address(starter)).text, monthly="19.00", yearly="190.00", features="Fast\nSafe")

    whole = as_admin.post(f"{address(starter)}/preview", data=form)
    partial = as_admin.post(f"{address(starter)}/preview", data=form | {"do": "yearly"}, headers=HX)

    for words in ("Preview", "Nothing is saved", "$19.00", "Fast"):
        assert words in whole.text, words
    assert "$190.00" in partial.text
    assert "<html" not in partial.text
    assert "/plan/change" not in whole.text, "nothing can be bought in a preview"
    assert on_offer(session, "starter").monthly_minor == 1_000
    assert "$19.00" not in as_admin.get("/pricing").text
    back = as_admin.post(address(starter), data=hidden(whole.text)).text
    assert "<td>10.00 USD</td><td>19.00 USD</td>" in back
    assert Inputs(back).sent["features"] == "Fast\nSafe"


def hidden(page):
    """What the button that leads back from the preview sends."""
    return Preview(page).sent


class Preview(Inputs):
    form = "kept"


def test_what_is_wrong_is_not_previewed(as_admin, starter):
    form = typed(as_admin.get(address(starter)).text, monthly="ten")

    answer = as_admin.post(f"{address(starter)}/preview", data=form)
    partial = as_admin.post(f"{address(starter)}/preview", data=form, headers=HX)

    assert (answer.status_code, partial.status_code) == (422, 422)
    assert 'id="monthly-e"' in answer.text
    assert partial.headers["HX-Retarget"] == "#plan"


def test_the_second_of_two_editors_loses_nothing_and_undoes_nothing(as_admin, admin, session, plans, starter):
    """They change the price and add a limit; the other, meanwhile, the name, the price too, and a feature."""
    opened = as_admin.get(address(starter)).text
    publishes(as_admin, starter, monthly="12.00", features="Fast", do="")

    mine = typed(opened, name="Little", monthly="11.00")
    panel = as_admin.post(f"{address(starter)}/changes", data=mine, headers=HX).text
    told = as_admin.post(address(starter), data=mine)

    assert "Nothing you typed is lost" in panel
    assert 'name="confirmed"' not in panel
    assert told.status_code == 409
    for words in (
        f"{admin.name} has changed this since you opened it",
        "Features nothing → Fast",
        "Monthly is 12.00 now, and 11.00 in your form",
    ):
        assert words in told.text, words
    assert as_admin.post(address(starter), data=typed(told.text)).status_code == 303
    now = on_offer(session, "starter")
    assert (now.name, now.monthly_minor, now.features) == ("Little", 1_100, ("Fast",))


def test_a_row_that_one_editor_adds_comes_into_the_form_of_the_other(as_admin, session, plans, starter):
    opened = as_admin.get(address(starter)).text
    rows = as_admin.post(address(starter), data=typed(opened, do="add-count")).text
    shown = as_admin.post(address(starter), data=typed(rows, count_0_key="seats", count_0_amount="5")).text
    as_admin.post(address(starter), data=typed(shown))

    told = as_admin.post(address(starter), data=typed(opened, name="Little")).text
    as_admin.post(address(starter), data=typed(told))

    now = on_offer(session, "starter")
    assert (now.name, [(each.key, each.amount) for each in now.limits]) == ("Little", [("seats", 5)])


def test_a_plan_that_was_retired_meanwhile_is_told(as_admin, starter):
    opened = as_admin.get(address(starter)).text
    as_admin.post(address(starter) + "/retire")

    told = as_admin.post(address(starter), data=typed(opened, name="Little"))

    assert told.status_code == 409
    assert "saving offers it again" in told.text
    assert Inputs(told.text).sent["name"] == "Little"


def test_the_page_keeps_to_its_queries(app, as_admin, session, subscriber, starter):
    for price in (1_100, 1_200, 1_300):
        with transaction(session):
            edit.save_plan(session, type(starter)(**named(starter) | {"monthly_minor": price}), actor="cli")
    asked = counted(app)
    as_admin.get(address(starter))
    first = len(asked)

    assert first <= 17, asked


def named(plan):
    return {name: getattr(plan, name) for name in plan.__slots__}


def counted(app):
    asked = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    return asked


def test_of_two_who_confirm_at_the_same_instant_the_second_sees_the_first(
    app, as_admin, admin, session, sessions, starter
):
    """The other publishes between the last look at the plan and the lock, when no form could know of it yet."""
    shown = as_admin.post(address(starter), data=typed(as_admin.get(address(starter)).text, name="Little")).text

    def publish(*told):
        if told[2] == "BEGIN IMMEDIATE" and not published:
            published.append(True)
            with sessions() as other, transaction(other):
                first = type(starter)(**named(starter) | {"monthly_minor": 1_200})
                edit.save_plan(other, first, actor=f"staff:{admin.id}")

    published = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", publish)
        told = as_admin.post(address(starter), data=typed(shown))
        event.remove(db.engine, "before_cursor_execute", publish)

    assert (published, told.status_code) == ([True], 409)
    assert f"{admin.name} has changed this since you opened it" in told.text
    assert "Monthly 10.00 → 12.00" in told.text
    assert Inputs(told.text).sent["name"] == "Little"
    assert on_offer(session, "starter").name == "Starter"
    assert as_admin.post(address(starter), data=typed(told.text)).status_code == 303
    now = on_offer(session, "starter")
    assert (now.name, now.monthly_minor) == ("Little", 1_200)
