"""What the tests of Polar's adapter have there: `who` buys, `polar_plan` is a price, `polar_sub` a subscription."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.money import Money
from app.providers.values import CheckoutRequest, CustomerRef, PlanRef
from tests.support.doubles.polar.server import Running


@pytest.fixture
def who(polarised: Any) -> CustomerRef:
    return known(polarised)


def known(adapter: Any, customer_id: str = "cus_1", email: str = "ada@example.com") -> CustomerRef:
    return adapter.ensure_customer(customer_id=customer_id, email=email, name="Ada", key="k")


def topup(who: CustomerRef, **more: Any) -> CheckoutRequest:
    wanted = {"order_id": "ord_1", "kind": "topup", "customer": who, "title": "Wallet top-up"}
    urls = {"success_url": "https://purser.example/done", "cancel_url": "https://purser.example/left"}
    return CheckoutRequest(**{"amount": Money(5000, "usd"), **wanted, **urls, **more})


@pytest.fixture
def polar_plan(polarised: Any) -> Callable[..., PlanRef]:
    def price(key: str, dollars: int, interval: Any = "month") -> PlanRef:
        money = Money(dollars * 100, "usd")
        found = polarised.ensure_price(plan=key, version=1, interval=interval, price=money, name=key.title(), key="k")
        return PlanRef(key, interval, money, found, 1)

    return price


@pytest.fixture
def polar_sub(polar: Running, polarised: Any, who: CustomerRef, polar_plan: Callable[..., PlanRef]) -> Any:
    wanted = topup(who, kind="subscription", amount=None, plan=polar_plan("starter", 30))
    page = polarised.create_checkout(wanted, key="k")
    order = polar.books.pays(page.id)
    return polarised.get_subscription(order["subscription_id"])
