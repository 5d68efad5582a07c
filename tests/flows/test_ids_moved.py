"""What a provider calls a plan may change under its subscribers: they keep what they bought (SPEC P2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.catalogue import file, publish
from app.db import transaction
from app.flows import change_plan
from tests.support.creem import OFFERS, Regular


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # what the catalogue says and what the provider does, no locks


def name_anew(regular: Regular, **products: str) -> None:
    with transaction(regular.session):
        publish.apply(regular.session, file.read(OFFERS.format(**products), currency="usd"), actor="test")


def test_an_id_that_another_plan_has_now_moves_no_subscriber(regular: Regular) -> None:
    """Growth ($30) gets a new product, and Starter ($10) is given the one that a subscriber of Growth has."""
    regular.pays(regular.subscribes("growth"))
    regular.hears()
    bought = (regular.sub.plan_id, regular.sub.version, regular.sub.price_minor)
    assert bought[2] == 3000

    name_anew(regular, starter=regular.products["growth"], growth=regular.there.books.product(3000, "every-month"))
    regular.clock.set(regular.sub.period_end)
    regular.passes(hours=1)
    regular.hears(seed=1)
    regular.sweeps()

    assert (regular.sub.plan_id, regular.sub.version, regular.sub.price_minor) == bought


def test_a_page_that_was_open_then_brings_what_it_was_opened_for(regular: Regular) -> None:
    order = regular.subscribes("growth")
    name_anew(regular, starter=regular.products["growth"], growth=regular.there.books.product(3000, "every-month"))

    regular.pays(order)
    regular.hears()

    assert (regular.sub.plan_id, regular.sub.price_minor) == (order.request["plan_id"], 3000)


def test_a_change_that_waits_comes_to_what_was_shown(regular: Regular) -> None:
    regular.pays(regular.subscribes("growth"))
    regular.hears()
    who = (regular.session, regular.providers, regular.customer_id)
    shown = change_plan.preview(*who, "starter", "month", actor="usr_1")
    change_plan.confirm(*who, shown.id, actor="usr_1")
    name_anew(regular, starter=regular.there.books.product(1000, "every-month"), growth=regular.products["starter"])

    regular.clock.set(regular.sub.period_end - timedelta(minutes=30))
    regular.sweeps()
    assert regular.sub.price_minor == 3000
    regular.passes(hours=1)
    regular.hears(seed=1)
    regular.sweeps()

    assert (regular.sub.plan_id, regular.sub.price_minor) == (shown.plan_id, 1000)
