"""The two calls that start a top-up: `/v1/billing/topup` (SPEC §12.1) and `/api/wallet/topup` (§12.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response
from pydantic import Field

from app.api import calls, channels, subscribing
from app.api.values import Answer, Body, ChannelName, TopUpCents
from app.errors import ProviderDown
from app.extensions import db
from app.flows import sold_by, top_up
from app.http import limits
from app.payments import Order

top_ups = calls.group("api_top_ups", "Top-ups", "Start a payment into the wallet on a provider's hosted page.")

PAGE_AFTER_PAYING = f"/wallet/topups/{top_up.ORDER_IN_URL}"


class TopUp(Body):
    amount_cents: TopUpCents = Field(description="10.00 to 10,000.00 in cents.", examples=[5000])
    channel: str | None = ChannelName


class HostTopUp(Body):
    amountCents: TopUpCents = Field(description="10.00 to 10,000.00 in cents.", examples=[1000])  # noqa: N815  # SPEC's name
    channel: str | None = ChannelName


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
    wanted = ["topup", body.amount_cents, body.channel]
    return _once(wanted, lambda order: TopUpAnswer(checkout_url=_page(order), session_id=_ref(order)))


@top_ups.post("/api/wallet/topup", responses={200: HostTopUpAnswer})
@calls.call("billing:write", keyed=True)
def create_for_host(body: HostTopUp) -> Response:
    """Start a top-up, as hosting dashboards ask for it"""
    wanted = ["wallet/topup", body.amountCents, body.channel]
    return _once(wanted, lambda order: HostTopUpAnswer(url=_page(order)))


def _once(wanted: list[Any], tell: Callable[[Order], Answer]) -> Response:
    limits.spend("topup.customer", calls.customer_id())
    key, (_, amount_minor, channel) = calls.key(), wanted
    return calls.answer_once(wanted, key, lambda: tell(start(key, amount_minor, channel=channel)))


def start(
    key: str,
    amount_minor: int,
    *,
    channel: str | None = None,
    return_url: str | None = None,
    cancel_url: str | None = None,
) -> Order:
    """The top-up of this request's key, through the first channel that can unless one is named. Raises as the flow."""
    base, sellers = calls.settings().base_url, sold_by.of_top_ups(channels.all_of_them())
    with channels.telling(sellers):
        return top_up.start(
            db.session(),
            channels.through(sellers, channel),
            subscribing.customer(),
            amount_minor,
            form_key=subscribing.form_key(key),
            return_url=return_url or base + PAGE_AFTER_PAYING,
            cancel_url=cancel_url or base + "/wallet",
            actor=subscribing.actor(),
            currency=calls.currency(),
        )


def _page(order: Order) -> str:
    return _there(order.checkout_url)


def _ref(order: Order) -> str:
    return _there(order.provider_ref)


def _there(value: Any) -> str:
    if value is None:
        raise ProviderDown("The payment page is not open yet. Try again in a moment.", retry_after=2)
    return str(value)
