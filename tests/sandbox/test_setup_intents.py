"""/v1/setup_intents: saving a card without charging it."""

from __future__ import annotations

import pytest
import stripe


def test_a_setup_has_a_secret_for_the_browser_and_waits(api, ada):
    setup = api.setup_intents.create(
        {"customer": ada.id, "usage": "off_session", "automatic_payment_methods": {"enabled": True}}
    )

    assert setup.client_secret.startswith(f"{setup.id}_secret_")
    assert api.setup_intents.retrieve(setup.id).status == "requires_payment_method"


def test_confirming_saves_the_card(api, ada, sandbox, receiver):
    setup = api.setup_intents.create({"customer": ada.id})

    api.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa"})
    sandbox.deliver()

    assert [card.card.last4 for card in api.customers.payment_methods.list(ada.id).data] == ["4242"]
    assert receiver.only("setup_intent.succeeded").data.object.id == setup.id


def test_a_declining_card_is_not_saved(api, ada, sandbox, receiver):
    setup = api.setup_intents.create({"customer": ada.id})

    with pytest.raises(stripe.CardError) as refusal:
        api.setup_intents.confirm(setup.id, {"payment_method": "pm_card_chargeDeclined"})
    sandbox.deliver()

    assert refusal.value.error.setup_intent.id == setup.id
    assert receiver.only("setup_intent.setup_failed").data.object.last_setup_error.code == "card_declined"
    assert api.customers.payment_methods.list(ada.id).data == []


def test_a_setup_is_confirmed_once(api, ada):
    setup = api.setup_intents.create({"customer": ada.id, "payment_method": "pm_card_visa", "confirm": True})

    with pytest.raises(stripe.InvalidRequestError):
        api.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa"})
