"""`/v1/billing` and the calls that begin, change and end a subscription (SPEC §12.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from flask import Response
from pydantic import Field, model_validator

from app.api import calls, channels, subscribing
from app.api.billing_state import BillingAnswer, PreviewAnswer, StateAnswer, card, facts, preview
from app.api.values import Answer, Body, ChannelName, OptionalBody, Query
from app.catalogue import plan_keys, reads
from app.entitlements import excess
from app.errors import Invalid, ProviderDown
from app.extensions import db
from app.flows import cancel_plan, cards, change_plan, pay_by, retry_payment
from app.providers import registry
from app.providers.values import Cap, Card
from app.subscriptions import standing

subscriptions = calls.group("api_subscriptions", "Subscription", "The plan of a customer: begin, change and end it.")

PlanName = Field(min_length=1, max_length=40, description="A plan's key.", examples=["STARTER"])
IntervalName = Field(default=None, description="How often it is paid: month unless it says year.", examples=["month"])


class Subscribe(Body):
    """Either `tier`, or `plan` with what pays. With a saved card or enough in the wallet it is done at once."""

    tier: str | None = Field(
        default=None, min_length=1, max_length=40, description="The plan's key, by its other name."
    )
    plan: str | None = Field(
        default=None, min_length=1, max_length=40, description="The plan's key.", examples=["STARTER"]
    )
    paymentMethod: Literal["WALLET", "CARD"] | None = Field(default=None, examples=["WALLET"])  # noqa: N815  # SPEC's name
    stripePaymentMethodId: str | None = Field(  # noqa: N815
        default=None, min_length=1, max_length=200, description="A saved card other than the default."
    )
    interval: Literal["month", "year"] | None = IntervalName
    coupon: str | None = Field(default=None, min_length=1, max_length=40)
    channel: str | None = ChannelName

    @model_validator(mode="after")
    def _one_plan(self) -> Subscribe:
        if (self.tier is None) == (self.plan is None):
            raise Invalid("Name the plan, as `plan` or as `tier`.", field="plan")
        if self.stripePaymentMethodId is not None and self.paymentMethod != "CARD":
            raise Invalid("A card is only used with paymentMethod CARD.", field="stripePaymentMethodId")
        return self


class Checkout(Body):
    plan: str = PlanName
    interval: Literal["month", "year"] | None = IntervalName
    coupon: str | None = Field(default=None, min_length=1, max_length=40)
    channel: str | None = ChannelName


class ChangePlan(Body):
    """`change_id` of a preview charges exactly what it said; without it the price is that of this moment."""

    plan: str = PlanName
    interval: Literal["month", "year"] | None = IntervalName
    change_id: str | None = Field(default=None, min_length=1, max_length=64, description="Of a preview.")


class PreviewQuery(Query):
    plan: str = Field(min_length=1, max_length=40, description="A plan's key.")
    interval: Literal["month", "year"] | None = Field(default=None, description="How often it is to be paid.")


class Cancel(OptionalBody):
    when: Literal["period_end", "now"] = Field(
        default="period_end", description="`now` ends access and pays back what is not used of the period."
    )
    reason: str | None = Field(default=None, min_length=1, max_length=40, examples=["too_expensive"])


class PayBy(Body):
    paymentMethod: Literal["WALLET", "CARD"] = Field(examples=["WALLET"])  # noqa: N815  # SPEC's name


class UrlAnswer(Answer):
    """Where the customer goes on."""

    url: str = Field(examples=["https://checkout.stripe.com/c/pay/cs_test_a1"])


class RetryAnswer(Answer):
    """What came of trying again to be paid for the oldest invoice whose payment failed."""

    invoice_id: str | None = Field(examples=["inv_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    status: str = Field(description="paid, processing, failed, action_required, or nothing_due.", examples=["paid"])
    message: str = Field(examples=["Your card was declined."])
    url: str | None = Field(description="Where the customer confirms the payment, if they must.")


@subscriptions.get("/v1/billing", responses={200: BillingAnswer})
@calls.call("billing:read")
def show() -> Response:
    """The plan, what pays for it, and what will change"""
    told = _facts()
    db.session.rollback()  # the provider is asked without a connection in hand
    try:
        saved, known = _default_card(), True
    except ProviderDown:
        saved, known = None, False
    return calls.reply(BillingAnswer(**told, saved_payment_method=card(saved), provider_available=known))


@subscriptions.post("/v1/billing/subscribe", responses={200: StateAnswer})
@calls.call("billing:write", keyed=True, pays=True)
def subscribe(body: Subscribe) -> Response:
    """Subscribe, or change the plan of who is subscribed

    With a card on file or enough in the wallet it is done at once. Otherwise the answer is 402, and `checkout_url` in
    its details is the page to pay on.
    """
    wanted = subscribing.Wanted(
        body.plan or body.tier or "",
        body.interval or "month",
        body.paymentMethod,
        body.stripePaymentMethodId,
        body.coupon,
        body.channel,
    )
    return _done("subscribe", body, lambda key: subscribing.begin_or_change(wanted, key))


@subscriptions.post("/v1/billing/checkout", responses={200: UrlAnswer})
@calls.call("billing:write", keyed=True)
def checkout(body: Checkout) -> Response:
    """The page of the provider on which to subscribe"""
    key = calls.key()

    def open_page() -> Answer:
        every = body.interval or "month"
        url = subscribing.checkout_url(body.plan, every, key, coupon=body.coupon, channel=body.channel)
        return UrlAnswer(url=url)

    return calls.answer_once(["checkout", body.model_dump()], key, open_page)


@subscriptions.get("/v1/billing/change-plan/preview", responses={200: PreviewAnswer})
@calls.call("billing:read")
def preview_change(query: PreviewQuery) -> Response:
    """What changing the plan would cost, to the cent, for the next ten minutes"""
    shown = subscribing.preview(query.plan, query.interval)
    session = db.session()
    after = reads.version_of(session, shown.plan_id, shown.version)
    exceeds = excess.over(session, calls.customer_id(), after)
    return calls.reply(preview(shown, plan_keys.by_id(session), exceeds))


@subscriptions.post("/v1/billing/change-plan", responses={200: StateAnswer})
@calls.call("billing:write", keyed=True, pays=True)
def change(body: ChangePlan) -> Response:
    """Change the plan: upgrades at once and paid for, downgrades at the end of the period"""

    def confirm(_key: str) -> None:
        if body.change_id is not None:
            subscribing.expect(body.change_id, body.plan, body.interval)
        subscribing.confirm(body.change_id or subscribing.preview(body.plan, body.interval).id)

    return _done("change-plan", body, confirm)


@subscriptions.delete("/v1/billing/change-plan", responses={200: StateAnswer})
@calls.call("billing:write")
def undo_change() -> Response:
    """Take back the change that waits"""
    change_plan.undo(*subscribing.who(), actor=subscribing.actor())
    return calls.reply(StateAnswer(**_facts()))


@subscriptions.post("/v1/billing/cancel", responses={200: StateAnswer})
@calls.call("billing:write", keyed=True)
def cancel(body: Cancel) -> Response:
    """Cancel at the end of the period, or now"""
    return _cancelled(body)


@subscriptions.post("/v1/billing/cancel-subscription", responses={200: StateAnswer})
@calls.call("billing:write", keyed=True)
def cancel_subscription(body: Cancel) -> Response:
    """Cancel at the end of the period, or now: the same call by its other name"""
    return _cancelled(body)


@subscriptions.post("/v1/billing/resume", responses={200: StateAnswer})
@calls.call("billing:write", keyed=True)
def resume() -> Response:
    """Take a cancellation back, before it takes effect"""
    return _done("resume", None, lambda _key: cancel_plan.resume(*subscribing.who(), actor=subscribing.actor()))


@subscriptions.post("/v1/billing/change-payment-method", responses={200: StateAnswer})
@calls.call("billing:write", keyed=True)
def change_payment_method(body: PayBy) -> Response:
    """Pay the next periods from the wallet, or by card"""
    to: Literal["wallet", "card"] = "wallet" if body.paymentMethod == "WALLET" else "card"
    return _done("pay-by", body, lambda _key: pay_by.switch(*subscribing.who(), to, actor=subscribing.actor()))


@subscriptions.post("/v1/billing/retry-payment", responses={200: RetryAnswer})
@calls.call("billing:write", keyed=True)
def retry() -> Response:
    """Try again to be paid for the oldest open invoice"""

    def try_again() -> Answer:
        outcome = retry_payment.retry(*subscribing.who(), actor=subscribing.actor())
        return RetryAnswer(
            invoice_id=outcome.invoice_id,
            status=outcome.state,
            message=outcome.reason or outcome.sentence,
            url=outcome.url,
        )

    return calls.answer_once(["retry-payment"], calls.key(), try_again)


def _done(call: str, body: Body | None, do: Callable[[str], object]) -> Response:
    """Do it once under the request's key; the answer is the state it led to."""
    key = calls.key()

    def once() -> Answer:
        do(key)
        return StateAnswer(**_facts())

    return calls.answer_once([call, body.model_dump() if body else None], key, once)


def _cancelled(body: Cancel) -> Response:
    how = cancel_plan.now if body.when == "now" else cancel_plan.at_period_end
    return _done("cancel", body, lambda _key: how(*subscribing.who(), reason=body.reason, actor=subscribing.actor()))


def _facts() -> dict[str, Any]:
    db.session.rollback()  # what a flow did is read as it is now
    return facts(standing.of(db.session(), calls.customer_id()), plan_keys.by_id(db.session()))


def _default_card() -> Card | None:
    provider = registry.able(channels.all_of_them(), Cap.SAVED_CARDS)
    if provider is None:
        return None
    return cards.default_of(cards.listed(db.session(), provider, calls.customer_id()))
