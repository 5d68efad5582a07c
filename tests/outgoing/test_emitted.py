"""What the host product is told as things happen: once for each, in the transaction that makes it so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from app.db import transaction
from app.flows import renew
from app.outgoing import endpoints
from app.outgoing.models import WebhookEvent
from app.payments import orders
from tests.support.card_paid import Cardholder
from tests.support.people import Person
from tests.support.plans import Subscriber
from tests.support.time import Clock


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def told(session: Session) -> Any:
    """An endpoint that wants everything; `told()` is the type and data of all events since the last time."""
    with transaction(session):
        endpoints.open_endpoint(session, "https://example.com/", (), private=False, actor="system")
    seen: set[str] = set()

    def since() -> list[tuple[str, dict[str, Any]]]:
        session.rollback()
        fresh = [row for row in session.scalars(select(WebhookEvent)) if row.id not in seen]
        seen.update(row.id for row in fresh)
        session.rollback()
        return sorted(((row.type, json.loads(row.body)["data"]) for row in fresh), key=lambda one: one[0])

    return since


def test_a_plan_from_the_wallet_and_a_renewal_that_fails(
    engine: Engine, subscriber: Subscriber, clock: Clock, told: Any
) -> None:
    subscriber.gets(1_000)
    subscriber.subscribes()
    began = told()
    assert [kind for kind, _ in began] == ["invoice.paid", "subscription.changed", "wallet.credited"]
    assert (began[0][1]["total_minor"], began[1][1]["what"], began[1][1]["plan"]) == (1_000, "started", "starter")

    clock.set(clock.now.replace(month=4))
    renew.renew_due(sessionmaker(engine, expire_on_commit=False), {})

    failed = told()
    assert [kind for kind, _ in failed] == ["payment.failed", "subscription.changed"]
    assert (failed[0][1]["for"], failed[1][1]["status"]) == ("invoice", "past_due")


def test_a_plan_by_card(cardholder: Cardholder, told: Any) -> None:
    cardholder.subscribes()
    cardholder.hears()

    kinds = [kind for kind, _ in told()]
    assert kinds.count("invoice.paid") == 1
    assert "subscription.changed" in kinds

    cardholder.cancels()
    cardholder.hears()
    assert [data["cancel_at_period_end"] for kind, data in told() if kind == "subscription.changed"] == [True]


def test_a_purchase_nobody_paid_for(session: Session, ada: Person, told: Any) -> None:
    how = {"amount_minor": 5_000, "currency": "usd", "channel": "stripe", "form_key": "a", "created_by": ada.id}
    with transaction(session):
        order = orders.open_order(session, customer_id=ada.customer_id, **how)
        orders.move(session, order, "failed", failure="Your bank said no.")
        orders.move(session, order, "failed", failure="Your bank said no.")

    found = [data for kind, data in told() if kind == "payment.failed"]
    assert [(data["for"], data["order"], data["reason"]) for data in found] == [
        ("topup", order.id, "Your bank said no.")
    ]


def test_what_is_taken_back_is_not_told(session: Session, ada: Person, told: Any) -> None:
    with pytest.raises(RuntimeError), transaction(session):
        order_of = {"currency": "usd", "channel": "stripe", "form_key": "b", "created_by": ada.id}
        order = orders.open_order(session, customer_id=ada.customer_id, amount_minor=5_000, **order_of)
        orders.move(session, order, "failed", failure="Your bank said no.")
        raise RuntimeError

    assert [kind for kind, _ in told() if kind == "payment.failed"] == []
