"""Money back through Lemon Squeezy, a whole life there, and what it cannot do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.errors import UnsupportedByChannel
from app.flows import cancel_plan, refund, retry_payment
from tests.support.lemon import Shopper


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


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
    if not is_answered:
        shopper.lemon.fails("POST", "", 0, done=True)

    shopper.asks_back(2000)
    shopper.hears(times=2)
    shopper.clock.advance(hours=1)
    refund.continue_due(shopper.sessions, shopper.providers)

    assert shopper.wallet == 3000 == shopper.lemon.books.taken()


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
    assert [(one.status, one.reason, one.total_minor) for one in shopper.invoices] == [
        ("refunded", "subscription_create", 1000),
        ("paid", "subscription_update", 1354),
        ("paid", "subscription_cycle", 3000),
    ]
    assert not shopper.waiting
