"""Topping up and buying a pack through Polar: the real adapter, a stand-in on this machine, no browser."""

from __future__ import annotations

import httpx
import pytest

from app import credits
from app.db import transaction
from app.errors import ProviderDown
from app.payments import inbox
from app.providers import port
from tests.support.patron import Patron
from tests.support.payments import again


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


class TestTopUp:
    @pytest.mark.parametrize("seed", [1])
    def test_it_is_credited_once_when_news_is_doubled_and_shuffled(self, patron: Patron, seed: int | None) -> None:
        order = patron.tops_up(5000)
        patron.pays(order)

        patron.hears(times=3, seed=seed)

        assert patron.wallet == 5000 == patron.there.books.taken()
        assert again(patron.session, order).state == "paid"
        assert not patron.waiting
        [receipt] = patron.invoices
        assert (receipt.order_id, receipt.status, receipt.total_minor) == (order.id, "paid", 5000)

    def test_its_page_can_be_paid_by_its_form(self, patron: Patron) -> None:
        order = again(patron.session, patron.tops_up(2500))
        assert order.checkout_url is not None
        token = order.checkout_url.rsplit("/", 1)[1]
        patron.session.rollback()

        assert httpx.post(f"{patron.there.url}/checkout/{token}").status_code == 200
        patron.hears()

        assert patron.wallet == 2500

    def test_tax_on_top_is_not_credited(self, patron: Patron) -> None:
        patron.there.books.percent = 8
        patron.pays(patron.tops_up(5000))

        patron.hears()

        assert patron.wallet == 5000
        assert [(each.total_minor, each.tax_minor) for each in patron.invoices] == [(5400, 400)]

    def test_news_that_never_comes_is_asked_for(self, patron: Patron) -> None:
        patron.there.deliveries.lost = True
        order = patron.tops_up(5000)
        patron.pays(order)
        patron.hears()
        assert patron.wallet == 0

        patron.clock.advance(minutes=10)
        patron.sweeps()
        assert patron.wallet == 5000

        patron.there.deliveries.lost = False
        patron.clock.advance(hours=1)
        patron.hears()
        assert (patron.wallet, patron.waiting) == (5000, [])

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
        assert patron.wallet == 5000

        patron.there.deliveries.lost = False
        for event in patron.there.deliveries.events:
            httpx.post(
                f"{patron.there.url}/v1/webhooks/events/{event.id}/redeliver",
                headers={"Authorization": "Bearer polar_oat_of_the_tests", "Polar-Version": "2026-10"},
            )
        patron.hears()
        assert patron.wallet == 5000

    def test_a_page_nobody_paid_on_ends(self, patron: Patron) -> None:
        order = patron.tops_up(5000)

        patron.passes(hours=25)
        patron.hears()

        assert again(patron.session, order).state == "expired"
        assert patron.wallet == 0

    @pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
    def test_a_page_that_was_not_answered_is_asked_for_again(self, patron: Patron, done: bool) -> None:
        patron.there.fails("POST", "/v1/checkouts/", 0, done=done)
        with pytest.raises(ProviderDown):
            patron.tops_up(5000)

        order = patron.tops_up(5000)
        patron.pays(order)
        patron.hears()

        assert patron.wallet == 5000

    def test_what_was_bought_elsewhere_in_the_organization_credits_nobody(self, patron: Patron) -> None:
        order = patron.tops_up(5000)
        patron.there.books.thing("checkouts", patron.page_of(order))["metadata"].clear()
        patron.pays(order)

        patron.hears()

        assert (patron.wallet, patron.waiting) == (0, [])

    def test_another_amount_than_was_asked_for_credits_nothing(self, patron: Patron) -> None:
        order = patron.tops_up(5000)
        page = patron.there.books.thing("checkouts", patron.page_of(order))
        page["product_price"]["price_amount"] = 50
        patron.pays(order)

        patron.hears()

        assert patron.wallet == 0
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
    assert patron.wallet == 0
