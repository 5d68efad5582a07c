"""/v1/payment_intents: charging a saved card while nobody is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

DAY = 86400


@pytest.fixture
def charge(api: Any, ada: Any) -> Callable[..., Any]:
    """Attaches a test card to Ada and charges it off-session."""

    def charge_card(card: str, **more: Any) -> Any:
        method = api.payment_methods.attach(card, {"customer": ada.id})
        return api.payment_intents.create(
            {
                "amount": 5000,
                "currency": "usd",
                "customer": ada.id,
                "payment_method": method.id,
                "off_session": True,
                "confirm": True,
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                "metadata": {"kind": "auto_topup"},
                **more,
            }
        )

    return charge_card


def test_a_good_card_pays_at_once(api, ada, charge, sandbox, receiver):
    intent = charge("pm_card_visa")
    sandbox.deliver()

    taken = api.charges.retrieve(intent.latest_charge)
    assert (intent.status, intent.amount, intent.amount_received) == ("succeeded", 5000, 5000)
    assert (taken.amount, taken.amount_captured, taken.paid, taken.payment_intent) == (5000, 5000, True, intent.id)
    assert receiver.only("payment_intent.succeeded").data.object.metadata.to_dict() == {"kind": "auto_topup"}
    assert receiver.only("charge.succeeded").data.object.id == taken.id
    assert api.payment_intents.list({"customer": ada.id}).data[0].id == intent.id


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
    ],
)
def test_a_decline_is_402_and_the_intent_stays(api, charge, *, sandbox, receiver, card, code, decline_code):
    with pytest.raises(stripe.CardError) as refusal:
        charge(card)
    sandbox.deliver()

    error = refusal.value.error
    intent = api.payment_intents.retrieve(error.payment_intent.id)
    assert (refusal.value.http_status, refusal.value.code, error.decline_code) == (402, code, decline_code)
    assert (intent.status, intent.amount_received, intent.payment_method) == ("requires_payment_method", 0, None)
    assert intent.last_payment_error.code == code
    assert api.charges.retrieve(intent.latest_charge).status == "failed"
    assert receiver.only("payment_intent.payment_failed").data.object.id == intent.id
    assert "payment_intent.succeeded" not in receiver.kinds


def test_a_declined_intent_can_be_paid_with_another_card(api, ada, charge):
    with pytest.raises(stripe.CardError) as refusal:
        charge("pm_card_chargeCustomerFail")
    good = api.payment_methods.attach("pm_card_mastercard", {"customer": ada.id})

    intent = api.payment_intents.confirm(
        refusal.value.error.payment_intent.id, {"payment_method": good.id, "off_session": True}
    )

    assert (intent.status, intent.last_payment_error) == ("succeeded", None)


def test_a_card_that_was_saved_with_3d_secure_is_not_asked_again(api, ada):
    setup = api.setup_intents.create({"customer": ada.id, "usage": "off_session"})
    asked = api.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa"})

    intent = api.payment_intents.create(
        {"amount": 900, "currency": "usd", "customer": ada.id, "payment_method": asked.payment_method, "confirm": True}
    )

    assert (asked.status, intent.status) == ("succeeded", "succeeded")


def test_3d_secure_with_somebody_there_waits_for_them(api, ada):
    params = {"amount": 900, "currency": "usd", "customer": ada.id, "payment_method": "pm_card_authenticationRequired"}

    intent = api.payment_intents.create({**params, "confirm": True})

    assert (intent.status, intent.next_action.type) == ("requires_action", "use_stripe_sdk")
    with pytest.raises(stripe.CardError):
        api.payment_intents.create({**params, "confirm": True, "error_on_requires_action": True})


def test_a_bank_debit_is_processing_until_the_bank_answers(api, charge, sandbox, receiver):
    good, bad = charge("pm_usBankAccount_success"), charge("pm_usBankAccount_accountClosed")
    before = [api.payment_intents.retrieve(intent.id).status for intent in (good, bad)]

    sandbox.advance(3 * DAY)
    after = [api.payment_intents.retrieve(intent.id).status for intent in (good, bad)]
    sandbox.deliver()

    assert before == ["processing", "processing"]
    assert after == ["succeeded", "requires_payment_method"]
    assert receiver.only("payment_intent.succeeded").data.object.id == good.id
    assert receiver.only("payment_intent.payment_failed").data.object.last_payment_error.code == "account_closed"


@pytest.mark.parametrize(
    ("amount", "code"),
    [(49, "amount_too_small"), (0, "amount_too_small"), (-5, "amount_too_small"), (10**8, "amount_too_large")],
)
def test_an_amount_outside_stripes_limits_is_refused(charge, amount, code):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        charge("pm_card_visa", amount=amount)

    assert refusal.value.code == code


def test_the_limits_themselves_are_allowed(charge):
    assert charge("pm_card_visa", amount=50).amount_received == 50
    assert charge("pm_card_visa", amount=99_999_999).amount_received == 99_999_999


def test_somebody_elses_card_is_refused(api, ada):
    bo = api.customers.create({"name": "Bo"})
    theirs = api.payment_methods.attach("pm_card_visa", {"customer": bo.id})
    params = {"amount": 900, "currency": "usd", "customer": ada.id, "payment_method": theirs.id, "confirm": True}

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.payment_intents.create({**params, "off_session": True})

    assert refusal.value.param == "payment_method"


def test_confirming_needs_a_card_and_off_session_needs_confirming(api, ada):
    params = {"amount": 900, "currency": "usd", "customer": ada.id}

    with pytest.raises(stripe.InvalidRequestError):
        api.payment_intents.create({**params, "confirm": True})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.payment_intents.create({**params, "off_session": True})

    assert refusal.value.param == "off_session"


def test_an_intent_can_be_cancelled_until_it_is_paid(api, ada, charge, sandbox, receiver):
    open_one = api.payment_intents.create({"amount": 900, "currency": "usd"})
    paid = charge("pm_card_visa")

    api.payment_intents.cancel(open_one.id, {"cancellation_reason": "abandoned"})
    with pytest.raises(stripe.InvalidRequestError):
        api.payment_intents.cancel(paid.id)
    with pytest.raises(stripe.InvalidRequestError):
        api.payment_intents.confirm(open_one.id, {"payment_method": "pm_card_visa"})
    sandbox.deliver()

    assert receiver.only("payment_intent.canceled").data.object.id == open_one.id


def test_setup_future_usage_saves_the_card(api, ada):
    params = {"amount": 900, "currency": "usd", "customer": ada.id, "payment_method": "pm_card_visa", "confirm": True}

    api.payment_intents.create({**params, "setup_future_usage": "off_session"})

    assert [card.card.last4 for card in api.customers.payment_methods.list(ada.id).data] == ["4242"]
