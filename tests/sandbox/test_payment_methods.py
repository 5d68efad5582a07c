"""/v1/payment_methods: saved cards."""

from __future__ import annotations

import pytest
import stripe


def test_a_test_card_can_be_attached_and_listed(api, ada):
    made = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})

    found = api.payment_methods.retrieve(made.id)
    listed = api.customers.payment_methods.list(ada.id, {"type": "card"})
    assert (found.customer, found.card.brand, found.card.last4) == (ada.id, "visa", "4242")
    assert [card.id for card in listed.data] == [made.id]
    assert api.customers.payment_methods.list(ada.id, {"type": "us_bank_account"}).data == []


def test_attaching_tells_once_however_often_it_is_asked(api, ada, sandbox, receiver):
    made = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    api.payment_methods.attach(made.id, {"customer": ada.id})
    sandbox.deliver()

    assert receiver.only("payment_method.attached").data.object.id == made.id


def test_a_declining_card_is_not_attached(api, ada):
    with pytest.raises(stripe.CardError) as refusal:
        api.payment_methods.attach("pm_card_chargeDeclined", {"customer": ada.id})

    assert (refusal.value.http_status, refusal.value.code) == (402, "card_declined")
    assert api.customers.payment_methods.list(ada.id).data == []


def test_a_card_of_one_customer_cannot_become_anothers(api, ada):
    bo = api.customers.create({"name": "Bo"})
    made = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})

    with pytest.raises(stripe.InvalidRequestError):
        api.payment_methods.attach(made.id, {"customer": bo.id})


def test_detaching_forgets_the_customer_the_default_and_tells(api, ada, sandbox, receiver):
    made = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    api.customers.update(ada.id, {"invoice_settings": {"default_payment_method": made.id}})
    receiver.events.clear()

    api.payment_methods.detach(made.id)
    sandbox.deliver()

    told = receiver.only("payment_method.detached")
    assert told.data.object.customer is None
    assert told.data.previous_attributes.to_dict() == {"customer": ada.id}
    assert api.customers.retrieve(ada.id).invoice_settings.default_payment_method is None


def test_a_detached_card_is_gone_for_good(api, ada):
    made = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    api.payment_methods.detach(made.id)

    with pytest.raises(stripe.InvalidRequestError):
        api.payment_methods.detach(made.id)
    with pytest.raises(stripe.InvalidRequestError):
        api.payment_methods.attach(made.id, {"customer": ada.id})


def test_attaching_needs_a_customer_that_exists(api, raw):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.payment_methods.attach("pm_card_visa", {"customer": "cus_none"})

    assert refusal.value.param == "customer"
    assert raw.post("/v1/payment_methods/pm_card_visa/attach").json()["error"]["code"] == "parameter_missing"
