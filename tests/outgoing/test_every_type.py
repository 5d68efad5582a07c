"""Every type of SPEC §12.4 is emitted by what it tells of, with the fields that docs/webhooks.md promises."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from app.coupons import issue, redemptions
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.flows import renew
from app.money import Money
from app.outgoing import EVENT_TYPES, endpoints
from app.outgoing.models import WebhookEvent
from app.payments import orders
from app.wallet import low, topups
from tests.support.plans import Subscriber
from tests.support.time import Clock
from tests.support.usage import BOTH_MODES, User

OF_SPEC = {
    "usage.threshold_reached", "wallet.low", "wallet.credited",
    "subscription.changed", "invoice.paid", "payment.failed",
}  # fmt: skip
DOCUMENT = Path(__file__).parents[2] / "docs/webhooks.md"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


class Host:
    """What the host product would have been told, in no order: neither has it one."""

    def __init__(self, session: Session) -> None:
        self.session = session
        with transaction(session):
            endpoints.open_endpoint(session, "https://example.com/", (), private=False, actor="system")

    def heard(self, event_type: str) -> list[dict[str, object]]:
        self.session.rollback()
        found = select(WebhookEvent.body).where(WebhookEvent.type == event_type)
        return [json.loads(body)["data"] for body in self.session.scalars(found)]


@pytest.fixture
def told(session: Session) -> Host:
    return Host(session)


def promised(event_type: str) -> set[str]:
    """The fields that the document names for a type, leaving out the values in parentheses."""
    row = next(line for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| `{event_type}`"))
    return {"customer", "external_id", *re.findall(r"`([a-z_]+)`", re.sub(r"\([^)]*\)", "", row.split("|")[3]))}


def test_the_table_has_the_types_of_the_specification() -> None:
    assert set(EVENT_TYPES) == OF_SPEC


def test_a_threshold_of_usage(told: Host, user: User, catalogue: Callable[[str], None]) -> None:
    catalogue(BOTH_MODES)
    user.uses("views", 799)
    assert told.heard("usage.threshold_reached") == []

    user.uses("views", 201)

    heard = told.heard("usage.threshold_reached")
    assert {(data["kind"], data["percent"]) for data in heard} == {("usage_threshold", 80), ("usage_exhausted", 100)}
    assert all(promised("usage.threshold_reached") <= set(data) for data in heard)


def test_a_low_wallet(told: Host, user: User) -> None:
    user.has(20_000_000)
    with transaction(user.session):
        low.look(user.session, user.customer_id, currency="usd")
    assert told.heard("wallet.low") == []
    user.has(4_990_000)

    with transaction(user.session):
        assert low.look(user.session, user.customer_id, currency="usd")

    [data] = told.heard("wallet.low")
    assert promised("wallet.low") <= set(data)
    assert (data["available_micros"], data["threshold_micros"]) == (4_990_000, 5_000_000)


def test_money_in_by_staff_by_a_payment_and_by_a_coupon(told: Host, user: User) -> None:
    user.person.gets(100)
    session, how = user.session, {"currency": "usd", "channel": "stripe", "form_key": "a", "created_by": "usr_1"}
    with transaction(session):
        order = orders.open_order(session, customer_id=user.customer_id, amount_minor=5_000, **how)
        topups.credit(session, order, payment_id="pi_1", channel="stripe")
        terms = Terms("EXTRA", "percent", 20, Limits("20 % on top"), scope={"topups": True})
        issue.make(session, terms, actor="system")
        price = Money(5_000, "usd")
        redemptions.reserve(session, "EXTRA", customer_id=user.customer_id, what="topup", price=price, key=order.id)
        redemptions.redeem(session, user.customer_id, order.id)

    heard = told.heard("wallet.credited")
    assert {(data["type"], data["amount_micros"]) for data in heard} == {
        ("credit", 5_000_000),  # the welcome
        ("adjustment", 1_000_000),
        ("topup", 50_000_000),
        ("credit", 10_000_000),
    }
    assert all(set(data) == promised("wallet.credited") for data in heard)


def test_a_plan_that_begins_is_paid_and_fails(told: Host, subscriber: Subscriber, engine: Engine, clock: Clock) -> None:
    subscriber.gets(1_000)
    subscriber.subscribes()
    clock.set(clock.now.replace(month=4))
    renew.renew_due(sessionmaker(engine, expire_on_commit=False), {})

    changed, paid, failed = map(told.heard, ("subscription.changed", "invoice.paid", "payment.failed"))
    assert {(data["what"], data["status"]) for data in changed} == {("started", "active"), ("past_due", "past_due")}
    assert all(set(data) == promised("subscription.changed") for data in changed)
    assert [set(data) for data in paid] == [promised("invoice.paid")]
    assert [set(data) for data in failed] == [promised("invoice.paid") | {"for", "reason", "next_attempt_at"}]


def test_a_purchase_that_was_not_paid(told: Host, user: User) -> None:
    session, how = user.session, {"currency": "usd", "channel": "stripe", "form_key": "a", "created_by": "usr_1"}
    with transaction(session):
        order = orders.open_order(session, customer_id=user.customer_id, amount_minor=5_000, **how)
        orders.move(session, order, "failed", failure="Your bank said no.")

    [data] = told.heard("payment.failed")
    assert set(data) == promised("payment.failed") - {"next_attempt_at"}
