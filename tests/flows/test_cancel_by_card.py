"""Cancelling what a card pays (SPEC P8), the sandbox over HTTP: at the end, taken back, or now with a refund."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app import credits
from app.activity.models import Activity
from app.db import transaction
from app.errors import Conflict, Invalid, ProviderDown
from app.flows import cancel_plan
from app.subscriptions.lifecycle import NoSubscription
from tests.support.card_paid import ASKS, Cardholder
from tests.support.payments import wallet_minor


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here is between us and the provider."""
    return sqlite_url


@pytest.fixture
def subscribed(cardholder: Cardholder) -> Cardholder:
    """Ten days into Growth by the month."""
    cardholder.subscribes("growth")
    cardholder.passes(days=10)
    cardholder.hears()
    return cardholder


def test_access_stays_until_the_periods_end_and_then_the_plan_is_free(subscribed: Cardholder, session: Session) -> None:
    with transaction(session):
        told = {"source": "welcome", "key": "welcome", "actor": "system"}
        credits.grant(session, subscribed.customer_id, 70, **told)

    sub = subscribed.cancels("too_expensive")
    subscribed.hears()

    stands = subscribed.standing
    assert (sub.cancel_at_period_end, stands.tier, stands.status) == (True, "growth", "active")
    assert (stands.ends_at, stands.next_billing_at) == (sub.period_end, None)
    assert subscribed.sub.cancel_reason == "too_expensive"

    subscribed.passes(days=22)
    assert subscribed.standing.tier == "free", "on time, whether or not anybody has told"
    subscribed.hears()
    over = subscribed.sub
    assert (over.status, over.ended_at, subscribed.standing.status) == ("canceled", sub.period_end, "free")
    subscribed.is_invoiced_without_a_gap()
    with transaction(session):
        assert credits.balance(session, subscribed.customer_id).available == 70, "losing a plan never touches credits"
    assert wallet_minor(session, subscribed.customer_id) == 0
    assert subscribed.subscribes("starter").status == "active"


def test_it_can_be_taken_back_and_done_again(subscribed: Cardholder) -> None:
    subscribed.cancels()
    subscribed.passes(minutes=1)
    assert not subscribed.stays().cancel_at_period_end
    assert not subscribed.stays().cancel_at_period_end
    subscribed.passes(minutes=1)
    assert subscribed.cancels().cancel_at_period_end
    subscribed.hears()

    assert subscribed.sub.cancel_at_period_end
    assert subscribed.stripe.get_subscription(subscribed.sub.provider_id).cancel_at_period_end


def test_a_scheduled_change_is_dropped_with_it(subscribed: Cardholder) -> None:
    down = subscribed.changes_to("starter")

    subscribed.cancels()
    subscribed.hears()

    assert subscribed.change(down.id).state == "undone"
    assert subscribed.standing.pending is None


def test_a_change_of_plan_takes_the_cancellation_back(subscribed: Cardholder) -> None:
    subscribed.cancels()
    assert subscribed.changes_to("prompt").state == "applied"
    assert not subscribed.sub.cancel_at_period_end

    subscribed.passes(minutes=1)
    subscribed.cancels()
    assert subscribed.changes_to("growth").state == "applied"
    assert not subscribed.sub.cancel_at_period_end


def test_an_unknown_reason_is_refused(subscribed: Cardholder) -> None:
    with pytest.raises(Invalid):
        subscribed.cancels("because")


def test_it_is_refused_while_a_change_is_in_flight(subscribed: Cardholder) -> None:
    subscribed.saves_card(ASKS)
    subscribed.changes_to("prompt")

    for tries in (subscribed.cancels, subscribed.cancels_now):
        with pytest.raises(Conflict):
            tries()


def test_cancelling_now_pays_the_unused_share_back_to_the_card(subscribed: Cardholder, session: Session) -> None:
    whole = subscribed.sub.period_end - subscribed.sub.period_start
    left = (subscribed.sub.period_end - subscribed.now) / whole
    foretold, to = cancel_plan.preview_now(session, subscribed.providers, subscribed.customer_id)

    done = subscribed.cancels_now()
    subscribed.hears(times=2)

    over = subscribed.sub
    assert (done.state, over.status, over.ended_at) == ("applied", "canceled", subscribed.now)
    assert (-done.due_minor, to) == (foretold, "card")
    assert abs(foretold - 3000 * left) < 1
    assert [(invoice.paid_minor, invoice.credited_minor) for invoice in subscribed.invoices] == [(3000, foretold)]
    assert subscribed.standing.tier == "free"
    subscribed.is_invoiced_without_a_gap()
    assert session.query(Activity).filter_by(action="subscription.ended").count() == 1


@pytest.mark.parametrize(
    ("verb", "done", "way"),
    [
        ("unused_value", True, "again"),
        ("cancel_now", True, "sweep"),
        ("refund_unused", True, "again"),
    ],
)
def test_a_crash_at_any_step_pays_back_once(subscribed: Cardholder, verb: str, done: bool, way: str) -> None:
    subscribed.loses(verb, done=done)
    with pytest.raises(ProviderDown):
        subscribed.cancels_now()
    subscribed.hears()

    if way == "again":
        change = subscribed.cancels_now()
    else:
        subscribed.passes(minutes=11)
        subscribed.sweeps()
        change = subscribed.change(subscribed.newest_change().id)
    subscribed.hears()

    [invoice] = subscribed.invoices
    assert (change.state, subscribed.sub.status) == ("applied", "canceled")
    assert invoice.credited_minor == -change.due_minor > 1900
    assert subscribed.refunded() == invoice.credited_minor


def test_what_is_not_there_cannot_be_cancelled(cardholder: Cardholder) -> None:
    for tries in (cardholder.cancels, cardholder.stays, cardholder.cancels_now):
        with pytest.raises(NoSubscription):
            tries()
