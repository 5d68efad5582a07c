"""Subscribing through Lemon Squeezy: the real adapter, a stand-in on this machine."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest

from app.db import transaction
from app.flows import cancel_plan, cards, subscribe
from app.flows.sold_by import NotSoldHere
from app.providers.values import PlanRef
from app.subscriptions import sale
from tests.support import paid_periods
from tests.support.lemon import Shopper
from tests.support.payments import again


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


class TestSubscription:
    def test_it_begins_once_it_is_paid_whatever_comes_first(self, shopper: Shopper) -> None:
        order = shopper.subscribes()
        shopper.pays(order)

        shopper.hears(times=2, seed=3)

        sub = shopper.sub
        assert (sub.status, sub.channel, sub.price_minor) == ("active", "lemonsqueezy", 1000)
        assert sub.period_start.day == sub.period_end.day == 14
        assert again(shopper.session, order).state == "paid"
        assert [(one.status, one.reason, one.total_minor) for one in shopper.invoices] == [
            ("paid", "subscription_create", 1000)
        ]
        assert not shopper.waiting

    def test_it_is_found_when_all_its_news_was_lost(self, shopper: Shopper) -> None:
        shopper.lemon.deliveries.are_lost = True
        shopper.pays(shopper.subscribes())

        shopper.passes(minutes=5)
        shopper.sweeps()

        assert shopper.sub.status == "active"
        assert len(shopper.invoices) == 1

    def test_it_is_renewed_without_a_gap(self, shopper: Shopper) -> None:
        shopper.is_on()

        for _ in range(3):
            shopper.passes(days=31)
            shopper.hears(seed=5)

        sub = shopper.sub
        with transaction(shopper.session):
            periods = paid_periods.periods_of(shopper.session, sub)
        assert len(periods) == 4 == len(shopper.invoices)
        assert all(one.ends_at == two.starts_at for one, two in pairwise(periods))
        assert (periods[0].starts_at, periods[-1].ends_at) == (sub.started_at, sub.period_end)

    def test_it_is_renewed_where_the_news_was_lost(self, shopper: Shopper) -> None:
        shopper.is_on()
        shopper.lemon.deliveries.are_lost = True
        before = shopper.sub.period_end

        shopper.passes(days=32)
        shopper.sweeps()

        assert shopper.sub.period_start == before
        assert len(shopper.invoices) == 2

    def test_it_falls_behind_and_catches_up(self, shopper: Shopper) -> None:
        shopper.is_on()
        provider_id = str(shopper.sub.provider_id)
        shopper.lemon.books.runs_short(provider_id)
        shopper.passes(days=31)
        shopper.hears()
        behind, renewal = shopper.sub, shopper.invoices[-1]
        assert (behind.status, renewal.status) == ("past_due", "open")
        start = behind.period_start

        shopper.lemon.books.runs_short(provider_id, short=False)
        shopper.passes(days=4)
        shopper.hears(seed=2)

        sub = shopper.sub
        assert (sub.status, sub.period_start, shopper.invoices[-1].status) == ("active", start, "paid")
        assert len(shopper.invoices) == 2

    def test_another_plan_there_is_another_plan_here(self, shopper: Shopper) -> None:
        shopper.is_on()
        shopper.passes(days=10)
        with transaction(shopper.session):
            growth = sale.offered(shopper.session, shopper.customer_id, "growth", sale.every("month"))
        state = shopper.squeezy.get_subscription(str(shopper.sub.provider_id))
        to = PlanRef("growth", "month", growth.price, shopper.variants["growth"])

        changed, _ = shopper.squeezy.change_now(state, to, at=shopper.clock.now, key="up")
        shopper.squeezy.change_now(state, to, at=shopper.clock.now, key="up")
        shopper.hears(times=2, seed=4)

        assert changed.provider_price_id == shopper.variants["growth"]
        assert (shopper.sub.plan_id, shopper.sub.price_minor) == (growth.terms.id, 3000)
        assert [one.reason for one in shopper.invoices] == ["subscription_create", "subscription_update"]

    def test_it_is_cancelled_at_the_end_of_the_period_and_kept_after_all(self, shopper: Shopper) -> None:
        shopper.is_on()
        who = (shopper.session, shopper.providers, shopper.customer_id)
        cancel_plan.at_period_end(*who, reason=None, actor="usr_1")
        assert shopper.sub.cancel_at_period_end

        cancel_plan.resume(*who, actor="usr_1")
        shopper.hears()
        assert not shopper.sub.cancel_at_period_end

        cancel_plan.at_period_end(*who, reason=None, actor="usr_1")
        ends: datetime = shopper.sub.period_end
        shopper.passes(days=32)
        shopper.hears(seed=1)
        assert (shopper.sub.status, shopper.sub.ended_at) == ("canceled", ends)
        assert len(shopper.invoices) == 1

    def test_a_second_one_is_given_back_and_ends_with_its_period_for_it_cannot_end_at_once(
        self, shopper: Shopper
    ) -> None:
        old, new = shopper.subscribes(), shopper.subscribes("growth")
        shopper.pays(new)
        shopper.hears()

        shopper.pays(old)
        shopper.hears(times=2, seed=1)
        shopper.passes(days=32)
        shopper.hears(times=2, seed=2)
        shopper.clock.advance(hours=1)
        shopper.sweeps()

        assert (shopper.sub.price_minor, shopper.sub.status) == (3000, "active")
        given_back = again(shopper.session, old)
        assert (given_back.state, "given back" in (given_back.failure or "")) == ("failed", True)
        [late] = [
            sub
            for sub in shopper.lemon.books.things["subscriptions"].values()
            if sub["id"] != str(shopper.sub.provider_id)
        ]
        paid = [
            one
            for one in shopper.lemon.books.things["subscription-invoices"].values()
            if str(one["attributes"]["subscription_id"]) == late["id"]
        ]
        assert [(one["attributes"]["total"], one["attributes"]["refunded_amount"]) for one in paid] == [(1000, 1000)]
        assert late["attributes"]["status"] == "expired"
        assert not shopper.waiting

    def test_one_that_was_over_before_it_was_heard_of_is_recorded(self, shopper: Shopper) -> None:
        order = shopper.subscribes()
        shopper.pays(order)
        [name] = shopper.lemon.books.things["subscriptions"]
        shopper.lemon.books.cancels(name)
        shopper.passes(days=32)

        shopper.hears(times=2, seed=1)

        assert (shopper.sub.status, shopper.sub.price_minor) == ("canceled", 1000)
        assert (again(shopper.session, order).state, len(shopper.invoices)) == ("paid", 1)
        assert not shopper.waiting

    def test_its_refunded_invoice_is_refunded_here(self, shopper: Shopper) -> None:
        shopper.is_on()
        (paid,) = shopper.lemon.books.invoices_of(str(shopper.sub.provider_id))

        shopper.lemon.books.refunds("subscription-invoices", paid["id"])
        shopper.hears()

        assert [(one.status, one.credited_minor) for one in shopper.invoices] == [("refunded", 1000)]

    def test_its_portal_is_opened_for_the_subscription(self, shopper: Shopper) -> None:
        shopper.is_on()

        url = cards.portal(shopper.session, shopper.squeezy, shopper.customer, return_url="https://purser.example/")

        assert url.startswith("https://example.lemonsqueezy.com/billing")


def test_a_plan_that_names_no_variant_is_not_sold_and_nothing_is_charged(shopper: Shopper) -> None:
    with pytest.raises(NotSoldHere):
        subscribe.start_checkout(
            shopper.session,
            shopper.squeezy,
            shopper.customer,
            "starter",
            "year",
            form_key="yearly",
            return_url="https://purser.example/{order}",
            actor="usr_1",
        )
