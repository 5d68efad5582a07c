"""Saved cards and the provider's portal by API: `/v1/billing/setup-intent`, `payment-method`, `portal` (SPEC §12.1)."""

from __future__ import annotations

from flask import Response
from pydantic import Field

from app.api import calls, channels, subscribing
from app.api.billing_state import SavedCard, card
from app.api.subscriptions import UrlAnswer
from app.api.values import Answer, Body, OptionalBody
from app.errors import NotFound
from app.extensions import db
from app.flows import cards
from app.http import return_urls

payment_methods = calls.group("api_payment_methods", "Payment methods", "Cards, which the provider keeps.")

ReturnUrl = Field(
    default=None,
    min_length=1,
    max_length=return_urls.LONGEST,
    description="Where the page's way back leads: an address here, or at an origin the operator has listed.",
    examples=["/plan"],
)


class KeepCard(Body):
    paymentMethodId: str = Field(min_length=1, max_length=200, examples=["pm_1S42"])  # noqa: N815  # SPEC's name


class OpenPortal(OptionalBody):
    returnUrl: str | None = ReturnUrl  # noqa: N815


class SetupAnswer(Answer):
    """What the browser needs to save a card with the provider directly."""

    clientSecret: str = Field(examples=["seti_1S42_secret_x"])  # noqa: N815


class CardAnswer(Answer):
    """The card that is charged from now on; null for none."""

    payment_method: SavedCard | None


@payment_methods.post("/v1/billing/setup-intent", responses={200: SetupAnswer})
@calls.call("billing:write", keyed=True)
def setup() -> Response:
    """Begin to save a card: the browser sends its number to the provider, never here"""
    key = calls.key()

    def begin() -> Answer:
        made = cards.setup(db.session(), channels.keeper(), subscribing.customer(), form_key=subscribing.form_key(key))
        return SetupAnswer(clientSecret=made.client_secret)

    return calls.answer_once(["setup-intent"], key, begin)


@payment_methods.post("/v1/billing/payment-method", responses={200: CardAnswer})
@calls.call("billing:write")
def keep(body: KeepCard) -> Response:
    """Charge this saved card from now on"""
    chosen = cards.make_default(
        db.session(), channels.keeper(), calls.customer_id(), body.paymentMethodId, actor=subscribing.actor()
    )
    return calls.reply(CardAnswer(payment_method=card(chosen)))


@payment_methods.delete("/v1/billing/payment-method", responses={200: CardAnswer})
@calls.call("billing:write")
def remove() -> Response:
    """Have the provider forget the card that is charged; if there is another, it takes its place"""
    provider, session, customer_id = channels.keeper(), db.session(), calls.customer_id()
    charged = cards.default_of(cards.listed(session, provider, customer_id))
    if charged is None:
        raise NotFound("There is no saved card.")
    cards.remove(session, provider, customer_id, charged.id, actor=subscribing.actor())
    return calls.reply(CardAnswer(payment_method=card(cards.default_of(cards.listed(session, provider, customer_id)))))


@payment_methods.post("/v1/billing/portal", responses={200: UrlAnswer})
@calls.call("billing:write")
def portal(body: OpenPortal) -> Response:
    """The provider's own self-service page, for this one visit"""
    back = return_urls.checked(body.returnUrl, "returnUrl", calls.settings(), default="/payment-methods")
    url = cards.portal(db.session(), subscribing.with_page(), subscribing.customer(), return_url=back)
    return calls.reply(UrlAnswer(url=url))
