"""Disputes: an inquiry moves no money, a chargeback does; by the console's buttons, told as Stripe tells it."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.support.pages import page_faults


@pytest.fixture
def paid(api: Any, ada: Any) -> Any:
    method = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    params = {"amount": 5000, "currency": "usd", "customer": ada.id, "payment_method": method.id, "confirm": True}
    return api.payment_intents.create(params)


@pytest.fixture
def presses(visitor, sandbox):
    """Presses a button of the console, and sees the page after it."""

    def press(path, **data):
        visitor.post(sandbox.url + path, data=data)
        page = visitor.get(sandbox.url + "/payments")
        assert not page_faults(sandbox.app, page.text)
        return page.text

    return press


def the_dispute(api):
    [dispute] = api.disputes.list().data
    return dispute


def moved(dispute):
    return [(each.amount, each.fee) for each in dispute.balance_transactions]


def test_a_dispute_takes_the_money_and_a_fee_and_is_won(api, paid, presses, sandbox, receiver):
    assert "needs response" in presses(f"/payments/{paid.id}/dispute")
    opened = the_dispute(api)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.refunds.create({"payment_intent": paid.id})
    presses(f"/disputes/{opened.id}/answer")
    presses(f"/disputes/{opened.id}/win")
    sandbox.deliver()

    assert refused.value.code == "charge_disputed"
    closed = api.disputes.retrieve(opened.id)
    assert (opened.status, moved(opened)) == ("needs_response", [(-5000, 1500)])
    assert (closed.status, moved(closed)) == ("won", [(-5000, 1500), (5000, 0)])
    assert closed.evidence_details.submission_count == 1
    assert sorted(kind for kind in receiver.kinds if "dispute" in kind) == [
        "charge.dispute.closed", "charge.dispute.created", "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn", "charge.dispute.updated",
    ]  # fmt: skip


def test_an_inquiry_moves_nothing_until_it_is_escalated(api, paid, presses):
    presses(f"/payments/{paid.id}/dispute", kind="inquiry")
    asked = the_dispute(api)
    presses(f"/disputes/{asked.id}/escalate")
    taken = the_dispute(api)
    api.disputes.close(asked.id)

    assert (asked.status, moved(asked)) == ("warning_needs_response", [])
    assert (taken.status, moved(taken)) == ("needs_response", [(-5000, 1500)])
    assert the_dispute(api).status == "lost"


def test_an_inquiry_can_be_closed(api, paid, presses):
    presses(f"/payments/{paid.id}/dispute", kind="inquiry")
    presses(f"/disputes/{the_dispute(api).id}/win")

    assert the_dispute(api).status == "warning_closed"


def test_what_was_refunded_is_not_disputed_and_nothing_is_disputed_twice(api, paid, visitor, sandbox):
    api.refunds.create({"payment_intent": paid.id, "amount": 2000})

    first = visitor.post(f"{sandbox.url}/payments/{paid.id}/dispute")
    second = visitor.post(f"{sandbox.url}/payments/{paid.id}/dispute")

    assert the_dispute(api).amount == 3000
    assert (first.status_code, second.status_code) == (303, 422)
    assert visitor.post(f"{sandbox.url}/disputes/{the_dispute(api).id}/escalate").status_code == 422
