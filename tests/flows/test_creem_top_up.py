"""Topping up and buying a pack through Creem: the real adapter, a stand-in on this machine, no browser."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app import credits
from app.db import transaction
from app.errors import ProviderDown
from tests.support.creem import Regular
from tests.support.doubles.creem.server import RETRIES
from tests.support.payments import again


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


class TestTopUp:
    @pytest.mark.parametrize("seed", [1])
    def test_it_is_credited_once_when_news_is_doubled_and_shuffled(self, regular: Regular, seed: int | None) -> None:
        regular.there.books.percent = 8
        order = regular.tops_up(5000)
        regular.pays(order)

        regular.hears(times=3, seed=seed)

        assert regular.wallet == 5000
        assert again(regular.session, order).state == "paid"
        assert not regular.waiting

    def test_news_that_never_comes_is_asked_for(self, regular: Regular) -> None:
        regular.there.lost = True
        regular.pays(regular.tops_up(5000))
        regular.hears()

        regular.clock.advance(minutes=10)
        regular.sweeps()
        assert regular.wallet == 5000

        regular.there.lost = False
        regular.clock.advance(hours=2)
        regular.hears()
        assert (regular.wallet, regular.waiting) == (5000, [])

    def test_a_page_that_creem_closed_ends(self, regular: Regular) -> None:
        order = regular.tops_up(5000)
        regular.there.books.expires(regular.page_of(order))

        regular.clock.advance(minutes=10)
        regular.sweeps()

        assert again(regular.session, order).state == "expired"

    def test_a_page_that_was_not_answered_is_asked_for_again(self, regular: Regular) -> None:
        regular.there.fails("POST", "/v1/checkouts", 0, done=True)
        with pytest.raises(ProviderDown):
            regular.tops_up(5000)

        regular.pays(regular.tops_up(5000))
        regular.hears()

        assert regular.wallet == 5000

    @pytest.mark.parametrize("heard", [True, False], ids=["told", "asked for"])
    def test_a_code_typed_at_creem_is_no_mismatch_and_only_what_was_paid_is_credited(
        self, regular: Regular, heard: bool
    ) -> None:
        regular.there.books.percent = 8
        regular.there.lost = not heard
        order = regular.tops_up(5000)
        regular.pays(order, code=1000)

        regular.hears(times=2, seed=1)
        regular.clock.advance(minutes=10)
        regular.sweeps()

        assert (regular.wallet, again(regular.session, order).state, regular.waiting) == (4000, "paid", [])
        regular.asks_back()
        regular.there.lost = False
        regular.hears(seed=2)
        assert regular.wallet == 0

    def test_an_old_page_that_creem_does_not_close_is_credited_once_when_it_is_paid_late(
        self, regular: Regular
    ) -> None:
        old, new = regular.tops_up(5000), regular.tops_up(2000, form="form-2")
        regular.pays(new)
        regular.hears()
        regular.clock.advance(days=3)
        regular.sweeps()

        regular.pays(old)
        regular.hears(times=2, seed=1)
        regular.sweeps()

        assert (regular.wallet, again(regular.session, old).state, regular.waiting) == (7000, "paid", [])

    def test_something_else_that_names_our_order_credits_nothing(self, regular: Regular) -> None:
        order = regular.tops_up(5000)
        other = regular.there.books.product(5000, "once")
        regular.there.books.thing("checkouts", regular.page_of(order))["product"] = other
        regular.pays(order)

        regular.hears()

        assert regular.wallet == 0
        assert [line for line in regular.waiting if line.startswith("checkout.completed dead")]


def test_news_is_tried_four_times_more_and_then_given_up(regular: Regular) -> None:
    regular.there.lost = True
    regular.pays(regular.tops_up(5000))
    for wait in (timedelta(0), *RETRIES, timedelta(days=1)):
        regular.clock.set(regular.clock.now + wait)
        regular.deliver()

    assert [(one.tries, one.ended) for one in regular.there.deliveries] == [(5, "given up")]


def test_a_pack_paid_with_a_code_of_creems_brings_all_its_credits(regular: Regular) -> None:
    regular.pays(regular.buys_pack(), code=400)

    regular.hears(times=2, seed=5)

    with transaction(regular.session):
        assert credits.balance(regular.session, regular.customer_id).available == 100
    assert not regular.waiting


def test_a_pack_brings_its_credits_once(regular: Regular) -> None:
    regular.pays(regular.buys_pack())

    regular.hears(times=2, seed=5)

    with transaction(regular.session):
        assert credits.balance(regular.session, regular.customer_id).available == 100
