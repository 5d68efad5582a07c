"""`POST /payment/create-session` and `POST /subscription/portal`, in the envelope of SPEC §12.2."""

from __future__ import annotations

from typing import Literal

from flask import Response
from pydantic import Field

from app.api import calls, channels, subscribing, top_ups
from app.api.subscriptions import IntervalName, UrlAnswer
from app.api.values import Answer, Body, OptionalBody, TopUpCents
from app.catalogue import packs, plan_keys
from app.catalogue.packs import PackNotForSale
from app.errors import Invalid, NotFound, ProviderDown
from app.extensions import db
from app.flows import buy_pack, cards, sold_by
from app.flows.top_up import ORDER_IN_URL
from app.http import limits, return_urls
from app.payments import Order
from app.providers.port import Provider

PAGE_AFTER_PACK = f"/invoices/orders/{ORDER_IN_URL}"

payment_sessions = calls.group("api_sessions", "Payment pages", "Pages of a provider to send the customer to.")

Url = Field(
    default=None,
    min_length=1,
    max_length=return_urls.LONGEST,
    description="An address here, or at an origin the operator has listed.",
    examples=["/plan"],
)


class CreateSession(Body):
    """`plan_id` for a subscription, `pack_id` for a credit pack, `amount_cents` for a top-up."""

    channel: str = Field(min_length=1, max_length=40, examples=["stripe"])
    type: Literal["subscription", "credit_pack", "topup"] = Field(examples=["subscription"])
    plan_id: str | None = Field(
        default=None, min_length=1, max_length=64, description="A plan's id or key; a pack's key may stand here too."
    )
    pack_id: str | None = Field(default=None, min_length=1, max_length=64, description="A credit pack's key.")
    interval: Literal["month", "year"] | None = IntervalName
    amount_cents: TopUpCents | None = Field(default=None, description="10.00 to 10,000.00 in cents.")
    coupon: str | None = Field(default=None, min_length=1, max_length=40, description="For a credit pack.")
    success_url: str | None = Url
    cancel_url: str | None = Url


class OpenSubscriptionPortal(OptionalBody):
    return_url: str | None = Url


class EnvelopedUrl(Answer):
    """Where the customer goes on."""

    success: Literal[True] = True
    data: UrlAnswer


@payment_sessions.post("/payment/create-session", responses={200: EnvelopedUrl})
@calls.call("billing:write", keyed=True)
def create(body: CreateSession) -> Response:
    """The page of a provider on which to pay"""
    pages = {"subscription": _subscription, "credit_pack": _pack, "topup": _top_up}
    key, open_page = calls.key(), pages[body.type]
    if body.type != "credit_pack":
        _refuse_fields(body, "pack_id", "coupon")
    return calls.answer_once(["create-session", body.model_dump()], key, lambda: _told(open_page(body, key)))


@payment_sessions.post("/subscription/portal", responses={200: EnvelopedUrl})
@calls.call("billing:write")
def portal(body: OpenSubscriptionPortal) -> Response:
    """The provider's own self-service page, for this one visit"""
    back = return_urls.checked(body.return_url, "return_url", calls.settings(), default="/payment-methods")
    return calls.reply(
        _told(cards.portal(db.session(), subscribing.with_page(), subscribing.customer(), return_url=back))
    )


def _told(url: str) -> EnvelopedUrl:
    return EnvelopedUrl(data=UrlAnswer(url=url))


def _subscription(body: CreateSession, key: str) -> str:
    if body.plan_id is None:
        raise Invalid("Name the plan to subscribe to.", field="plan_id")
    if body.amount_cents is not None:
        raise Invalid("A plan has its own price.", field="amount_cents")
    return subscribing.checkout_url(
        _plan_key(body.plan_id),
        body.interval or "month",
        key,
        channel=body.channel,
        return_url=_checked(body.success_url, "success_url", subscribing.PAGE_AFTER_CHECKOUT),
        cancel_url=_checked(body.cancel_url, "cancel_url", "/plan"),
    )


def _pack(body: CreateSession, key: str) -> str:
    limits.spend("topup.customer", calls.customer_id())
    _refuse_fields(body, "amount_cents", "interval")
    named = body.pack_id or body.plan_id
    if named is None:
        raise Invalid("Name the pack to buy.", field="pack_id")
    if body.pack_id is not None and body.plan_id not in (None, body.pack_id):
        raise Invalid("A pack is of no plan.", field="plan_id")
    success = _checked(body.success_url, "success_url", PAGE_AFTER_PACK)
    wish = buy_pack.Wish(
        pack_key=named,
        form_key=subscribing.form_key(key),
        actor=subscribing.actor(),
        success_url=success,
        cancel_url=_checked(body.cancel_url, "cancel_url", "/credits"),
        coupon=body.coupon,
        others=channels.all_of_them(),
    )
    sellers = _sellers(named)
    try:
        with channels.telling(sellers):
            order = buy_pack.start(db.session(), channels.through(sellers, body.channel), subscribing.customer(), wish)
    except (NotFound, PackNotForSale) as refusal:
        raise type(refusal)(refusal.sentence, field="pack_id") from refusal
    if order.state == "paid":  # a coupon paid for it: there is no page, so the way leads on
        return str(order.request["success_url"])
    return _open(order)


def _sellers(pack: str) -> list[Provider]:
    """The channels that sell this pack."""
    try:
        return sold_by.of_pack(channels.all_of_them(), packs.for_sale(db.session(), pack))
    except (NotFound, PackNotForSale):
        return []  # the flow says so, in its turn
    finally:
        db.session.rollback()  # a provider is asked next


def _refuse_fields(body: CreateSession, *names: str) -> None:
    """Raises Invalid for a field that says nothing about what is bought."""
    for name in names:
        if getattr(body, name) is not None:
            raise Invalid(f"This is not for a {body.type.replace('_', ' ')}.", field=name)


def _top_up(body: CreateSession, key: str) -> str:
    limits.spend("topup.customer", calls.customer_id())
    if body.amount_cents is None:
        raise Invalid("Say how much to pay in.", field="amount_cents")
    if body.plan_id is not None:
        raise Invalid("A top-up is for no plan.", field="plan_id")
    order = top_ups.start(
        key,
        body.amount_cents,
        channel=body.channel,
        return_url=_checked(body.success_url, "success_url", top_ups.PAGE_AFTER_PAYING),
        cancel_url=_checked(body.cancel_url, "cancel_url", "/wallet"),
    )
    return _open(order)


def _open(order: Order) -> str:
    if order.checkout_url is None:
        raise ProviderDown("The payment page is not open. Send the request again with another key.", retry_after=2)
    return order.checkout_url


def _plan_key(named: str) -> str:
    """The key of a plan named by its id (as `/subscription/plans` lists it) or by its key."""
    found = plan_keys.named(db.session(), named, "plan_id")
    db.session.rollback()  # a provider is asked next
    return found


def _checked(url: str | None, field: str, default: str) -> str:
    return return_urls.checked(url, field, calls.settings(), default=default)
