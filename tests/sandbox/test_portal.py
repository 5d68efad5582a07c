"""The portal, by API and as a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.support.pages import page_faults


@pytest.fixture
def portal(api: Any, ada: Any) -> Callable[..., Any]:
    def open_portal(**more: Any) -> Any:
        return api.billing_portal.sessions.create(
            {"customer": ada.id, "return_url": "http://shop.example/billing", **more}
        )

    return open_portal


@pytest.fixture
def cards(api: Any, ada: Any) -> list[Any]:
    names = ("pm_card_visa", "pm_card_mastercard")
    return [api.payment_methods.attach(name, {"customer": ada.id}) for name in names]


def default_of(api, ada):
    return api.customers.retrieve(ada.id).invoice_settings.default_payment_method


def test_it_shows_cards_and_payments_and_the_way_back(api, ada, visitor, portal, cards, sandbox):
    paid = {"amount": 5000, "currency": "usd", "customer": ada.id, "payment_method": cards[0].id, "confirm": True}
    api.payment_intents.create(paid)

    page = visitor.get(portal().url)

    assert "Visa ending 4242" in page.text
    assert "Mastercard ending 4444" in page.text
    assert "$50.00" in page.text
    assert 'href="http://shop.example/billing"' in page.text
    assert "Test mode" in page.text
    assert not page_faults(sandbox.app, page.text)


def test_a_card_becomes_the_default(api, ada, visitor, *, portal, cards, sandbox, receiver):
    answer = visitor.post(f"{portal().url}/cards/{cards[1].id}/default")
    sandbox.deliver()

    assert answer.status_code == 303
    assert default_of(api, ada) == cards[1].id
    before = receiver.only("customer.updated").data.previous_attributes.to_dict()
    assert before == {"invoice_settings": {"default_payment_method": None}}


def test_a_card_is_removed(api, ada, visitor, *, portal, cards, sandbox, receiver):
    visitor.post(f"{portal().url}/cards/{cards[0].id}/remove")
    sandbox.deliver()

    assert [card.id for card in api.customers.payment_methods.list(ada.id).data] == [cards[1].id]
    assert receiver.only("payment_method.detached").data.previous_attributes.customer == ada.id


def test_a_card_is_added_and_the_first_one_is_the_default(api, ada, visitor, portal):
    session = portal()

    refused = visitor.post(f"{session.url}/cards", data={"number": "4000000000000002"})
    unknown = visitor.post(f"{session.url}/cards", data={"number": "1234"})
    added = visitor.post(f"{session.url}/cards", data={"number": "4242 4242 4242 4242"})

    [card] = api.customers.payment_methods.list(ada.id).data
    assert (refused.status_code, unknown.status_code, added.status_code) == (402, 422, 303)
    assert "Your card was declined." in refused.text
    assert default_of(api, ada) == card.id


def test_the_flow_to_replace_a_card_leads_straight_back(api, ada, visitor, portal, cards):
    after = {"type": "redirect", "redirect": {"return_url": "http://shop.example/replaced"}}
    session = portal(flow_data={"type": "payment_method_update", "after_completion": after})

    page = visitor.get(session.url)
    answer = visitor.post(f"{session.url}/cards", data={"number": "378282246310005"})

    assert "Replace your card" in page.text
    assert answer.headers["Location"] == "http://shop.example/replaced"
    assert default_of(api, ada) not in {card.id for card in cards}


def test_somebody_elses_card_is_out_of_reach(api, visitor, portal):
    bo = api.customers.create({"name": "Bo"})
    theirs = api.payment_methods.attach("pm_card_visa", {"customer": bo.id})

    assert visitor.post(f"{portal().url}/cards/{theirs.id}/remove").status_code == 404
    assert visitor.post(f"{portal().url}/cards/none/default").status_code == 404
    assert api.payment_methods.retrieve(theirs.id).customer == bo.id


def test_a_link_is_for_one_visit(visitor, portal, sandbox):
    session = portal()
    sandbox.advance(3600)

    page = visitor.get(session.url)

    assert page.status_code == 410
    assert "This link has expired" in page.text


def test_configurations_decide_what_is_offered(api, visitor, portal, cards):
    plain = api.billing_portal.configurations.create(
        {
            "features": {"invoice_history": {"enabled": False}, "payment_method_update": {"enabled": False}},
            "name": "Plain",
        }
    )

    page = visitor.get(portal(configuration=plain.id).url)

    known = api.billing_portal.configurations.list().data
    assert [each.is_default for each in known] == [False, True]
    assert api.billing_portal.configurations.retrieve(plain.id).name == "Plain"
    assert "Remove" not in page.text
    assert "Payments" not in page.text


def test_what_is_missing_or_not_built_is_told(api, ada, portal):
    with pytest.raises(stripe.InvalidRequestError) as nobody:
        api.billing_portal.sessions.create({"customer": "cus_none"})
    with pytest.raises(stripe.InvalidRequestError) as flow:
        portal(flow_data={"type": "subscription_pause", "subscription_pause": {"subscription": "sub_1"}})

    assert nobody.value.param == "customer"
    assert flow.value.code == "sandbox_not_built"
