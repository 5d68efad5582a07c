"""Changing a plan that a card pays (SPEC P6, P7, P9), the sandbox over HTTP: charged as shown, or left alone."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.activity.models import Activity
from app.db import transaction
from app.errors import Conflict, PaymentRefused, ProviderDown
from app.subscriptions.changes import PreviewExpired
from app.subscriptions.lifecycle import NoSubscription
from app.subscriptions.models import SubscriptionChange
from tests.support.card_paid import ASKS, FAILS, Cardholder


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here is between us and the provider; races are tested on both databases elsewhere."""
    return sqlite_url


@pytest.fixture
def subscribed(cardholder: Cardholder) -> Cardholder:
    """Ten days into Starter by the month."""
    cardholder.subscribes("starter")
    cardholder.passes(days=10)
    cardholder.hears()
    return cardholder


def test_an_upgrade_charges_what_was_shown_though_time_has_passed(subscribed: Cardholder, session: Session) -> None:
    shown = subscribed.looks_at("growth")
    subscribed.passes(minutes=9)

    done = subscribed.confirms(shown)

    sub, invoice = subscribed.sub, subscribed.invoices[-1]
    assert (shown.kind, done.state, sub.price_minor) == ("upgrade", "applied", 3000)
    assert 0 < shown.due_minor == shown.charge_minor - shown.credit_minor == invoice.total_minor < 2000
    assert (shown.details["next_total"], shown.details["effect"]) == (3000, "now")
    assert sum(line["amount"] for line in shown.details["lines"]) == shown.due_minor
    assert subscribed.change(shown.id).invoice_id == invoice.id
    subscribed.hears(times=2)
    assert subscribed.change(shown.id).state == "applied"
    assert not _noticed(session)
    subscribed.is_invoiced_without_a_gap()


def test_the_same_confirmation_again_charges_once(subscribed: Cardholder) -> None:
    shown = subscribed.looks_at("growth")

    first, second = subscribed.confirms(shown), subscribed.confirms(shown)
    subscribed.hears()

    assert first.state == second.state == "applied"
    assert len(subscribed.invoices) == 2


def test_a_price_shown_too_long_ago_is_not_charged(subscribed: Cardholder) -> None:
    shown = subscribed.looks_at("growth")
    subscribed.passes(minutes=10)

    with pytest.raises(PreviewExpired):
        subscribed.confirms(shown)

    assert subscribed.sub.price_minor == 1000
    subscribed.sweeps()
    assert subscribed.change(shown.id).state == "expired"


def test_a_price_shown_for_something_else_is_not_charged(subscribed: Cardholder) -> None:
    before = subscribed.looks_at("growth")
    subscribed.changes_to("prompt")

    with pytest.raises(PreviewExpired):
        subscribed.confirms(before)


def test_a_refused_card_leaves_the_old_plan_and_says_why(subscribed: Cardholder) -> None:
    subscribed.saves_card(FAILS)
    shown = subscribed.looks_at("growth")

    for _ in range(2):
        with pytest.raises(PaymentRefused, match="declined"):
            subscribed.confirms(shown)
    subscribed.hears()

    change = subscribed.change(shown.id)
    assert (change.state, subscribed.sub.price_minor, subscribed.sub.status) == ("failed", 1000, "active")
    assert "declined" in change.failure
    assert subscribed.standing.tier == "starter"
    subscribed.saves_card()
    assert subscribed.changes_to("growth").state == "applied"


def test_a_bank_that_asks_changes_the_plan_once_it_is_answered(subscribed: Cardholder) -> None:
    subscribed.saves_card(ASKS)

    waiting = subscribed.changes_to("growth")
    subscribed.hears()
    assert (waiting.state, subscribed.sub.price_minor) == ("in_flight", 1000)
    assert subscribed.standing.pending.id == waiting.id
    with pytest.raises(Conflict) as second:
        subscribed.looks_at("prompt")
    assert second.value.details["change_id"] == waiting.id
    subscribed.answers_bank(waiting.action_url)
    subscribed.hears()

    assert (subscribed.change(waiting.id).state, subscribed.sub.price_minor) == ("applied", 3000)
    assert subscribed.invoices[-1].total_minor == waiting.due_minor


def test_a_bank_that_is_never_answered_leaves_the_old_plan(subscribed: Cardholder) -> None:
    subscribed.saves_card(ASKS)
    waiting = subscribed.changes_to("growth")

    subscribed.passes(hours=24)
    subscribed.sweeps()

    assert (subscribed.change(waiting.id).state, subscribed.sub.price_minor) == ("failed", 1000)


def test_a_change_that_waits_for_the_bank_can_be_taken_back(subscribed: Cardholder) -> None:
    subscribed.saves_card(ASKS)
    waiting = subscribed.changes_to("growth")

    undone = subscribed.undoes()
    subscribed.hears()

    assert (undone.id, undone.state, subscribed.sub.price_minor) == (waiting.id, "undone", 1000)
    assert subscribed.standing.pending is None


def test_a_lost_answer_is_found_again_by_the_same_call(subscribed: Cardholder) -> None:
    shown = subscribed.looks_at("growth")
    subscribed.loses("change_now")
    with pytest.raises(ProviderDown):
        subscribed.confirms(shown)
    assert subscribed.change(shown.id).state == "in_flight"

    assert subscribed.confirms(shown).state == "applied"

    subscribed.hears()
    assert [invoice.total_minor for invoice in subscribed.invoices] == [1000, shown.due_minor]


@pytest.mark.parametrize("way", ["news", "sweep"])
def test_a_lost_answer_is_settled_by_itself(subscribed: Cardholder, way: str) -> None:
    shown = subscribed.looks_at("growth")
    subscribed.loses("change_now", done=way == "news")
    with pytest.raises(ProviderDown):
        subscribed.confirms(shown)

    if way == "news":
        subscribed.hears()
    else:
        subscribed.passes(minutes=11)
        subscribed.sweeps()

    assert (subscribed.change(shown.id).state, subscribed.sub.price_minor) == ("applied", 3000)


def test_another_amount_than_shown_is_noticed(subscribed: Cardholder, session: Session) -> None:
    shown = subscribed.looks_at("growth")
    with transaction(session):
        session.get_one(SubscriptionChange, (shown.customer_id, shown.id)).due_minor -= 1  # as if a cent less was shown

    subscribed.confirms(shown)
    subscribed.hears(times=2)

    assert subscribed.change(shown.id).state == "applied"
    assert [line.details["charged_minor"] - line.details["shown_minor"] for line in _noticed(session)] == [1]


def _noticed(session: Session) -> list[Activity]:
    return session.query(Activity).filter_by(action="change.charged_differently").all()


def test_a_downgrade_waits_for_the_periods_end(cardholder: Cardholder) -> None:
    cardholder.subscribes("growth")
    ends = cardholder.sub.period_end
    shown = cardholder.looks_at("starter")

    done = cardholder.confirms(shown)
    cardholder.hears()

    assert (shown.kind, shown.due_minor, shown.details["effect"]) == ("downgrade", 0, "period_end")
    assert (shown.details["next_total"], shown.effective_at) == (1000, ends)
    assert (done.state, done.effective_at, cardholder.sub.price_minor) == ("scheduled", ends, 3000)
    assert cardholder.standing.pending.id == done.id

    cardholder.passes(days=32)
    cardholder.hears()
    assert (cardholder.change(done.id).state, cardholder.sub.price_minor) == ("applied", 1000)
    assert [invoice.total_minor for invoice in cardholder.invoices] == [3000, 1000]
    cardholder.is_invoiced_without_a_gap()


def test_a_newer_change_replaces_a_scheduled_one_and_either_can_be_undone(cardholder: Cardholder) -> None:
    cardholder.subscribes("prompt")
    cardholder.session.expire_all()

    # Prompt is left for less at once; Growth for less at the period's end.
    cardholder.changes_to("growth")
    first = cardholder.changes_to("starter")
    second = cardholder.changes_to("starter", "year")
    cardholder.hears()

    assert (cardholder.change(first.id).state, cardholder.change(second.id).state) == ("undone", "scheduled")
    assert cardholder.undoes().id == second.id
    cardholder.hears()
    assert cardholder.undoes() is None
    cardholder.passes(days=32)
    cardholder.hears()
    assert cardholder.sub.price_minor == 3000


def test_an_upgrade_takes_the_place_of_a_scheduled_downgrade(cardholder: Cardholder) -> None:
    cardholder.subscribes("growth")
    down = cardholder.changes_to("starter")

    up = cardholder.changes_to("prompt")
    cardholder.hears()

    assert (cardholder.change(down.id).state, up.state, cardholder.sub.price_minor) == ("undone", "applied", 6000)


def test_a_downgrade_set_to_be_immediate_is(cardholder: Cardholder) -> None:
    cardholder.subscribes("prompt")
    cardholder.passes(days=10)

    shown = cardholder.looks_at("starter")
    done = cardholder.confirms(shown)
    cardholder.hears()

    assert (shown.kind, shown.due_minor, done.state) == ("downgrade", 0, "applied")
    assert shown.credit_minor > shown.charge_minor
    assert cardholder.sub.price_minor == 1000
    cardholder.passes(days=22)
    cardholder.hears()
    assert cardholder.invoices[-1].paid_minor == 1000
    cardholder.is_invoiced_without_a_gap()


def test_from_month_to_year_is_paid_now_and_begins_a_new_period(subscribed: Cardholder) -> None:
    shown = subscribed.looks_at("starter", "year")

    done = subscribed.confirms(shown)
    subscribed.hears()

    sub = subscribed.sub
    assert (done.state, sub.interval, sub.price_minor) == ("applied", "year", 10_000)
    assert (sub.period_start, sub.anchor_at) == (shown.as_of, shown.as_of)
    assert (sub.period_end - sub.period_start).days == 365
    assert subscribed.invoices[-1].total_minor == shown.due_minor == 10_000 - shown.credit_minor
    assert [each.interval for each in subscribed.periods] == ["month", "year"]
    subscribed.is_invoiced_without_a_gap()


def test_from_year_to_month_waits_for_the_end_of_the_year(cardholder: Cardholder) -> None:
    cardholder.subscribes("starter", "year")
    ends = cardholder.sub.period_end

    done = cardholder.changes_to("growth", "month")
    assert (done.state, done.effective_at) == ("scheduled", ends)

    cardholder.passes(days=366)
    cardholder.hears()
    assert (cardholder.sub.interval, cardholder.sub.price_minor) == ("month", 3000)
    cardholder.is_invoiced_without_a_gap()


def test_what_makes_no_change_is_refused(subscribed: Cardholder) -> None:
    with pytest.raises(Conflict, match="already"):
        subscribed.looks_at("starter")


def test_without_a_subscription_there_is_nothing_to_change(cardholder: Cardholder) -> None:
    with pytest.raises(NoSubscription):
        cardholder.looks_at("starter")


def test_the_limits_that_change_are_shown(subscribed: Cardholder) -> None:
    assert subscribed.looks_at("growth").details["limits"] == []
