"""Cards, which the provider keeps: saving one, choosing which is charged, taking one away (SPEC P12, P13).

The provider's list is the truth and is asked each time. One card is the default, and whatever the provider charges by
itself follows it: a subscription has no card of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from app import activity, errors
from app.db import transaction
from app.flows import dunning, follow, payer
from app.flows.payer import Payer
from app.payments import card_pages, customers, known_cards
from app.payments.models import CardPage
from app.providers import port
from app.providers.errors import InvalidRequest, NotFound, ProviderError
from app.providers.events import CardChanged, CheckoutExpired, Event
from app.providers.port import Provider
from app.providers.values import Card, CheckoutRequest, CustomerRef, SetupSecret
from app.subscriptions import standing

PAGE_IN_URL = "{page}"  # stands in a return URL for the id the page is about to get


class CardNeeded(errors.Conflict):
    """The plan is paid by this card and there is no other. Details: plan, the name of what it pays."""

    code = "CARD_NEEDED"


def listed(session: Session, provider: Provider, customer_id: str) -> list[Card]:
    """The customer's cards, the default first. Raises UnsupportedByChannel, ProviderDown."""
    with _asking(provider):
        found = _cards(session, provider, customer_id)
    with transaction(session):
        known_cards.learn(session, customer_id, provider.name, found)
    return found


def default_of(cards: Sequence[Card]) -> Card | None:
    """The one that is charged when no other is named."""
    return next((card for card in cards if card.is_default), None)


def open_page(
    session: Session,
    provider: Provider,
    customer: Payer,
    *,
    form_key: str,
    return_url: str,
    actor: str,
    currency: str = "usd",
) -> CardPage:
    """The provider's page for entering a card, its address in `url`; the same form leads to the same page.

    `return_url` may hold `{page}` for the page's id. Raises UnsupportedByChannel, and ProviderDown, after which the
    same call may simply be made again.
    """
    port.cards_of(provider)
    with transaction(session):
        page = card_pages.open_page(
            session, customer_id=customer.id, channel=provider.name, form_key=form_key, created_by=actor
        )
        if page.state != "pending":
            return page
        page_id, key, attempt = page.id, card_pages.key_of(page), page.attempt
    back = return_url.replace(PAGE_IN_URL, page_id)
    with _asking(provider):
        try:
            wanted = CheckoutRequest(
                order_id=page_id,
                kind="save_card",
                customer=payer.known(session, provider, customer, attempt=attempt),
                title="Card",
                success_url=back,
                cancel_url=f"{back}?left=1",
                currency=currency,
            )
            made = provider.create_checkout(wanted, key=key)
        except InvalidRequest as refused:
            _give_up_attempt(session, page, refused)
            raise
    with transaction(session):
        card_pages.sent(session, page, made)
    return page


def setup(session: Session, provider: Provider, customer: Payer, *, form_key: str) -> SetupSecret:
    """What a browser needs to save a card with the provider directly. Raises UnsupportedByChannel, ProviderDown."""
    cards = port.cards_of(provider)
    key = f"{customer.id}:setup:{form_key}"
    with _asking(provider):
        return cards.create_setup(payer.known(session, provider, customer), key=key)


def make_default(session: Session, provider: Provider, customer_id: str, card_id: str, *, actor: str) -> Card:
    """Charge this card from now on, for the plan too; a payment that failed is tried with it at once (SPEC P11).

    Raises NotFound for a card that is not theirs, ProviderDown.
    """
    with _asking(provider):
        chosen = next((card for card in _cards(session, provider, customer_id) if card.id == card_id), None)
        if chosen is None:
            raise errors.NotFound("There is no such card.")
        _charge_from_now_on(session, provider, customer_id, card_id)
    with transaction(session):
        dunning.card_changed(session, customer_id)
        activity.record(session, actor, "card.made_default", card_id, customer_id=customer_id, last4=chosen.last4)
    return chosen


def remove(session: Session, provider: Provider, customer_id: str, card_id: str, *, actor: str) -> Card:
    """Have the provider forget a card; if it was the default, another takes its place.

    Raises CardNeeded for the last one while it pays the plan, NotFound for a card that is not theirs, ProviderDown.
    """
    with _asking(provider):
        known = _cards(session, provider, customer_id)
        gone = next((card for card in known if card.id == card_id), None)
        if gone is None:
            raise errors.NotFound("There is no such card.")
        others = [card for card in known if card.id != card_id]
        if not others:
            _refuse_if_needed(session, customer_id)
        elif gone.is_default:
            _charge_from_now_on(session, provider, customer_id, others[0].id)
        port.cards_of(provider).detach_card(_ref(session, provider, customer_id), card_id)
    with transaction(session):
        activity.record(session, actor, "card.removed", card_id, customer_id=customer_id, last4=gone.last4)
    return gone


def portal(session: Session, provider: Provider, customer: Payer, *, return_url: str) -> str:
    """The address of the provider's own self-service page, for this click.

    `return_url` must have been checked: it is where the page's way back leads. Raises UnsupportedByChannel,
    ProviderDown, and Conflict where only who has subscribed there has a page.
    """
    pages = port.portal_of(provider)
    billed = _billed_there(session, provider, customer.id)
    with _asking(provider):
        known = payer.known(session, provider, customer)
        there = billed.provider_id if billed else None
        try:
            return pages.portal(known, return_url=return_url, subscription_id=there).url
        except InvalidRequest as no:
            if no.code != "no_subscription":
                raise
            words = f"{provider.title} has a page of your own once you have a plan that is paid there."
            raise errors.Conflict(words, remedy="subscribe") from no


# What the provider tells about a page on which a card was saved.


def take_in(session: Session, provider: Provider, told: Event) -> None:
    """The half of a card's news that needs the network: the card that was saved becomes the default.

    Before the transaction in which the event is applied; running it again does no harm. Raises ProviderError.
    """
    if not isinstance(told, CardChanged) or told.hint != "setup_succeeded" or told.card_id is None:
        return
    with transaction(session):
        page = card_pages.find(session, told.order_id or "")
        if page is None or page.state == "saved":
            return
        customer_id = page.customer_id
        if customers.customer_behind(session, provider.name, told.customer_id or "") != customer_id:
            return
    _charge_from_now_on(session, provider, customer_id, told.card_id)
    with transaction(session):
        page = card_pages.find(session, told.order_id or "", lock=True)
        assert page is not None, "pages are never deleted"
        dunning.card_changed(session, customer_id)
        card_pages.saved(session, page, told.card_id)


def note(session: Session, told: Event, _inbox_id: str) -> list[dict[str, Any]]:
    """The half that is applied: what became of the page, for staff. `told.order_id` is a page's."""
    page = card_pages.find(session, getattr(told, "order_id", None) or "", lock=True)
    if page is None:
        return []
    if isinstance(told, CheckoutExpired) and card_pages.expired(session, page):
        return [{"kind": "card_page.expired", "page": page.id, "customer": page.customer_id}]
    if isinstance(told, CardChanged) and told.card_id and told.card_id == page.card_id:
        return [{"kind": "card.saved", "page": page.id, "customer": page.customer_id, "card": told.card_id}]
    return []


# What they share.


def _cards(session: Session, provider: Provider, customer_id: str) -> list[Card]:
    role = port.cards_of(provider)
    ref = payer.if_known(session, provider, customer_id)
    if ref is None:
        return []
    try:
        found = role.list_cards(ref)
    except NotFound:  # the provider has forgotten the customer, and the cards with them
        return []
    own = _card_of_the_plan(session, provider, customer_id)
    if own in {card.id for card in found}:
        # A checkout leaves its card on the subscription alone: that one is charged, whatever the default says.
        found = [replace(card, is_default=card.id == own) for card in found]
    return sorted(found, key=lambda card: not card.is_default)


def _card_of_the_plan(session: Session, provider: Provider, customer_id: str) -> str | None:
    """The card that the customer's subscription has for itself, as we were last told."""
    with transaction(session):
        live = standing.of(session, customer_id).subscription
        if live is None or live.channel != provider.name or live.paid_by != "card":
            return None
        card = live.provider_state.get("card_id")
        return str(card) if card else None


def _ref(session: Session, provider: Provider, customer_id: str) -> CustomerRef:
    ref = payer.if_known(session, provider, customer_id)
    assert ref is not None, "whoever has a card there is known there"
    return ref


def _charge_from_now_on(session: Session, provider: Provider, customer_id: str, card_id: str) -> None:
    """The default for everything: a subscription's own card, as its checkout leaves one, would be charged first."""
    port.cards_of(provider).set_default_card(_ref(session, provider, customer_id), card_id)
    billing = _billed_there(session, provider, customer_id)
    if billing is None:
        return
    role = port.subscriptions_of(provider)
    state = role.get_subscription(billing.provider_id)
    if state.card_id is not None and state.ended_at is None:
        # The version is in the key: the same card may be set, replaced, and set again within a day.
        key = f"{billing.id}:default-card:{state.card_id}:{state.version.timestamp():.0f}"
        role.set_subscription_card(state, None, key=key)
        seen = follow.look_at(session, provider, billing.provider_id)
        with transaction(session):
            follow.take_in(session, provider.name, seen)


@dataclass(frozen=True, slots=True)
class _Billed:
    """A subscription that the provider runs, in plain values."""

    id: str
    provider_id: str


def _billed_there(session: Session, provider: Provider, customer_id: str) -> _Billed | None:
    with transaction(session):
        live = standing.of(session, customer_id).subscription
        if live is None or live.provider_id is None or live.channel != provider.name:
            return None
        return _Billed(live.id, live.provider_id)


def _refuse_if_needed(session: Session, customer_id: str) -> None:
    with transaction(session):
        now = standing.of(session, customer_id)
        live = now.subscription
        if live is None or now.ends_at is not None or (live.pays_next_by or live.paid_by) != "card":
            return
        name = now.plan.name if now.plan else "plan"
    raise CardNeeded(
        f"This card pays for {name}, and it is the only one. Add another card first, pay from the wallet instead, "
        f"or cancel {name}.",
        plan=name,
    )


def _give_up_attempt(session: Session, page: CardPage, refused: ProviderError) -> None:
    """A definite no: nothing was made under this key. The next try uses another."""
    with transaction(session):
        card_pages.refused(session, page)
        if isinstance(refused, NotFound):  # all we named was the customer
            customers.forget(session, page.customer_id, page.channel)


@contextmanager
def _asking(provider: Provider) -> Iterator[None]:
    """A provider's trouble as a refusal a person can read; the vendor's own words are for the log."""
    try:
        yield
    except ProviderError as error:
        words = f"{provider.title} does not answer just now. Nothing was changed; please try again in a minute."
        raise errors.ProviderDown(words, channel=provider.name) from error
