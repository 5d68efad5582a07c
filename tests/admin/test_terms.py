"""Staff: a customer's plan and the terms negotiated with them (SPEC P14): shown first, with a reason, in the log."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.catalogue import file, publish, reads, shipped
from app.db import transaction
from app.money import Money
from app.subscriptions import overrides, standing, verbs
from app.subscriptions.periods import Anchor, Interval
from tests.admin.test_plans import Inputs as PlanInputs


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def plans(session):
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")
    return {plan.key: plan for plan in reads.offered_plans(session)}


@pytest.fixture
def subscribed(session, ada, plans):
    """Ada is on Growth, monthly, paid from the wallet."""
    anchor = Anchor(datetime(2026, 3, 1, tzinfo=UTC), ZoneInfo("UTC"))
    with transaction(session):
        return verbs.begin(
            session,
            customer_id=ada.customer_id,
            plan_id=plans["growth"].id,
            version=1,
            interval=Interval.MONTH,
            price=Money(9_900, "usd"),
            paid_by="wallet",
            anchor=anchor,
            period=anchor.period(0, Interval.MONTH),
            actor=ada.id,
        )


class Inputs(PlanInputs):
    """What a browser would send for the form of the terms."""

    form = "terms"


def address(who):
    return f"/admin/customers/{who.customer_id}/terms"


def typed(page, **changed):
    return {**Inputs(page).sent, **{name.replace("__", "-"): value for name, value in changed.items()}}


def agree(browser, who, **terms):
    shown = browser.post(address(who), data=typed(browser.get(address(who)).text, **terms)).text
    return shown, browser.post(address(who), data=typed(shown))


def test_the_customers_page_says_where_they_stand(as_support, ada, subscribed):
    page = as_support.get(f"/admin/customers/{ada.customer_id}").text

    for words in ("Growth", "$99.00 a month", "Active", "1\xa0Apr\xa02026", "Wallet", subscribed.id, "No invoices yet"):
        assert words in page, words


def test_without_a_subscription_they_are_on_the_free_plan(as_support, ada, bo, plans):
    assert "Nothing is billed" in as_support.get(f"/admin/customers/{ada.customer_id}").text


def test_terms_are_shown_first_and_count_then(as_finance, session, ada, subscribed):
    shown, saved = agree(
        as_finance,
        ada,
        monthly="79.00",
        allowance__views__amount="unlimited",
        count__stores__amount="50",
        markup_percent="5",
        reason="Contract 2026-17",
    )

    assert "<td>99.00 USD</td><td>79.00 USD</td>" in shown
    assert "<td>150,000, then invoice at 0.0015</td><td>unlimited</td>" in shown
    assert "<td>–</td><td>5%</td>" in shown
    assert saved.status_code == 303
    session.rollback()
    plan = standing.of(session, ada.customer_id).plan
    assert (plan.monthly_minor, plan.limit("allowance", "views").amount, plan.limit("count", "stores").amount) == (
        7_900,
        None,
        50,
    )
    page = as_finance.get(f"/admin/customers/{ada.customer_id}").text
    assert "Contract 2026-17" in page
    assert "Contract 2026-17" in as_finance.get("/admin/activity").text


def test_what_is_negotiated_survives_the_form(as_finance, session, ada, subscribed):
    agree(
        as_finance, ada, monthly="79", allowance__views__amount="500,000", allowance__views__price="0.001", reason="One"
    )
    before = overrides.live(session, ada.customer_id)
    session.rollback()

    shown, _ = agree(as_finance, ada, reason="Two")

    assert "Nothing of what they have today." in shown
    session.expire_all()
    after = overrides.live(session, ada.customer_id)
    assert (after.number, after.reason) == (2, "Two")
    assert (after.monthly_minor, after.limits) == (before.monthly_minor, before.limits)


def test_a_reason_is_required_and_mistakes_stand_at_their_fields(as_finance, session, ada, subscribed):
    form = as_finance.get(address(ada)).text
    wrong = {"monthly": "cheap", "allowance-views-amount": "many", "commission_percent": "101", "reason": ""}

    answer = as_finance.post(address(ada), data={**typed(form), **wrong})

    assert answer.status_code == 422
    for name in wrong:
        assert f'<a href="#{name}">' in answer.text, name
        assert f'id="{name}-e"' in answer.text, name
    assert 'value="many"' in answer.text
    assert overrides.live(session, ada.customer_id) is None


def test_terms_that_differ_in_nothing_are_none(as_finance, ada, subscribed):
    assert as_finance.post(address(ada), data={"reason": "None at all"}).status_code == 422


def test_other_terms_than_those_shown_are_shown_again(as_finance, session, ada, subscribed):
    shown = as_finance.post(
        address(ada), data=typed(as_finance.get(address(ada)).text, monthly="79", reason="Why")
    ).text

    again = as_finance.post(address(ada), data=typed(shown, monthly="7.90"))

    assert "<td>7.90 USD</td>" in again.text
    assert overrides.live(session, ada.customer_id) is None


def test_they_end_with_a_reason(as_finance, session, ada, subscribed):
    agree(as_finance, ada, monthly="79", reason="Contract")

    refused = as_finance.post(address(ada) + "/end", data={"end_reason": " "})
    ended = as_finance.post(address(ada) + "/end", data={"end_reason": "Contract is over"})

    assert (refused.status_code, ended.status_code) == (422, 303)
    assert 'id="end_reason-e"' in refused.text
    session.rollback()
    session.expire_all()
    assert standing.of(session, ada.customer_id).plan.monthly_minor == 9_900
    page = as_finance.get(address(ada)).text
    assert "Contract" in page
    assert "Fay" in page
    assert as_finance.post(address(ada) + "/end", data={"end_reason": "Twice"}).status_code == 404


def test_support_reads(as_support, session, ada, subscribed):
    page = as_support.get(address(ada)).text

    assert "the plan’s own terms count" in page
    assert 'id="terms"' not in page
    assert as_support.post(address(ada), data={"monthly": "1", "reason": "Cheap"}).status_code == 403
    assert as_support.post(address(ada) + "/end").status_code == 403
