"""Signed events that are true and yet not about our order: nothing may be credited for them.

Run through the real endpoint, the real adapter and the worker's own step.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import ids
from app.db import transaction
from app.flows import settle
from app.payments import Order, ProviderEvent, orders
from tests.support.people import Person

SECRET = "whsec_of_the_tests_only"


@pytest.fixture
def order(session: Session, ada: Person) -> Order:
    """Ada opened a checkout over $50 and has not paid it."""
    with transaction(session):
        return orders.open_order(
            session,
            customer_id=ada.customer_id,
            amount_minor=5_000,
            currency="usd",
            channel="stripe",
            form_key="form",
            created_by=ada.id,
        )


@pytest.fixture
def stripe_says(app: Flask, session: Session, sessions) -> Callable[..., ProviderEvent]:
    """Posts a signed `checkout.session.completed`, lets the worker apply it, and answers what became of it."""

    def say(**checkout: Any) -> ProviderEvent:
        said = _event(checkout)
        body = json.dumps(said).encode()
        answer = app.test_client().post("/payment/webhook/stripe", data=body, headers=_signed(body))
        assert answer.status_code == 200
        settle.apply_pending(sessions, app.extensions["providers"])
        session.rollback()
        return session.scalars(select(ProviderEvent).where(ProviderEvent.event_id == said["id"])).one()

    return say


def test_a_paid_session_of_our_own_is_credited(stripe_says, order: Order, ada: Person) -> None:
    before = ada.balance()

    assert stripe_says(metadata={"intent_id": order.id}).state == "done"
    assert ada.balance() == before + 50_000_000


def test_a_payment_link_with_our_orders_id_in_its_address_credits_nothing(stripe_says, order: Order, ada) -> None:
    # given a shop on the same Stripe account that sells something else through a Payment Link,
    # whose buyers may put any client_reference_id into the link's address
    before = ada.balance()

    # when Ada buys there for $50 and names her open order
    event = stripe_says(client_reference_id=order.id, metadata={})

    # then she has what she bought there, and not $50 here as well
    assert event.state == "ignored"
    assert ada.balance() == before


# Names no payment can have, and amounts that are not the order's or no amounts at all.
NAMES: list[Any] = [["pi_1"], 7, True, "", "pi_\0", "pi_\ud800", "p" * 300, {"id": ["pi_1"]}]
AMOUNTS: list[dict[str, Any]] = [
    {"amount_total": 4_000, "total_details": {"amount_tax": -1_000}},
    {"amount_total": 10**20 + 5_000, "total_details": {"amount_tax": 10**20}},
    {"amount_total": 5_000, "total_details": {"amount_tax": False}},
    {"amount_total": 5_000.0},
    {"amount_total": "5000"},
    {"amount_total": 4_999},
    {"amount_total": 5_001},
    {"currency": "jpy"},
    {"currency": "USD "},
]


def test_payments_that_cannot_be_the_orders_are_given_up_at_once(stripe_says, order: Order, ada: Person) -> None:
    before = ada.balance()

    for wrong in [*({"payment_intent": name} for name in NAMES), *AMOUNTS]:
        event = stripe_says(metadata={"intent_id": order.id}, **wrong)

        assert event.state == "dead", wrong
        assert "SQL" not in str(event.error)
    assert ada.balance() == before


def test_an_event_of_live_money_changes_nothing_on_a_test_key(stripe_says, order: Order, ada: Person) -> None:
    before = ada.balance()

    assert stripe_says(metadata={"intent_id": order.id}, livemode=True).state == "ignored"
    assert ada.balance() == before


def _event(checkout: dict[str, Any]) -> dict[str, Any]:
    session = {
        "id": "cs_1",
        "object": "checkout.session",
        "mode": "payment",
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": "pi_1",
        "client_reference_id": None,
        "amount_total": 5_000,
        "total_details": {"amount_tax": 0},
        "currency": "usd",
        "livemode": False,
    } | checkout
    return {
        "id": ids.new("evt"),
        "object": "event",
        "api_version": None,
        "created": int(the_clock.now().timestamp()),
        "livemode": session["livemode"],
        "type": "checkout.session.completed",
        "data": {"object": session},
    }


def _signed(body: bytes) -> dict[str, str]:
    stamp = str(int(the_clock.real_now().timestamp()))
    proof = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={proof}"}
