"""Subscribing through Polar, from the form to the books: the real adapter, a stand-in on this machine, no browser."""

from __future__ import annotations

import itertools

import pytest

from app.db import transaction
from app.flows import cancel_plan, hear_disputes
from app.money import Money
from app.providers.errors import Declined
from app.providers.values import PlanRef
from tests.support import paid_periods
from tests.support.patron import Patron
from tests.support.payments import again


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


def price_of(patron: Patron, plan: str, dollars: int) -> PlanRef:
    """A plan as Polar knows it."""
    version = patron.sub.version
    found = patron.adapter.ensure_price(
        plan=plan, version=version, interval="month", price=Money(dollars * 100, "usd"), name=plan.title(), key="k"
    )
    return PlanRef(plan, "month", Money(dollars * 100, "usd"), found, version)


class TestSubscription:
    @pytest.mark.parametrize("seed", [1])
    def test_it_begins_once_whatever_comes_first(self, patron: Patron, seed: int | None) -> None:
        order = patron.subscribes()
        patron.pays(order)

        patron.hears(times=2, seed=seed)

        assert (patron.sub.status, patron.sub.price_minor, patron.sub.channel) == ("active", 1000, "polar")
        assert again(patron.session, order).state == "paid"
        assert [each.reason for each in patron.invoices] == ["subscription_create"]
        assert not patron.waiting

    def test_it_begins_without_any_news(self, patron: Patron) -> None:
        patron.there.deliveries.lost = True
        patron.pays(patron.subscribes())

        patron.clock.advance(minutes=10)
        patron.sweeps()

        assert patron.sub.status == "active"

    def test_every_second_is_invoiced_from_the_end_of_january_on(self, patron: Patron) -> None:
        patron.clock.set(patron.clock.now.replace(month=1, day=31))
        patron.is_on()
        for month in range(4):
            patron.passes(days=31)
            patron.hears(times=1 + month % 2, seed=month)

        sub = patron.sub
        with transaction(patron.session):
            spans = [(each.starts_at, each.ends_at) for each in paid_periods.periods_of(patron.session, sub)]
        assert len(spans) >= 4
        assert all(first[1] == second[0] for first, second in itertools.pairwise(spans))
        assert spans[-1][1] == sub.period_end
        assert len(patron.invoices) == len(spans)

    def test_a_renewal_that_nobody_told_of_is_found(self, patron: Patron) -> None:
        patron.is_on()
        patron.there.deliveries.lost = True
        patron.passes(days=31)
        patron.hears()
        patron.clock.advance(hours=2)

        patron.sweeps()

        assert [each.reason for each in patron.invoices] == ["subscription_create", "subscription_cycle"]
        assert patron.sub.period_start > patron.sub.started_at

    def test_it_falls_behind_and_catches_up(self, patron: Patron) -> None:
        patron.is_on()
        books = patron.there.books
        books.poor = set(books.things["customers"])
        patron.passes(days=31)
        patron.hears()
        assert (patron.sub.status, patron.invoices[-1].status) == ("past_due", "open")

        books.poor.clear()
        patron.passes(days=3)
        patron.hears(seed=4)

        assert (patron.sub.status, patron.invoices[-1].status) == ("active", "paid")

    def test_it_ends_when_nobody_pays(self, patron: Patron) -> None:
        patron.is_on()
        patron.there.books.poor = set(patron.there.books.things["customers"])
        for _ in range(6):
            patron.passes(days=16)
            patron.hears()

        assert patron.sub.status == "canceled"
        assert not patron.waiting

    def test_an_upgrade_there_is_an_upgrade_here(self, patron: Patron) -> None:
        patron.is_on()
        patron.passes(days=10)
        state = patron.adapter.get_subscription(patron.sub.provider_id)
        growth = price_of(patron, "growth", 30)
        patron.there.books.poor = set(patron.there.books.things["customers"])
        with pytest.raises(Declined):
            patron.adapter.change_now(state, growth, at=patron.clock.now, key="up")
        patron.there.books.poor.clear()

        patron.adapter.change_now(state, growth, at=patron.clock.now, key="up")
        patron.hears(times=2, seed=1)

        assert patron.sub.price_minor == 3000
        assert [each.reason for each in patron.invoices] == ["subscription_create", "subscription_update"]

    def test_a_downgrade_there_waits_for_the_period_and_is_one_here(self, patron: Patron) -> None:
        patron.is_on("growth")
        state = patron.adapter.get_subscription(patron.sub.provider_id)
        patron.adapter.change_at_period_end(state, price_of(patron, "starter", 10), key="down")
        patron.hears()
        assert patron.sub.price_minor == 3000

        patron.passes(days=31)
        patron.hears(seed=2)

        assert patron.sub.price_minor == 1000
        assert [each.net_minor for each in patron.invoices] == [3000, 1000]

    def test_it_is_cancelled_kept_after_all_and_ends_with_its_period(self, patron: Patron) -> None:
        patron.is_on()
        who = (patron.session, patron.providers, patron.customer_id)
        cancel_plan.at_period_end(*who, reason="unused", actor="usr_1")
        assert patron.sub.cancel_at_period_end

        cancel_plan.resume(*who, actor="usr_1")
        patron.hears(seed=1)
        assert not patron.sub.cancel_at_period_end

        cancel_plan.at_period_end(*who, reason=None, actor="usr_1")
        patron.passes(days=32)
        patron.hears(seed=2)
        assert (patron.sub.status, patron.sub.ended_at) == ("canceled", patron.sub.period_end)

    def test_it_ends_now_and_the_unused_days_go_back_with_their_tax(self, patron: Patron) -> None:
        patron.there.books.percent = 10
        patron.is_on()
        patron.passes(days=15)
        who = (patron.session, patron.providers, patron.customer_id)
        back, where = cancel_plan.preview_now(*who)

        done = cancel_plan.now(*who, reason=None, actor="usr_1")
        patron.hears(times=2, seed=3)

        assert (done.state, done.due_minor, where) == ("applied", -back, "card")
        assert patron.sub.status == "canceled"
        [order] = patron.there.books.things["orders"].values()
        assert order["refunded_amount"] + order["refunded_tax_amount"] == back
        assert [each.credited_minor for each in patron.invoices] == [back]
        assert not patron.waiting

    def test_a_year_is_a_year(self, patron: Patron) -> None:
        patron.is_on("starter", "year")

        assert (patron.sub.interval, patron.sub.price_minor) == ("year", 10_000)
        assert (patron.sub.period_end - patron.sub.period_start).days == 365


@pytest.mark.parametrize("seed", [1])
def test_a_whole_life_ends_the_same_in_whatever_order_it_is_told(patron: Patron, seed: int | None) -> None:
    """A top-up, half paid back there, then disputed; a plan bought, renewed, upgraded, cancelled: heard of at last."""
    books = patron.there.books
    paid = patron.pays(patron.tops_up(5000))
    plan = patron.pays(patron.subscribes())
    books.refunds({"order_id": paid["id"], "amount": 2500, "reason": "other"})
    books.disputes(paid["id"])
    hear_disputes.hear(patron.sessions, patron.providers)
    patron.passes(days=31)
    growth = patron.adapter.ensure_price(
        plan="growth", version=1, interval="month", price=Money(3000, "usd"), name="Growth", key="k"
    )
    patron.passes(days=5)
    books.changes(plan["subscription_id"], {"product_id": growth, "proration_behavior": "invoice"})
    patron.passes(days=5)
    books.changes(plan["subscription_id"], {"cancel_at_period_end": True})

    for turn in range(3):  # some wait for what comes later, and are tried again
        patron.hears(times=2, seed=seed and seed + turn)
        patron.clock.advance(hours=1)

    assert not patron.waiting
    assert patron.wallet == 0, "half was paid back, the bank took the rest"
    assert (patron.sub.status, patron.sub.price_minor, patron.sub.cancel_at_period_end) == ("active", 3000, True)
    told = sorted((each.reason, each.status, each.credited_minor) for each in patron.invoices)
    assert told == [
        ("subscription_create", "paid", 0),
        ("subscription_cycle", "paid", 0),
        ("subscription_update", "paid", 0),
        ("topup", "paid", 2500),
    ]
