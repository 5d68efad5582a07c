"""/v1/charges and /v1/refunds."""

from __future__ import annotations

from typing import Any

import pytest
import stripe


@pytest.fixture
def paid(api: Any, ada: Any) -> Any:
    method = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    params = {"amount": 5000, "currency": "usd", "customer": ada.id, "payment_method": method.id, "confirm": True}
    return api.payment_intents.create(params)


def test_a_payment_is_refunded_in_parts_until_nothing_is_left(api, paid, sandbox, receiver):
    first = api.refunds.create({"payment_intent": paid.id, "amount": 1, "metadata": {"refund_id": "1"}})
    second = api.refunds.create({"charge": paid.latest_charge, "reason": "requested_by_customer"})
    sandbox.deliver()

    charge = api.charges.retrieve(paid.latest_charge)
    assert (first.status, first.amount, second.amount) == ("succeeded", 1, 4999)
    assert (charge.amount_refunded, charge.refunded) == (5000, True)
    assert [each.id for each in api.refunds.list({"payment_intent": paid.id}).data] == [second.id, first.id]
    assert api.refunds.retrieve(first.id).metadata.to_dict() == {"refund_id": "1"}
    assert sorted(event.data.object.id for event in receiver.events if event.type == "refund.created") == sorted(
        [first.id, second.id]
    )


def test_no_more_than_what_was_paid_is_refunded(api, paid):
    with pytest.raises(stripe.InvalidRequestError) as too_much:
        api.refunds.create({"payment_intent": paid.id, "amount": 5001})
    api.refunds.create({"payment_intent": paid.id, "amount": 5000})
    with pytest.raises(stripe.InvalidRequestError) as again:
        api.refunds.create({"payment_intent": paid.id})

    assert (too_much.value.code, again.value.code) == ("amount_too_large", "charge_already_refunded")


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refund_is_positive(api, paid, amount):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.refunds.create({"payment_intent": paid.id, "amount": amount})

    assert refusal.value.param == "amount"


def test_what_was_not_paid_is_not_refunded(api):
    intent = api.payment_intents.create({"amount": 900, "currency": "usd"})

    with pytest.raises(stripe.InvalidRequestError):
        api.refunds.create({"payment_intent": intent.id})
    with pytest.raises(stripe.InvalidRequestError):
        api.refunds.create({})
