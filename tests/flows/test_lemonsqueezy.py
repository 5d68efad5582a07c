"""Paying through Lemon Squeezy, from the form to the books: the real adapter, a stand-in on this machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise

import httpx
import pytest
from sqlalchemy import select

from app import credits, ledger
from app.db import transaction
from app.errors import ProviderDown, UnsupportedByChannel
from app.flows import cancel_plan, cards, refund, refund_top_up, retry_payment, subscribe
from app.flows.sold_by import NotSoldHere
from app.invoices import Invoice
from app.providers.values import PlanRef
from app.subscriptions import invoiced, sale
from app.wallet.accounts import wallet_of
from tests.support.lemon import Shopper
from tests.support.payments import again


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


class TestTopUp:
    def test_it_is_credited_once_when_news_is_doubled_and_shuffled(self, shopper: Shopper) -> None:
        order = shopper.tops_up(5000)
        shopper.pays(order)

        shopper.hears(times=3, seed=1)

        assert shopper.wallet == 5000 == shopper.lemon.books.taken()
        assert again(shopper.session, order).state == "paid"

    def test_its_page_asks_for_the_whole_amount_and_for_no_code(self, shopper: Shopper) -> None:
        order = again(shopper.session, shopper.tops_up(2500))

        page = shopper.lemon.books.thing("checkouts", str(order.provider_ref))["attributes"]
        assert (page["custom_price"], page["checkout_options"]) == (2500, {"discount": False})
        assert page["checkout_data"]["email"] == shopper.customer.email
        shopper.session.rollback()
        assert httpx.post(f"{shopper.lemon.url}/checkout/{page['url'].rsplit('/', 1)[1]}").status_code == 200
        shopper.hears()
        assert shopper.wallet == 2500

    def test_tax_on_top_is_not_credited(self, shopper: Shopper) -> None:
        shopper.lemon.books.percent = 10
        shopper.pays(shopper.tops_up(5000))

        shopper.hears()

        assert (shopper.wallet, shopper.lemon.books.taken()) == (5000, 5500)

    def test_tax_in_the_price_is_the_stores_matter(self, shopper: Shopper) -> None:
        shopper.lemon.books.percent, shopper.lemon.books.tax_inclusive = 10, True
        shopper.pays(shopper.tops_up(5000))

        shopper.hears()

        assert (shopper.wallet, shopper.lemon.books.taken()) == (5000, 5000)

    def test_lost_news_is_found_by_the_orders_name(self, shopper: Shopper) -> None:
        shopper.lemon.deliveries.are_lost = True
        order = shopper.tops_up(5000)
        shopper.pays(order, email="somebody.else@example.com")

        shopper.passes(minutes=5)
        shopper.sweeps()

        assert shopper.wallet == 5000
        shopper.lemon.deliveries.resend(shopper.lemon.deliveries.lost[0])
        shopper.hears()
        assert shopper.wallet == 5000

    def test_a_page_nobody_paid_on_ends(self, shopper: Shopper) -> None:
        order = shopper.tops_up(5000)

        for _ in range(12):
            shopper.passes(hours=3)
            shopper.sweeps()

        assert again(shopper.session, order).state == "expired"

    def test_what_is_bought_elsewhere_under_the_orders_name_credits_nothing(self, shopper: Shopper) -> None:
        order = shopper.tops_up(5000)
        carried = {"intent_id": order.id, "kind": "wallet_topup", "customer_id": shopper.customer_id}
        shopper.lemon.books.buys_elsewhere(shopper.variants["growth"], 5000, carried)

        shopper.hears()

        assert shopper.wallet == 0
        assert ["was bought, which that is not sold as" in each for each in shopper.waiting] == [True]

    def test_an_answer_that_was_lost_leads_to_one_order_and_one_credit(self, shopper: Shopper) -> None:
        shopper.lemon.fails("POST", "", 0, done=True)
        with pytest.raises(ProviderDown):
            shopper.tops_up(5000)

        shopper.pays(shopper.tops_up(5000))
        shopper.hears()

        assert shopper.wallet == 5000

    def test_trouble_there_is_told_and_the_form_can_be_sent_again(self, shopper: Shopper) -> None:
        for status in (429, 500, 0):
            shopper.lemon.fails("POST", "", status)
            with pytest.raises(ProviderDown):
                shopper.tops_up(5000)

        assert again(shopper.session, shopper.tops_up(5000)).state == "open"

    def test_deliveries_are_tried_again_by_the_stores_table(self, shopper: Shopper) -> None:
        shopper.pays(shopper.tops_up(5000))
        down = lambda _body, _headers: 503  # noqa: E731

        waits = []
        for seconds in (0, 5, 25, 125):
            shopper.clock.advance(seconds=seconds - 1 if seconds else 0)
            early = shopper.lemon.deliveries.send_due(down) if seconds else 0
            shopper.clock.advance(seconds=1 if seconds else 0)
            waits.append((early, shopper.lemon.deliveries.send_due(down)))

        assert waits == [(0, 1)] * 4
        assert not shopper.lemon.deliveries.waiting
        assert len(shopper.lemon.deliveries.failed) == 1


def test_a_pack_brings_its_credits_once(shopper: Shopper) -> None:
    shopper.pays(shopper.buys_pack())

    shopper.hears(times=2)

    with transaction(shopper.session):
        assert credits.balance(shopper.session, shopper.customer_id).available == 100
    assert shopper.lemon.books.taken() == 900


def test_a_refund_in_the_dashboard_is_seen(shopper: Shopper) -> None:
    order = shopper.pays(shopper.tops_up(5000))
    shopper.hears()

    shopper.lemon.books.refunds("orders", order["id"], 2000)
    shopper.lemon.books.refunds("orders", order["id"], 500)
    shopper.hears(times=2, seed=1)

    assert shopper.wallet == 2500 == shopper.lemon.books.taken()


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "the answer is lost"])
def test_a_refund_of_ours_goes_back_once_whoever_tells_first(shopper: Shopper, is_answered: bool) -> None:
    shopper.pays(shopper.tops_up(5000))
    shopper.hears()
    with transaction(shopper.session):
        (line,) = ledger.history(shopper.session, wallet_of(shopper.customer_id), kinds=["topup"])
    if not is_answered:
        shopper.lemon.fails("POST", "", 0, done=True)

    wish = refund_top_up.Wish(line.entry_id, "key-1", "usr_1", "Not needed", 2000)
    refund_top_up.start(shopper.session, shopper.providers, shopper.customer_id, wish)
    shopper.hears(times=2)
    shopper.clock.advance(hours=1)
    refund.continue_due(shopper.sessions, shopper.providers)

    assert shopper.wallet == 3000 == shopper.lemon.books.taken()


class TestSubscription:
    def test_it_begins_once_it_is_paid_whatever_comes_first(self, shopper: Shopper) -> None:
        order = shopper.subscribes()
        shopper.pays(order)

        shopper.hears(times=2, seed=3)

        sub = shopper.sub
        assert (sub.status, sub.channel, sub.price_minor) == ("active", "lemonsqueezy", 1000)
        assert sub.period_start.day == sub.period_end.day == 14
        assert again(shopper.session, order).state == "paid"
        assert [(one.status, one.reason, one.total_minor) for one in invoices(shopper)] == [
            ("paid", "subscription_create", 1000)
        ]
        assert not shopper.waiting

    def test_it_is_found_when_all_its_news_was_lost(self, shopper: Shopper) -> None:
        shopper.lemon.deliveries.are_lost = True
        shopper.pays(shopper.subscribes())

        shopper.passes(minutes=5)
        shopper.sweeps()

        assert shopper.sub.status == "active"
        assert len(invoices(shopper)) == 1

    def test_it_is_renewed_without_a_gap(self, shopper: Shopper) -> None:
        shopper.is_on()

        for _ in range(3):
            shopper.passes(days=31)
            shopper.hears(seed=5)

        sub = shopper.sub
        with transaction(shopper.session):
            periods = invoiced.periods_of(shopper.session, sub)
        assert len(periods) == 4 == len(invoices(shopper))
        assert all(one.ends_at == two.starts_at for one, two in pairwise(periods))
        assert (periods[0].starts_at, periods[-1].ends_at) == (sub.started_at, sub.period_end)

    def test_it_is_renewed_where_the_news_was_lost(self, shopper: Shopper) -> None:
        shopper.is_on()
        shopper.lemon.deliveries.are_lost = True
        before = shopper.sub.period_end

        shopper.passes(days=32)
        shopper.sweeps()

        assert shopper.sub.period_start == before
        assert len(invoices(shopper)) == 2

    def test_it_falls_behind_and_catches_up(self, shopper: Shopper) -> None:
        shopper.is_on()
        provider_id = str(shopper.sub.provider_id)
        shopper.lemon.books.runs_short(provider_id)
        shopper.passes(days=31)
        shopper.hears()
        behind, renewal = shopper.sub, invoices(shopper)[-1]
        assert (behind.status, renewal.status) == ("past_due", "open")
        start = behind.period_start

        shopper.lemon.books.runs_short(provider_id, short=False)
        shopper.passes(days=4)
        shopper.hears(seed=2)

        sub = shopper.sub
        assert (sub.status, sub.period_start, invoices(shopper)[-1].status) == ("active", start, "paid")
        assert len(invoices(shopper)) == 2

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
        assert [one.reason for one in invoices(shopper)] == ["subscription_create", "subscription_update"]

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
        assert len(invoices(shopper)) == 1

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
        assert (again(shopper.session, order).state, len(invoices(shopper))) == ("paid", 1)
        assert not shopper.waiting

    def test_its_refunded_invoice_is_refunded_here(self, shopper: Shopper) -> None:
        shopper.is_on()
        (paid,) = shopper.lemon.books.invoices_of(str(shopper.sub.provider_id))

        shopper.lemon.books.refunds("subscription-invoices", paid["id"])
        shopper.hears()

        assert [(one.status, one.credited_minor) for one in invoices(shopper)] == [("refunded", 1000)]

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


REFUSED: dict[str, Callable[..., object]] = {
    "end": lambda *who: cancel_plan.now(*who, reason=None, actor="usr_1"),
    "what ending gives back": cancel_plan.preview_now,
}


def test_what_the_channel_cannot_do_is_refused_by_name(shopper: Shopper) -> None:
    shopper.is_on()

    for ask in REFUSED.values():
        with pytest.raises(UnsupportedByChannel):
            ask(shopper.session, shopper.providers, shopper.customer_id)

    assert shopper.sub.status == "active"


def test_a_payment_that_failed_there_is_not_tried_by_us(shopper: Shopper) -> None:
    shopper.is_on()
    shopper.lemon.books.runs_short(str(shopper.sub.provider_id))
    shopper.passes(days=31)
    shopper.hears()

    with pytest.raises(UnsupportedByChannel):
        retry_payment.retry(shopper.session, shopper.providers, shopper.customer_id, actor="usr_1")


def invoices(shopper: Shopper) -> list[Invoice]:
    """Oldest first."""
    with transaction(shopper.session):
        mine = select(Invoice).where(Invoice.customer_id == shopper.customer_id)
        found = shopper.session.scalars(mine.execution_options(populate_existing=True))
        return sorted(found, key=lambda one: (one.created_at, one.provider_id or ""))


@pytest.mark.parametrize("seed", [3, 8])
def test_a_life_told_twice_and_in_any_order_ends_the_same(shopper: Shopper, seed: int) -> None:
    books = shopper.lemon.books
    top_up = shopper.pays(shopper.tops_up(5000))
    shopper.pays(shopper.subscribes())
    (there,) = books.things["subscriptions"].values()
    books.refunds("orders", top_up["id"], 2000)
    shopper.passes(days=10)
    books.changes(there["id"], {"variant_id": int(shopper.variants["growth"]), "invoice_immediately": True})
    books.refunds("orders", top_up["id"], 1000)
    shopper.passes(days=22)
    books.refunds("subscription-invoices", books.invoices_of(there["id"])[0]["id"])
    books.cancels(there["id"])

    shopper.hears(times=2, seed=seed)

    sub = shopper.sub
    assert shopper.wallet == 2000 == books.taken()
    assert (sub.status, sub.price_minor, sub.cancel_at_period_end) == ("active", 3000, True)
    assert [(one.status, one.reason, one.total_minor) for one in invoices(shopper)] == [
        ("refunded", "subscription_create", 1000),
        ("paid", "subscription_update", 1354),
        ("paid", "subscription_cycle", 3000),
    ]
    assert not shopper.waiting
