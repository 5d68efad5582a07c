"""Paying by card instead of from the wallet, or the other way, from the next period on (SPEC P10, R4).

To the card: the provider's subscription is begun at once, to be paid first when the paid period ends, so that it takes
over by itself. To the wallet: the provider is told to end then. What is wanted is written down first, as a change in
flight; the worker goes on with it should we die in between, and a change of plan in the meantime makes it anew.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.errors import Conflict, Invalid, PaymentRefused, ProviderDown
from app.flows import hand_over, payer
from app.flows.charge_card import LEASE
from app.flows.collect import Providers
from app.flows.hand_over import KIND
from app.money import Money
from app.providers import port, registry
from app.providers.errors import ProviderError
from app.providers.values import Cap
from app.subscriptions import changes, lifecycle
from app.subscriptions.models import Subscription
from app.subscriptions.periods import Interval

Payment = hand_over.Payment

_BEING_RENEWED = "The subscription is being renewed at this moment. Try again in a minute."


class NoSavedCard(Conflict):
    """There is no card that could pay."""

    code = "NO_SAVED_CARD"


def switch(session: Session, providers: Providers, customer_id: str, to: str, *, actor: str) -> Subscription:
    """Have the next period, and those after it, paid by `to` ("wallet", "card"); what pays already changes nothing.

    The answer's `pays_next_by` is set until then. Raises NoSubscription, NoSavedCard, Conflict (a change in flight, a
    payment open, cancelled), UnsupportedByChannel, PaymentRefused when the card is refused, and ProviderDown, after
    which it is gone on with by itself.
    """
    if to not in ("wallet", "card"):
        raise Invalid("Pay from the wallet or by card.", field="paymentMethod")
    with transaction(session):
        sub = lifecycle.the_live(session, customer_id)
        if (sub.pays_next_by or sub.paid_by) == to:
            return sub
        paid_by, channel = sub.paid_by, sub.channel
    if paid_by == "wallet" and to == "card":
        channel = _with_card(session, providers, customer_id)
    try:
        with transaction(session):
            sub = _switchable(session, customer_id, to)
            _wish(session, sub, to, channel=channel, actor=actor)
    except IntegrityError as second:
        raise changes.conflict() from second
    failure = hand_over.go_on(session, providers, customer_id, tell=True)
    if failure is not None:
        raise PaymentRefused(failure)
    with transaction(session):
        return lifecycle.the_live(session, customer_id)


def waits(sub: Subscription) -> bool:
    """Whether a subscription at the provider waits for the end of the period the wallet has paid."""
    return sub.paid_by == "wallet" and sub.pays_next_by == "card"


def plan_changed(session: Session, sub: Subscription, *, actor: str) -> None:
    """The plan, its price or its period is another one: what waits at the provider is to be made anew.

    In the transaction of the change; `hand_over.go_on` does it afterwards, or the worker.
    """
    if waits(sub):
        _wish(session, sub, "card", channel=sub.channel, actor=actor)


def let_go(session: Session, sub: Subscription, *, actor: str) -> None:
    """The subscription ends, so what waits at the provider must not begin. Like `plan_changed`."""
    _wish(session, sub, "wallet", channel=sub.channel, actor=actor)


def _with_card(session: Session, providers: Providers, customer_id: str) -> str:
    """The channel whose saved card is to pay. Raises NoSavedCard and ProviderDown."""
    provider = registry.able(providers, Cap.SUBSCRIPTIONS, Cap.SAVED_CARDS) or registry.default(providers)
    if provider is None or Cap.SUBSCRIPTIONS not in provider.capabilities:
        raise NoSavedCard("Cards cannot be charged here.")
    known = payer.if_known(session, provider, customer_id)
    try:
        cards = port.cards_of(provider).list_cards(known) if known is not None else []
    except ProviderError as away:
        raise ProviderDown("Your cards could not be read just now. Please try again.", channel=provider.name) from away
    if not cards:
        raise NoSavedCard("Save a card first, then pay with it.", remedy="save_card")
    return provider.name


def _switchable(session: Session, customer_id: str, to: str) -> Subscription:
    sub = lifecycle.the_live(session, customer_id)
    changes.refuse_while_one_runs(session, customer_id)
    if sub.status != "active":
        raise Conflict("The last payment is still open. Pay it first.", remedy="retry_payment")
    if sub.cancel_at_period_end:
        raise Conflict("The subscription is cancelled, so no other payment follows.", remedy="resume")
    if sub.period_end <= clock.now():
        raise Conflict(_BEING_RENEWED, remedy="retry")
    assert to != sub.paid_by or sub.pays_next_by is not None, "there is something to switch"
    return sub


def _wish(session: Session, sub: Subscription, to: str, *, channel: str | None, actor: str) -> None:
    """Write down what the provider is to be asked, all of it frozen: the same key must send the same content.

    Raises Conflict where the provider's turn has come: what is to be dropped there may have charged the card by now.
    """
    if sub.paid_by == "wallet" and sub.provider_id is not None and sub.period_end <= clock.now():
        raise Conflict(_BEING_RENEWED, remedy="retry")
    details: dict[str, Any] = {"to": to, "channel": channel, "paid_by": sub.paid_by}
    waiting = changes.scheduled(session, sub.customer_id)
    becomes: Any = waiting if waiting is not None else sub
    if sub.paid_by == "wallet":
        details |= {"drop": sub.provider_id, "start": to == "card", "paid_from": clock.timestamp(sub.period_end)}
    change = changes.note_preview(
        session,
        sub,
        kind=KIND,
        plan_id=becomes.plan_id,
        version=becomes.version,
        interval=Interval(becomes.interval),
        price=Money(becomes.price_minor, becomes.currency),
        as_of=clock.now(),
        effective_at=sub.period_end,
        actor=actor,
        details=details,
    )
    changes.put_in_flight(session, change, actor=actor)
    if to == "wallet" and sub.paid_by == "card":
        sub.pays_next_by = to  # before the provider is asked: its news of an end must not end the subscription
    elif to == "card" and sub.paid_by == "wallet":
        sub.pays_next_by = to
    sub.due_at = clock.now() + LEASE
    session.flush()
