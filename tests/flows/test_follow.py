"""News of what a provider runs: late, twice, shuffled or lost, it ends in the same state (SPEC R3, V2, V4)."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.db import transaction
from app.payments.models import ProviderCustomer, ProviderEvent
from app.subscriptions.models import Subscription
from app.subscriptions.snapshots import take_snapshot
from tests.support.card_paid import FAILS, Cardholder
from tests.support.payments import again


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here is between us and the provider."""
    return sqlite_url


def _months_of_changes(cardholder: Cardholder) -> None:
    """Made at the provider while nothing is heard: what our own flows take in is taken in by them alone."""
    cardholder.subscribes("starter")
    cardholder.passes(days=40)
    _by_hand(cardholder, "growth")
    cardholder.passes(days=40)
    cardholder.saves_card(FAILS)
    cardholder.passes(days=14)


def _by_hand(cardholder: Cardholder, plan: str) -> None:
    """A change that somebody makes on the provider's own pages."""
    state = cardholder.stripe.get_subscription(cardholder.sub.provider_id)
    to = cardholder.plan_at(plan)
    cardholder.stripe.change_now(state, to, at=cardholder.clock.now, key=f"hand:{plan}")


def test_news_in_any_order_and_twice_ends_the_same(cardholder: Cardholder) -> None:
    _months_of_changes(cardholder)

    cardholder.hears(seed=1, times=2)
    once = cardholder.everything()
    cardholder.replays()

    assert cardholder.everything() == once
    facts, invoices, periods = once
    assert (facts["status"], facts["price_minor"]) == ("past_due", 3000)
    assert [invoice[1] for invoice in invoices] == ["paid", "paid", "paid", "paid", "open"]
    assert len(periods) == 4
    cardholder.is_invoiced_without_a_gap()
    assert cardholder.waiting_news() == []


def test_news_that_is_lost_is_made_good_by_looking(cardholder: Cardholder) -> None:
    _months_of_changes(cardholder)
    cardholder.news()  # nobody hears it

    cardholder.sweeps()

    assert (cardholder.sub.status, cardholder.sub.price_minor) == ("past_due", 3000)
    assert [invoice.status for invoice in cardholder.invoices] == ["paid", "paid", "paid", "paid", "open"]
    cardholder.is_invoiced_without_a_gap()
    assert cardholder.sweeps() == 0, "what was looked at is left in peace"


def test_an_older_snapshot_never_replaces_a_newer_one(cardholder: Cardholder, session: Session) -> None:
    cardholder.subscribes("starter")
    old = cardholder.stripe.get_subscription(cardholder.sub.provider_id)
    cardholder.passes(minutes=5)
    cardholder.changes_to("growth")

    name = (cardholder.customer_id, cardholder.sub_id)
    with transaction(session):
        assert not take_snapshot(session, session.get_one(Subscription, name), old)

    assert cardholder.sub.price_minor == 3000


def test_a_failed_renewal_is_mirrored_and_never_tried_by_us(cardholder: Cardholder) -> None:
    cardholder.subscribes("starter")
    ends = cardholder.sub.period_end
    cardholder.saves_card(FAILS)
    cardholder.passes(days=31, hours=2)
    cardholder.hears()

    sub, stands = cardholder.sub, cardholder.standing
    assert (sub.status, stands.status, sub.past_due_since) == ("past_due", "past_due", ends)
    assert (stands.grace_ends_at - ends).days == 7
    assert sub.next_attempt_at is not None
    assert stands.tier == "starter", "nothing is taken away while the grace period lasts"

    tries = cardholder.tried()
    cardholder.clock.advance(days=8)  # our clock alone: the provider has done nothing meanwhile
    assert cardholder.standing.status == "restricted", "on time, whether or not anybody has written it down"
    cardholder.sweeps()
    assert cardholder.sub.status == "restricted"
    assert cardholder.tried() == tries, "the retries are the provider's"


def test_a_payment_at_last_gives_everything_back(cardholder: Cardholder) -> None:
    cardholder.subscribes("starter")
    cardholder.saves_card(FAILS)
    cardholder.passes(days=31, hours=2)
    cardholder.hears()
    cardholder.saves_card()
    late = cardholder.stripe.get_subscription(cardholder.sub.provider_id)

    cardholder.stripe.retry_invoice(late.latest_invoice_id, card_id=None, key="by-hand")
    cardholder.hears()

    sub = cardholder.sub
    assert (sub.status, sub.past_due_since, sub.grace_ends_at, sub.next_attempt_at) == ("active", None, None, None)
    assert [invoice.status for invoice in cardholder.invoices] == ["paid", "paid"]
    cardholder.is_invoiced_without_a_gap()


def test_a_card_that_is_never_replaced_ends_the_plan(cardholder: Cardholder) -> None:
    cardholder.subscribes("starter")
    cardholder.saves_card(FAILS)
    for _ in range(9):
        cardholder.passes(days=8)
        cardholder.hears()

    assert (cardholder.sub.status, cardholder.standing.tier) == ("canceled", "free")
    assert all(each.ends_at <= cardholder.sub.ended_at for each in cardholder.periods)


def test_what_belongs_to_nobody_here_waits_and_is_told_when_it_does(cardholder: Cardholder, session: Session) -> None:
    cardholder.subscribes("starter")
    cardholder.passes(days=32)
    sub = cardholder.sub
    with transaction(session):
        session.delete(session.get_one(Subscription, (sub.customer_id, sub.id)))
        known = session.get_one(ProviderCustomer, (sub.customer_id, "stripe"))
        provider_id = known.provider_id
        session.delete(known)

    cardholder.hears()
    assert {event.state for event in session.query(ProviderEvent).filter(ProviderEvent.type.like("customer.sub%"))} == {
        "pending"
    }
    with transaction(session):
        row = {"channel": "stripe", "provider_id": provider_id, "created_at": cardholder.clock.now}
        session.add(ProviderCustomer(customer_id=sub.customer_id, **row))
    cardholder.passes(hours=1)
    cardholder.applies()

    assert cardholder.sub.status == "active"
    assert cardholder.waiting_news() == []


def test_a_second_purchase_paid_at_the_same_time_is_given_back(cardholder: Cardholder, session: Session) -> None:
    first = cardholder.opens_page("starter", form_key="tab one")
    cardholder.pays(first)
    second = cardholder.opens_page("growth", form_key="tab two")
    cardholder.pays(second)

    cardholder.hears()
    cardholder.passes(hours=1)
    cardholder.applies()

    assert cardholder.sub.price_minor == 1000
    assert (again(session, first).state, again(session, second).state) == ("paid", "failed")
    assert cardholder.refunded() == 3000
    assert cardholder.waiting_news() == []


def test_one_that_began_and_ended_before_its_news_was_heard_is_recorded_with_its_payments(
    cardholder: Cardholder,
) -> None:
    order = cardholder.opens_page("starter")
    cardholder.pays(order)
    cardholder.passes(days=40)
    [name] = [each.id for each in cardholder.stripe.list_subscriptions(cardholder.ref())]
    cardholder.stripe.cancel_now(cardholder.stripe.get_subscription(name), key="by hand")
    assert cardholder.sub is None

    cardholder.hears(seed=1, times=2)

    sub = cardholder.sub
    assert sub is not None
    assert (sub.status, sub.price_minor, sub.provider_id) == ("canceled", 1000, name)
    assert again(cardholder.session, order).state == "paid"
    assert [invoice.status for invoice in cardholder.invoices] == ["paid", "paid"]
    assert not cardholder.waiting_news()
    cardholder.subscribes("growth")
    assert cardholder.standing.status == "active"
