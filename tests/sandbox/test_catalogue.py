"""/v1/products and /v1/prices."""

from __future__ import annotations

import pytest
import stripe


def test_a_product_and_its_prices(api):
    product = api.products.create({"name": "Pro", "metadata": {"plan": "pro"}})
    once = api.prices.create({"product": product.id, "currency": "USD", "unit_amount": 2900, "lookup_key": "pro_once"})
    monthly = api.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 2900, "recurring": {"interval": "month"}}
    )

    assert api.products.retrieve(product.id).name == "Pro"
    assert (api.prices.retrieve(once.id).type, once.currency, once.recurring) == ("one_time", "usd", None)
    assert (monthly.type, monthly.recurring.interval_count) == ("recurring", 1)
    assert [price.id for price in api.prices.list({"product": product.id}).data] == [monthly.id, once.id]
    assert [price.id for price in api.prices.list({"lookup_keys": ["pro_once", "other"]}).data] == [once.id]
    assert [price.id for price in api.prices.list({"type": "recurring"}).data] == [monthly.id]


def test_products_can_be_listed_by_state_and_id(api):
    shown = api.products.create({"name": "Shown"})
    hidden = api.products.create({"name": "Hidden", "active": False})

    assert [each.id for each in api.products.list({"active": True}).data] == [shown.id]
    assert [each.id for each in api.products.list({"ids": [hidden.id]}).data] == [hidden.id]


def test_a_product_can_be_made_with_its_price_and_the_other_way_round(api):
    product = api.products.create({"name": "Pack", "default_price_data": {"currency": "usd", "unit_amount": 900}})
    price = api.prices.create({"currency": "usd", "unit_amount": 100, "product_data": {"name": "Small"}})

    assert api.prices.retrieve(product.default_price).unit_amount == 900
    assert api.products.retrieve(price.product).name == "Small"


def test_a_lookup_key_belongs_to_one_price_until_it_is_transferred(api):
    first = api.prices.create({"currency": "usd", "unit_amount": 1, "product_data": {"name": "A"}, "lookup_key": "k"})
    again = {"currency": "usd", "unit_amount": 2, "product_data": {"name": "B"}, "lookup_key": "k"}

    with pytest.raises(stripe.InvalidRequestError):
        api.prices.create(again)
    second = api.prices.create({**again, "transfer_lookup_key": True})

    assert (api.prices.retrieve(first.id).lookup_key, second.lookup_key) == (None, "k")
