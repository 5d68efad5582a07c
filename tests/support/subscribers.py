"""A subscriber at the sandbox, seen through the real adapter: what its tests begin with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from app.money import Money
from app.providers.billing import SubscriptionState
from app.providers.values import CustomerRef, PlanRef
from app.sandbox.server import Running

GOOD, FAILS_LATER, ALWAYS_ASKS = "pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"
DAY = 86_400


@pytest.fixture
def customer(stripe: Any) -> CustomerRef:
    return stripe.ensure_customer(customer_id="cus_1", email="ada@example.com", name="Ada", key="cus_1:customer")


@pytest.fixture
def plan(stripe: Any) -> Callable[..., PlanRef]:
    def price(key: str, dollars: int, interval: Any = "month", version: int = 1) -> PlanRef:
        money = Money(dollars * 100, "usd")
        found = stripe.ensure_price(
            plan=key, version=version, interval=interval, price=money, name=key.title(), key=f"price:{key}"
        )
        return PlanRef(key, interval, money, found, version)

    return price


@pytest.fixture
def starter(plan: Callable[..., PlanRef]) -> PlanRef:
    return plan("starter", 30)


@pytest.fixture
def growth(plan: Callable[..., PlanRef]) -> PlanRef:
    return plan("growth", 90)


@pytest.fixture
def card(stripe: Any, customer: CustomerRef) -> Callable[..., str]:
    """A saved card; its id."""

    def save(alias: str = GOOD) -> str:
        saved = stripe._stripe.call(lambda v1: v1.payment_methods.attach(alias, {"customer": customer.id}))
        return str(saved["id"])

    return save


@pytest.fixture
def subscribed(stripe: Any, customer: CustomerRef, starter: PlanRef, card: Callable[..., str]) -> SubscriptionState:
    state, redirect = start(stripe, customer, starter, card())
    assert redirect is None
    return state


def start(stripe: Any, customer: CustomerRef, plan: PlanRef, card_id: str | None, **more: Any) -> Any:
    wanted = {"starts_paid_at": None, "metadata": {"order": "ord_1"}, "discount": None, "key": "start", **more}
    return stripe.start_subscription(customer, plan, card_id=card_id, **wanted)


def sandbox_now(sandbox: Running) -> datetime:
    return datetime.fromtimestamp(sandbox.sandbox.clock.now(), UTC)


def newest(stripe: Any, customer: CustomerRef) -> Any:
    invoices, _ = stripe.list_invoices(customer, cursor=None, limit=1)
    return stripe.get_invoice(invoices[0].id)
