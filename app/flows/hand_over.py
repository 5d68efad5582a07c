"""Handing a subscription's payment over to a provider, or taking it back: what is asked, and what is written (R4, P10).

The change in flight says what is wanted, all of it frozen; its id is the key of what the provider is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from app.catalogue import reads
from app.db import transaction
from app.errors import ProviderDown
from app.flows import follow, priced
from app.flows.collect import Providers
from app.money import Money
from app.payments import customers
from app.providers import port
from app.providers.billing import SubscriptionState
from app.providers.errors import Declined, InvalidRequest, NotFound, ProviderError
from app.providers.port import Provider
from app.providers.values import CustomerRef
from app.subscriptions import changes, lifecycle, overrides, snapshots
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.periods import Interval
from app.subscriptions.sale import Sale, price_of

log = logging.getLogger(__name__)

KIND = "pay_by"
Payment = Literal["wallet", "card"]
Record = Callable[[Session, Subscription, SubscriptionChange], None]

_DOWN = "The payment provider did not answer just now. We go on with it by ourselves."


def is_in_flight(session: Session, sub: Subscription) -> bool:
    """Whether the provider is still to be asked, or its answer to be written down."""
    change = changes.in_flight(session, sub.customer_id)
    return change is not None and change.kind == KIND and change.subscription_id == sub.id


@dataclass(frozen=True, slots=True)
class Wish:
    """The change in plain values, so that no transaction is open while the provider is asked."""

    change_id: str
    customer_id: str
    subscription_id: str
    known: CustomerRef | None
    provider_id: str | None
    sale: Sale
    effective_at: datetime
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class GoOn:
    """The worker's part: what is in flight, after a crash or when nobody had answered."""

    customer_id: str

    def __call__(self, session: Session, providers: Providers) -> None:
        go_on(session, providers, self.customer_id)


def go_on(session: Session, providers: Providers, customer_id: str, *, tell: bool = False) -> str | None:
    """Do what is in flight, if anything is; the sentence of a definite no, which leaves everything as it was.

    `tell`: raise ProviderDown when nobody answers; otherwise the worker tries again.
    """
    with transaction(session):
        wish = _in_flight(session, customer_id)
    if wish is None:
        return None
    provider = providers.get(wish.details["channel"])
    if provider is None:
        return _refused(session, wish, "The payment provider is not configured any more.")
    try:
        record = _ask(session, provider, wish)
    except Declined as no:
        return _refused(session, wish, str(no))
    except InvalidRequest as wrong:
        log.warning("%s refuses to change who pays %s: %s", provider.name, wish.subscription_id, wrong)
        return _refused(session, wish, "The provider refused the change. The payment stays as it is.")
    except ProviderError as away:
        log.warning("%s did not answer about %s: %s", provider.name, wish.subscription_id, away)
        if tell:
            raise ProviderDown(_DOWN, channel=provider.name) from away
        return None
    with transaction(session):
        _finish(session, wish, record)
    return None


def _in_flight(session: Session, customer_id: str) -> Wish | None:
    change = changes.in_flight(session, customer_id)
    sub = lifecycle.live(session, customer_id) if change is not None else None
    if change is None or change.kind != KIND:
        return None
    listed = reads.version_of(session, change.plan_id, change.version)
    terms = overrides.laid_over(listed, overrides.live(session, customer_id))
    price = Money(change.price_minor, change.currency)
    interval = Interval(change.interval)
    sale = Sale(terms, interval, price, is_list_price=price_of(listed, interval) == price.minor)
    channel = change.details["channel"]
    known = customers.known_as(session, customer_id, channel) if channel else None
    provider_id = sub.provider_id if sub is not None else None
    ids = (change.id, customer_id, change.subscription_id)
    return Wish(*ids, known, provider_id, sale, change.effective_at, change.details)


def _ask(session: Session, provider: Provider, wish: Wish) -> Record:
    """What the provider is asked, and what is to be written down of its answer. Raises ProviderError."""
    role, details = port.subscriptions_of(provider), wish.details
    if details["paid_by"] == "card":
        assert wish.provider_id is not None, "the provider runs it"
        sub = role.get_subscription(wish.provider_id)
        if details["to"] == "wallet":
            state = role.cancel_at_period_end(sub, reason=None, comment=None, key=wish.change_id)
        else:
            state = role.resume(sub, key=wish.change_id)
        return lambda session, sub, _change: _of_card_paid(session, sub, state, details["to"])
    if details["drop"]:
        _drop(provider, details["drop"], key=f"{wish.change_id}:drop")
    if not details["start"]:
        return _without
    begun = _start(session, provider, wish)
    return lambda session, sub, _change: _waits(session, sub, provider.name, begun)


def _drop(provider: Provider, provider_id: str, *, key: str) -> None:
    """End what has not begun to be paid. What is not there any more need not be ended."""
    role = port.subscriptions_of(provider)
    try:
        role.cancel_now(role.get_subscription(provider_id), key=key)
    except NotFound:
        log.info("the provider's subscription %s is gone already", provider_id)


def _start(session: Session, provider: Provider, wish: Wish) -> SubscriptionState:
    """Begin the provider's subscription, first paid at the period's end. Raises Declined if the bank must be asked."""
    assert wish.known is not None, "who has a card is known there"
    role = port.subscriptions_of(provider)
    state, redirect = role.start_subscription(
        wish.known,
        priced.plan_at(session, provider, wish.sale),
        card_id=None,
        starts_paid_at=datetime.fromisoformat(wish.details["paid_from"]),
        metadata={follow.OURS: wish.subscription_id, "customer_id": wish.customer_id},
        discount=None,
        key=wish.change_id,
    )
    if redirect is not None and state.status == "incomplete":
        role.cancel_now(state, key=f"{wish.change_id}:unconfirmed")
        raise Declined("Your bank wants you to confirm this card. Save it again, then switch.")
    return state


def _finish(session: Session, wish: Wish, record: Record) -> None:
    sub = lifecycle.live(session, wish.customer_id, lock=True)
    change = changes.one(session, wish.customer_id, wish.change_id, lock=True)
    if change.state != "in_flight":
        return
    changes.apply(session, change, actor=change.created_by)
    if sub is not None and sub.id == wish.subscription_id:
        record(session, sub, change)
    ended = session.get(Subscription, (wish.customer_id, wish.subscription_id))
    if ended is not None and ended.ended_at is not None:
        ended.due_at = None
    session.flush()


def _refused(session: Session, wish: Wish, why: str) -> str:
    """A definite no: the payment stays as it was."""

    def stay(session: Session, sub: Subscription, _change: SubscriptionChange) -> None:
        if sub.paid_by == "wallet":
            _without(session, sub, _change)
        else:
            sub.pays_next_by = None if wish.details["to"] == "wallet" else "wallet"
            sub.due_at = sub.period_end if sub.pays_next_by else None

    with transaction(session):
        sub = lifecycle.live(session, wish.customer_id, lock=True)
        change = changes.one(session, wish.customer_id, wish.change_id, lock=True)
        if changes.fail(session, change, why) and sub is not None:
            stay(session, sub, change)
    return why


def _of_card_paid(session: Session, sub: Subscription, state: SubscriptionState, to: Payment) -> None:
    sub.pays_next_by = "wallet" if to == "wallet" else None
    sub.due_at = sub.period_end if to == "wallet" else None
    snapshots.take_snapshot(session, sub, state)


def _without(_session: Session, sub: Subscription, _change: SubscriptionChange) -> None:
    """The wallet goes on; nothing waits at the provider."""
    if sub.paid_by == "wallet":
        sub.pays_next_by = sub.channel = sub.provider_id = sub.provider_version = None
        sub.due_at = sub.period_end


def _waits(session: Session, sub: Subscription, channel: str, state: SubscriptionState) -> None:
    """The provider's subscription waits for its first payment, when the wallet's last period ends."""
    if sub.paid_by != "wallet":
        return  # it was so late that the provider has begun, and said so
    sub.pays_next_by, sub.channel, sub.provider_id = "card", channel, state.id
    sub.provider_version, sub.due_at = None, sub.period_end
    snapshots.take_snapshot(session, sub, state)
