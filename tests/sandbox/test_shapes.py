"""The sandbox's events beside the recorded ones that the adapter is tested with: nothing those have is missing here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path(__file__).parents[1] / "providers" / "payloads" / "stripe"

# Bank debits of the record were opened with another shape of session; what is inside is compared all the same.
NAMES = [
    "charge.refunded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed.setup",
    "checkout.session.completed.topup",
    "checkout.session.completed.topup_unpaid_async",
    "checkout.session.expired",
    "customer.updated",
    "invoice.finalized",
    "invoice_payment.paid",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.succeeded.off_session",
    "payment_intent.succeeded.topup",
    "payment_method.attached",
    "payment_method.detached",
    "refund.created",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
]


@pytest.fixture
def told(api: Any, ada: Any, visitor: Any, *, top_up: Any, sandbox: Any, receiver: Any) -> dict[str, Any]:
    """One event of each kind, from an afternoon in which everything happened."""
    for number in ("000123456789", "000111111116", "4000000000009995", "4000002500003155"):
        visitor.post(top_up().url, data={"number": number})
    paid = top_up(invoice_creation={"enabled": True}, payment_intent_data={"setup_future_usage": "off_session"})
    visitor.post(paid.url, data={"number": "4242424242424242"})
    setup = {"mode": "setup", "currency": "usd", "customer": ada.id, "success_url": "http://shop.example/"}
    saved = api.checkout.sessions.create(setup)
    visitor.post(saved.url, data={"number": "4000000000000002"})
    visitor.post(saved.url, data={"number": "4242424242424242"})
    api.refunds.create({"payment_intent": api.checkout.sessions.retrieve(paid.id).payment_intent, "amount": 100})
    card = api.customers.payment_methods.list(ada.id).data[0]
    api.customers.update(ada.id, {"invoice_settings": {"default_payment_method": card.id}})
    api.payment_methods.detach(card.id)
    sandbox.advance(4 * 86400)
    sandbox.deliver()
    return {event["type"]: event for event in map(json.loads, receiver.bodies)}


def test_every_field_of_the_record_is_there(told):
    missing = {}
    for name in NAMES:
        recorded = json.loads((RECORDED / f"{name}.json").read_text())
        ours = told[recorded["type"]]
        gone = sorted(_fields(recorded["data"]["object"]) - _fields(ours["data"]["object"]))
        envelope = sorted(set(recorded) - set(ours))
        if gone or envelope:
            missing[name] = gone + envelope

    assert missing == {}


def _fields(body: dict[str, Any]) -> set[str]:
    return set(body)
