"""The two calls that start a top-up: `/v1/billing/topup` (SPEC §12.1) and `/api/wallet/topup` (§12.3)."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from flask import Response, current_app
from pydantic import Field

from app.api import calls
from app.api.values import Answer, Body, TopUpCents
from app.customers import customers
from app.errors import NotFound, ProviderDown
from app.extensions import db
from app.flows import top_up
from app.http import limits
from app.payments import Order
from app.providers import registry
from app.providers.port import Provider

top_ups = calls.group("api_top_ups", "Top-ups", "Start a payment into the wallet on a provider's hosted page.")


class TopUp(Body):
    amount_cents: TopUpCents = Field(description="10.00 to 10,000.00 in cents.", examples=[5000])


class HostTopUp(Body):
    amountCents: TopUpCents = Field(description="10.00 to 10,000.00 in cents.", examples=[1000])  # noqa: N815  # SPEC's name


class TopUpAnswer(Answer):
    """Where the customer pays. The wallet is credited when the provider says that they did."""

    checkout_url: str = Field(examples=["https://checkout.stripe.com/c/pay/cs_test_a1"])
    session_id: str = Field(examples=["cs_test_a1"])


class HostTopUpAnswer(Answer):
    """Where the customer pays."""

    url: str = Field(examples=["https://checkout.stripe.com/c/pay/cs_test_a1"])


@top_ups.post("/v1/billing/topup", responses={200: TopUpAnswer})
@calls.call("billing:write", keyed=True)
def create(body: TopUp) -> Response:
    """Start a top-up

    Answers the address of the provider's page. Nothing is credited before the provider confirms the payment.
    """
    return _once(
        "topup", body.amount_cents, lambda order: TopUpAnswer(checkout_url=_page(order), session_id=_ref(order))
    )


@top_ups.post("/api/wallet/topup", responses={200: HostTopUpAnswer})
@calls.call("billing:write", keyed=True)
def create_for_host(body: HostTopUp) -> Response:
    """Start a top-up, as hosting dashboards ask for it"""
    return _once("wallet/topup", body.amountCents, lambda order: HostTopUpAnswer(url=_page(order)))


def _once(call: str, amount_minor: int, tell: Callable[[Order], Answer]) -> Response:
    limits.spend("topup.customer", calls.customer_id())
    key = calls.key()
    return calls.answer_once([call, amount_minor], key, lambda: tell(_start(key, amount_minor)))


def _start(key: str, amount_minor: int) -> Order:
    customer = customers.by_id(db.session, calls.customer_id())
    if customer is None:
        raise NotFound("There is no such customer.")
    base = calls.settings().base_url
    return top_up.start(
        db.session,
        _provider(),
        customer,
        amount_minor,
        form_key="api:" + sha256(key.encode()).hexdigest(),  # the same order, should we die before the answer is kept
        return_url=f"{base}/wallet/topups/{top_up.ORDER_IN_URL}",
        cancel_url=f"{base}/wallet",
        actor=calls.caller().key_id,
        currency=calls.currency(),
    )


def _provider() -> Provider:
    """The default channel. Raises ProviderDown while none is configured."""
    chosen = registry.default(current_app.extensions["providers"])
    if chosen is None:
        raise ProviderDown("No payment provider is set up, so nothing can be paid in.")
    return chosen


def _page(order: Order) -> str:
    return _there(order.checkout_url)


def _ref(order: Order) -> str:
    return _there(order.provider_ref)


def _there(value: Any) -> str:
    if value is None:
        raise ProviderDown("The payment page is not open yet. Try again in a moment.", retry_after=2)
    return str(value)
