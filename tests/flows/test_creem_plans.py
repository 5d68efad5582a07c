"""Subscribing through Creem, from the form to the books: the real adapter, a stand-in on this machine, no browser."""

from __future__ import annotations

import logging

import pytest

from app.catalogue import file, publish
from app.db import transaction
from app.flows import cancel_plan, cards, change_plan
from app.flows.sold_by import NotSoldHere
from app.money import Money
from app.payments import refused
from app.providers import errors
from app.providers.values import PlanRef
from app.subscriptions.sale import Move
from tests.support.creem import OFFERS, Regular
from tests.support.payments import again


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


def publish_anew(regular: Regular, offers: str) -> None:
    """Another version of what is on offer, under the same products."""
    with transaction(regular.session):
        publish.apply(regular.session, file.read(offers.format(**regular.products), currency="usd"), actor="test")


class TestSubscription:
    @pytest.mark.parametrize("seed", [1])
    def test_it_begins_once_whatever_comes_first(self, regular: Regular, seed: int | None) -> None:
        order = regular.subscribes()
        regular.pays(order)

        regular.hears(times=2, seed=seed)

        assert (regular.sub.status, regular.sub.price_minor, regular.sub.channel) == ("active", 1000, "creem")
        assert again(regular.session, order).state == "paid"
        assert [each.reason for each in regular.invoices] == ["subscription_create"]
        assert not regular.waiting

    def test_it_begins_and_is_renewed_without_any_news(self, regular: Regular) -> None:
        regular.there.lost = True
        regular.pays(regular.subscribes())
        regular.clock.advance(minutes=10)
        regular.sweeps()
        assert regular.sub.status == "active"

        regular.passes(days=31)
        regular.clock.advance(hours=2)
        regular.sweeps()

        assert [each.reason for each in regular.invoices] == ["subscription_create", "subscription_cycle"]

    def test_a_new_version_with_the_same_product_takes_nobody_along(self, regular: Regular) -> None:
        regular.is_on()
        publish_anew(regular, OFFERS.replace('"10.00"', '"15.00"'))

        regular.passes(days=31)
        regular.hears()

        assert [each.reason for each in regular.invoices] == ["subscription_create", "subscription_cycle"]
        assert (regular.sub.version, regular.sub.price_minor) == (1, 1000)

    @pytest.mark.parametrize("waits", [False, True])
    def test_a_change_to_another_version_with_the_same_product_comes_true(self, regular: Regular, waits: bool) -> None:
        regular.is_on()
        publish_anew(regular, OFFERS.replace('name = "Starter"', 'name = "Starter 2"'))
        who, move = (regular.session, regular.providers, regular.customer_id), Move("mov_1", 2, waits)

        shown = change_plan.preview(*who, "starter", "month", actor="usr_1", move=move)
        done = change_plan.confirm(*who, shown.id, actor="usr_1")

        assert (shown.due_minor, done.state) == (0, "scheduled" if waits else "applied")
        regular.passes(days=31)
        regular.hears()
        regular.sweeps()
        assert (regular.sub.version, regular.sub.price_minor) == (2, 1000)
        assert [each.reason for each in regular.invoices] == ["subscription_create", "subscription_cycle"]

    def test_a_change_to_another_price_with_the_same_product_is_refused_and_staff_read_why(
        self, regular: Regular
    ) -> None:
        regular.is_on()
        publish_anew(regular, OFFERS.replace('"10.00"', '"15.00"'))
        who = (regular.session, regular.providers, regular.customer_id)

        with pytest.raises(NotSoldHere, match="Starter"):
            change_plan.preview(*who, "starter", "month", actor="usr_1")

        with transaction(regular.session):
            [told] = refused.latest(regular.session, 5)
        assert "sold at another price" in told.reason

    def test_it_falls_behind_and_catches_up(self, regular: Regular) -> None:
        regular.is_on()
        regular.there.books.poor = True
        regular.passes(days=31)
        regular.hears()
        assert regular.sub.status == "past_due"

        regular.there.books.poor = False
        regular.passes(days=1)
        regular.hears(seed=3)

        assert (regular.sub.status, len(regular.invoices)) == ("active", 2)

    def test_an_upgrade_there_is_an_upgrade_here(self, regular: Regular) -> None:
        regular.is_on()
        regular.passes(days=10)
        state = regular.adapter.get_subscription(regular.sub.provider_id)
        to = PlanRef("growth", "month", Money(3000, "usd"), regular.products["growth"])
        regular.there.books.poor = True
        with pytest.raises(errors.Declined):
            regular.adapter.change_now(state, to, at=regular.clock.now, key="up")
        regular.there.books.poor = False

        for _ in range(2):
            regular.adapter.change_now(state, to, at=regular.clock.now, key="up")
        regular.hears(times=2, seed=1)

        assert regular.sub.price_minor == 3000
        assert [each.reason for each in regular.invoices] == ["subscription_create", "subscription_update"]

    def test_it_is_cancelled_kept_after_all_and_ends_with_its_period(self, regular: Regular) -> None:
        regular.is_on()
        who = (regular.session, regular.providers, regular.customer_id)
        cancel_plan.at_period_end(*who, reason="unused", actor="usr_1")
        assert regular.sub.cancel_at_period_end
        cancel_plan.resume(*who, actor="usr_1")
        regular.hears(seed=1)
        assert not regular.sub.cancel_at_period_end

        cancel_plan.at_period_end(*who, reason=None, actor="usr_1")
        regular.passes(days=32)
        regular.hears(seed=2)

        assert (regular.sub.status, regular.sub.ended_at) == ("canceled", regular.sub.period_end)

    def test_it_ends_now_and_nothing_goes_back_for_no_part_can(self, regular: Regular) -> None:
        regular.is_on()
        regular.passes(days=15)
        who = (regular.session, regular.providers, regular.customer_id)

        assert cancel_plan.preview_now(*who) == (0, "nowhere")
        done = cancel_plan.now(*who, reason=None, actor="usr_1")
        regular.hears(times=2, seed=3)

        assert (done.state, regular.sub.status) == ("applied", "canceled")
        assert [each.credited_minor for each in regular.invoices] == [0]

    def test_one_that_began_and_ended_before_it_was_heard_of_is_recorded_with_its_payments(
        self, regular: Regular
    ) -> None:
        order = regular.subscribes()
        paid = regular.pays(order)
        regular.passes(days=31)
        regular.there.books.cancels(paid["subscription"], {"mode": "immediate"})

        regular.hears(times=2, seed=1)

        assert (regular.sub.status, regular.sub.price_minor) == ("canceled", 1000)
        assert again(regular.session, order).state == "paid"
        assert [each.reason for each in regular.invoices] == ["subscription_create", "subscription_cycle"]
        assert not regular.waiting
        regular.pays(regular.subscribes("growth"))
        regular.hears()
        assert (regular.sub.status, regular.sub.price_minor) == ("active", 3000)

    def test_an_old_page_for_a_plan_that_is_paid_late_is_ended_and_given_back(self, regular: Regular) -> None:
        old, new = regular.subscribes(), regular.subscribes("growth")
        regular.pays(new)
        regular.hears()

        late = regular.pays(old)
        regular.hears(times=2, seed=1)
        regular.clock.advance(hours=1)
        regular.sweeps()

        assert (regular.sub.price_minor, regular.sub.status) == (3000, "active")
        assert (late["status"], late["refunded_amount"]) == ("refunded", 1000)
        assert again(regular.session, old).state == "failed"
        assert "given back" in (again(regular.session, old).failure or "")
        assert not regular.waiting

    def test_its_portal_is_opened_for_the_subscription(self, regular: Regular) -> None:
        regular.is_on()

        url = cards.portal(regular.session, regular.adapter, regular.customer, return_url="https://purser.example/")

        assert url.startswith("https://creem.io/my-orders/login/")


@pytest.mark.parametrize("seed", [1])
def test_a_whole_life_ends_the_same_in_whatever_order_it_is_told(regular: Regular, seed: int | None) -> None:
    """A top-up, half paid back there, then disputed; a plan bought, renewed, upgraded, cancelled: heard of at last."""
    books = regular.there.books
    paid, plan = regular.pays(regular.tops_up(5000)), regular.pays(regular.subscribes())
    books.refunds(paid["id"], 2500)
    books.disputes(paid["id"])
    regular.passes(days=31)
    regular.passes(days=5)
    wanted = {"product_id": regular.products["growth"], "update_behavior": "proration-charge-immediately"}
    books.upgrades(plan["subscription"], wanted)
    regular.passes(days=5)
    books.cancels(plan["subscription"], {"mode": "scheduled"})

    for turn in range(3):  # some wait for what comes later, and are tried again
        regular.hears(times=2, seed=seed and seed + turn)
        regular.clock.advance(hours=1)

    assert not regular.waiting
    assert regular.wallet == 0, "half was paid back, the bank took the rest"
    assert (regular.sub.status, regular.sub.price_minor, regular.sub.cancel_at_period_end) == ("active", 3000, True)


def test_a_plan_without_a_product_is_not_sold_and_staff_read_what_to_name(
    regular: Regular, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(NotSoldHere, match="Starter by the year"):
        regular.subscribes("starter", "year")

    assert "creem_product_id" in caplog.text
    assert "provider_ids.creem.yearly" in caplog.text
    assert not regular.there.books.things["checkouts"]
