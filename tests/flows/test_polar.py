"""Paying through Polar, from the form to the books: the real adapter, a stand-in on this machine, no browser."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import httpx
import pytest
from sqlalchemy import select

from app import credits, ledger
from app.db import transaction
from app.errors import ProviderDown, UnsupportedByChannel
from app.flows import cancel_plan, cards, change_plan, hear_disputes, refund_top_up, subscribe
from app.invoices import Invoice
from app.money import Money
from app.payments import inbox
from app.providers import port
from app.providers.errors import Declined
from app.providers.values import PlanRef
from app.subscriptions import invoiced
from app.wallet.accounts import wallet_of
from tests.support.patron import Patron
from tests.support.payments import again, wallet_minor


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


def wallet(patron: Patron) -> int:
    return wallet_minor(patron.session, patron.customer_id)


def invoices(patron: Patron) -> Sequence[Invoice]:
    """Oldest first."""
    with transaction(patron.session):
        mine = select(Invoice).where(Invoice.customer_id == patron.customer_id)
        found = patron.session.scalars(mine.execution_options(populate_existing=True))
        return sorted(found, key=lambda each: (each.created_at, each.provider_id or ""))


def is_on(patron: Patron, plan: str = "starter", interval: str = "month") -> None:
    patron.pays(patron.subscribes(plan, interval))
    patron.hears()


def price_of(patron: Patron, plan: str, dollars: int) -> PlanRef:
    """A plan as Polar knows it."""
    version = patron.sub.version
    found = patron.adapter.ensure_price(
        plan=plan, version=version, interval="month", price=Money(dollars * 100, "usd"), name=plan.title(), key="k"
    )
    return PlanRef(plan, "month", Money(dollars * 100, "usd"), found, version)


class TestTopUp:
    @pytest.mark.parametrize("seed", [1])
    def test_it_is_credited_once_when_news_is_doubled_and_shuffled(self, patron: Patron, seed: int | None) -> None:
        order = patron.tops_up(5000)
        patron.pays(order)

        patron.hears(times=3, seed=seed)

        assert wallet(patron) == 5000 == patron.there.books.taken()
        assert again(patron.session, order).state == "paid"
        assert not patron.waiting
        [receipt] = invoices(patron)
        assert (receipt.order_id, receipt.status, receipt.total_minor) == (order.id, "paid", 5000)

    def test_its_page_can_be_paid_by_its_form(self, patron: Patron) -> None:
        order = again(patron.session, patron.tops_up(2500))
        assert order.checkout_url is not None
        token = order.checkout_url.rsplit("/", 1)[1]
        patron.session.rollback()

        assert httpx.post(f"{patron.there.url}/checkout/{token}").status_code == 200
        patron.hears()

        assert wallet(patron) == 2500

    def test_tax_on_top_is_not_credited(self, patron: Patron) -> None:
        patron.there.books.percent = 8
        patron.pays(patron.tops_up(5000))

        patron.hears()

        assert wallet(patron) == 5000
        assert [(each.total_minor, each.tax_minor) for each in invoices(patron)] == [(5400, 400)]

    def test_news_that_never_comes_is_asked_for(self, patron: Patron) -> None:
        patron.there.deliveries.lost = True
        order = patron.tops_up(5000)
        patron.pays(order)
        patron.hears()
        assert wallet(patron) == 0

        patron.clock.advance(minutes=10)
        patron.sweeps()
        assert wallet(patron) == 5000

        patron.there.deliveries.lost = False
        patron.clock.advance(hours=1)
        patron.hears()
        assert (wallet(patron), patron.waiting) == (5000, [])

    def test_a_day_of_lost_news_is_read_from_the_feed_and_once(self, patron: Patron) -> None:
        since = patron.clock.now
        patron.there.deliveries.lost = True
        patron.pays(patron.tops_up(5000))
        for _ in range(4):
            patron.hears()
            patron.clock.advance(minutes=2)

        for heard in port.event_feed_of(patron.adapter).events_since(since):
            with transaction(patron.session):
                inbox.keep(patron.session, provider="polar", verified=heard.verified, body=heard.body, headers={})
        patron.applies()
        assert wallet(patron) == 5000

        patron.there.deliveries.lost = False
        for event in patron.there.deliveries.events:
            httpx.post(
                f"{patron.there.url}/v1/webhooks/events/{event.id}/redeliver",
                headers={"Authorization": "Bearer polar_oat_of_the_tests", "Polar-Version": "2026-10"},
            )
        patron.hears()
        assert wallet(patron) == 5000

    def test_a_page_nobody_paid_on_ends(self, patron: Patron) -> None:
        order = patron.tops_up(5000)

        patron.passes(hours=25)
        patron.hears()

        assert again(patron.session, order).state == "expired"
        assert wallet(patron) == 0

    @pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
    def test_a_page_that_was_not_answered_is_asked_for_again(self, patron: Patron, done: bool) -> None:
        patron.there.fails("POST", "/v1/checkouts/", 0, done=done)
        with pytest.raises(ProviderDown):
            patron.tops_up(5000)

        order = patron.tops_up(5000)
        patron.pays(order)
        patron.hears()

        assert wallet(patron) == 5000

    def test_what_was_bought_elsewhere_in_the_organization_credits_nobody(self, patron: Patron) -> None:
        order = patron.tops_up(5000)
        patron.there.books.thing("checkouts", patron.page_of(order))["metadata"].clear()
        patron.pays(order)

        patron.hears()

        assert (wallet(patron), patron.waiting) == (0, [])

    def test_another_amount_than_was_asked_for_credits_nothing(self, patron: Patron) -> None:
        order = patron.tops_up(5000)
        page = patron.there.books.thing("checkouts", patron.page_of(order))
        page["product_price"]["price_amount"] = 50
        patron.pays(order)

        patron.hears()

        assert wallet(patron) == 0
        assert [line for line in patron.waiting if line.startswith("order.paid dead")]


def test_an_endpoint_that_fails_for_long_is_switched_off_and_says_so_to_the_doctor(patron: Patron) -> None:
    for _ in range(10):
        patron.there.deliveries.tell("customer.created", {"id": "1"})
    for _ in range(12):
        patron.there.deliveries.send_due(lambda _body, _headers: 500)
        patron.clock.advance(minutes=21)

    assert not patron.there.deliveries.enabled
    assert all(event.tries == 10 for event in patron.there.deliveries.events)


def test_a_pack_brings_its_credits_once(patron: Patron) -> None:
    patron.pays(patron.buys_pack())

    patron.hears(times=2, seed=5)

    with transaction(patron.session):
        assert credits.balance(patron.session, patron.customer_id).available == 100
    assert wallet(patron) == 0


class TestRefund:
    def test_one_of_ours_leaves_the_wallet_once_with_its_tax(self, patron: Patron) -> None:
        patron.there.books.percent = 8
        order = patron.pays(patron.tops_up(5000))
        patron.hears()

        wish = refund_top_up.Wish(self.entry(patron), "key-1", "usr_1", "Too much", net_minor=2000)
        refund_top_up.start(patron.session, patron.providers, patron.customer_id, wish)
        patron.hears(times=2, seed=1)

        assert wallet(patron) == 3000
        assert (order["refunded_amount"], order["refunded_tax_amount"]) == (2000, 160)
        assert [each.credited_minor for each in invoices(patron)] == [2160]
        assert not patron.waiting

    def test_one_made_in_polars_dashboard_is_seen_once(self, patron: Patron) -> None:
        patron.there.books.percent = 8
        order = patron.pays(patron.tops_up(5000))
        patron.hears()

        patron.there.books.refunds({"order_id": order["id"], "amount": 1500, "reason": "other"})
        patron.hears(times=2, seed=3)

        assert wallet(patron) == 3500 == patron.there.books.taken()
        assert not patron.waiting

    def test_one_that_fails_later_is_given_back(self, patron: Patron) -> None:
        order = patron.pays(patron.tops_up(5000))
        asked = {"order_id": order["id"], "amount": 1500, "reason": "other"}
        made = patron.there.books.refunds(asked, status="pending")
        patron.hears()
        assert wallet(patron) == 3500

        patron.there.books.settles(made, "failed")
        patron.hears()

        assert wallet(patron) == 5000 == patron.there.books.taken()

    def test_money_that_polar_pays_back_to_prevent_a_dispute_is_taken_once(self, patron: Patron) -> None:
        order = patron.pays(patron.tops_up(5000))
        patron.hears()

        patron.there.books.prevents(order["id"])
        patron.hears(times=2, seed=2)

        assert (wallet(patron), patron.waiting) == (0, [])

    @pytest.mark.parametrize("end", ["won", "lost"])
    def test_a_dispute_is_heard_of_because_it_is_asked_for(self, patron: Patron, end: str) -> None:
        order = patron.pays(patron.tops_up(5000))
        patron.hears()
        dispute = patron.there.books.disputes(order["id"])
        patron.there.fails("GET", "/v1/disputes/", 500)
        assert hear_disputes.hear(patron.sessions, patron.providers) == 0

        assert [hear_disputes.hear(patron.sessions, patron.providers) for _ in range(2)] == [1, 0]
        patron.applies()
        assert wallet(patron) == 0
        patron.clock.advance(hours=1)
        patron.there.books.edit(dispute, status=end)
        assert hear_disputes.hear(patron.sessions, patron.providers) == 1
        patron.applies()

        assert wallet(patron) == (5000 if end == "won" else 0)

    @staticmethod
    def entry(patron: Patron) -> str:
        with transaction(patron.session):
            [line] = ledger.history(patron.session, wallet_of(patron.customer_id))
            return str(line.entry_id)


class TestSubscription:
    @pytest.mark.parametrize("seed", [1])
    def test_it_begins_once_whatever_comes_first(self, patron: Patron, seed: int | None) -> None:
        order = patron.subscribes()
        patron.pays(order)

        patron.hears(times=2, seed=seed)

        assert (patron.sub.status, patron.sub.price_minor, patron.sub.channel) == ("active", 1000, "polar")
        assert again(patron.session, order).state == "paid"
        assert [each.reason for each in invoices(patron)] == ["subscription_create"]
        assert not patron.waiting

    def test_it_begins_without_any_news(self, patron: Patron) -> None:
        patron.there.deliveries.lost = True
        patron.pays(patron.subscribes())

        patron.clock.advance(minutes=10)
        patron.sweeps()

        assert patron.sub.status == "active"

    def test_every_second_is_invoiced_from_the_end_of_january_on(self, patron: Patron) -> None:
        patron.clock.set(patron.clock.now.replace(month=1, day=31))
        is_on(patron)
        for month in range(4):
            patron.passes(days=31)
            patron.hears(times=1 + month % 2, seed=month)

        sub = patron.sub
        with transaction(patron.session):
            spans = [(each.starts_at, each.ends_at) for each in invoiced.periods_of(patron.session, sub)]
        assert len(spans) >= 4
        assert all(first[1] == second[0] for first, second in itertools.pairwise(spans))
        assert spans[-1][1] == sub.period_end
        assert len(invoices(patron)) == len(spans)

    def test_a_renewal_that_nobody_told_of_is_found(self, patron: Patron) -> None:
        is_on(patron)
        patron.there.deliveries.lost = True
        patron.passes(days=31)
        patron.hears()
        patron.clock.advance(hours=2)

        patron.sweeps()

        assert [each.reason for each in invoices(patron)] == ["subscription_create", "subscription_cycle"]
        assert patron.sub.period_start > patron.sub.started_at

    def test_it_falls_behind_and_catches_up(self, patron: Patron) -> None:
        is_on(patron)
        books = patron.there.books
        books.poor = set(books.things["customers"])
        patron.passes(days=31)
        patron.hears()
        assert (patron.sub.status, invoices(patron)[-1].status) == ("past_due", "open")

        books.poor.clear()
        patron.passes(days=3)
        patron.hears(seed=4)

        assert (patron.sub.status, invoices(patron)[-1].status) == ("active", "paid")

    def test_it_ends_when_nobody_pays(self, patron: Patron) -> None:
        is_on(patron)
        patron.there.books.poor = set(patron.there.books.things["customers"])
        for _ in range(6):
            patron.passes(days=16)
            patron.hears()

        assert patron.sub.status == "canceled"
        assert not patron.waiting

    def test_an_upgrade_there_is_an_upgrade_here(self, patron: Patron) -> None:
        is_on(patron)
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
        assert [each.reason for each in invoices(patron)] == ["subscription_create", "subscription_update"]

    def test_a_downgrade_there_waits_for_the_period_and_is_one_here(self, patron: Patron) -> None:
        is_on(patron, "growth")
        state = patron.adapter.get_subscription(patron.sub.provider_id)
        patron.adapter.change_at_period_end(state, price_of(patron, "starter", 10), key="down")
        patron.hears()
        assert patron.sub.price_minor == 3000

        patron.passes(days=31)
        patron.hears(seed=2)

        assert patron.sub.price_minor == 1000
        assert [each.net_minor for each in invoices(patron)] == [3000, 1000]

    def test_it_is_cancelled_kept_after_all_and_ends_with_its_period(self, patron: Patron) -> None:
        is_on(patron)
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
        is_on(patron)
        patron.passes(days=15)
        who = (patron.session, patron.providers, patron.customer_id)
        back, where = cancel_plan.preview_now(*who)

        done = cancel_plan.now(*who, reason=None, actor="usr_1")
        patron.hears(times=2, seed=3)

        assert (done.state, done.due_minor, where) == ("applied", -back, "card")
        assert patron.sub.status == "canceled"
        [order] = patron.there.books.things["orders"].values()
        assert order["refunded_amount"] + order["refunded_tax_amount"] == back
        assert [each.credited_minor for each in invoices(patron)] == [back]
        assert not patron.waiting

    def test_a_year_is_a_year(self, patron: Patron) -> None:
        is_on(patron, "starter", "year")

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
    assert wallet(patron) == 0, "half was paid back, the bank took the rest"
    assert (patron.sub.status, patron.sub.price_minor, patron.sub.cancel_at_period_end) == ("active", 3000, True)
    told = sorted((each.reason, each.status, each.credited_minor) for each in invoices(patron))
    assert told == [
        ("subscription_create", "paid", 0),
        ("subscription_cycle", "paid", 0),
        ("subscription_update", "paid", 0),
        ("topup", "paid", 2500),
    ]


def test_what_polar_cannot_do_is_refused_by_name(patron: Patron) -> None:
    is_on(patron)

    with pytest.raises(UnsupportedByChannel):
        cards.listed(patron.session, patron.adapter, patron.customer_id)
    with pytest.raises(UnsupportedByChannel):
        subscribe.with_card(
            patron.session, patron.adapter, patron.customer, "growth", "month", form_key="k", actor="usr_1"
        )


def test_what_a_change_costs_is_estimated_where_polar_does_not_say_it(patron: Patron) -> None:
    is_on(patron)

    shown = change_plan.preview(patron.session, patron.providers, patron.customer_id, "growth", "month", actor="usr_1")

    assert (shown.details["estimated"], shown.due_minor) == (True, 2000)


def test_its_portal_is_opened(patron: Patron) -> None:
    url = cards.portal(patron.session, patron.adapter, patron.customer, return_url="https://purser.example/")

    assert url.startswith("https://sandbox.polar.sh/acme/portal")
