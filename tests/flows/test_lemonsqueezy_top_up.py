"""Topping up and buying a pack through Lemon Squeezy: the real adapter, a stand-in on this machine."""

from __future__ import annotations

import httpx
import pytest

from app import credits
from app.db import transaction
from app.errors import ProviderDown
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
