"""Taking over at a period's end: from the wallet to the provider that charges the card, or the other way (SPEC P10)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from app import activity, clock
from app.db import transaction
from app.errors import ProviderDown
from app.flows import charge_card, collect, follow, retry_payment
from app.flows.collect import Next, Providers
from app.providers.billing import SubscriptionState
from app.providers.errors import ProviderError
from app.subscriptions import lifecycle
from app.subscriptions.models import Subscription

log = logging.getLogger(__name__)

_SOON, _LATER = timedelta(minutes=1), timedelta(hours=1)
_PROMPT = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Retry:
    """There is a new card: have the provider try the invoice that failed, which it does not do by itself (P11)."""

    customer_id: str

    def __call__(self, session: Session, providers: Providers) -> None:
        try:
            retry_payment.retry(session, providers, self.customer_id, actor="system")
        except ProviderDown:
            with transaction(session):
                collect.look_again(session, self.customer_id, _SOON)


@dataclass(frozen=True, slots=True)
class Look:
    """See how the provider's subscription stands, and go on from there."""

    customer_id: str
    channel: str
    provider_id: str
    paid_by: str

    def __call__(self, session: Session, providers: Providers) -> None:
        try:
            seen = follow.look_at(session, providers[self.channel], self.provider_id)
        except ProviderError as away:
            log.warning("the subscription of %s could not be read: %s", self.customer_id, away)
            return
        with transaction(session):
            sub = lifecycle.live(session, self.customer_id, lock=True)
            if sub is None or sub.provider_id != self.provider_id:
                return
            if seen.state is not None:
                follow.take_in(session, self.channel, seen)
            # What was taken in may have handed it over already, or ended it.
            if sub.ended_at is None and sub.paid_by == self.paid_by:
                after = _to_card if self.paid_by == "wallet" else _to_wallet
                after(session, sub, seen.state)
            elif sub.paid_by == "card" and sub.paid_by != self.paid_by:
                activity.record(session, "system", "subscription.paid_by_card", sub.id, customer_id=sub.customer_id)


def by_card(session: Session, providers: Providers, sub: Subscription) -> Next | None:
    """A wallet-paid period is over, and the provider charges the card from here on."""
    if sub.channel not in providers or sub.provider_id is None:
        _stay_with_wallet(session, sub, why="The card could not take over.")
        return None
    return _look(sub)


def for_card_paid(providers: Providers, sub: Subscription) -> Next | None:
    """A card-paid subscription that somebody wants looked at: the wallet's turn has come, or a failed payment's."""
    wallets_turn = sub.pays_next_by == "wallet" and sub.period_end <= clock.now()
    sub.due_at = sub.period_end if sub.pays_next_by == "wallet" else None
    if sub.channel not in providers:
        sub.due_at = clock.now() + _LATER if wallets_turn else sub.due_at
        return None
    if wallets_turn:
        return _look(sub)
    return Retry(sub.customer_id) if sub.status in ("past_due", "restricted") else None


def _look(sub: Subscription) -> Look:
    assert sub.channel is not None, "a provider has it"
    assert sub.provider_id is not None, "a provider has it"
    sub.due_at = clock.now() + charge_card.LEASE
    return Look(sub.customer_id, sub.channel, sub.provider_id, sub.paid_by)


def _to_card(session: Session, sub: Subscription, state: SubscriptionState | None) -> None:
    if state is None or state.status == "canceled":
        _stay_with_wallet(session, sub, why="The card could not take over.")
    else:
        # Not begun, or not confirmed, and so not lapsed either: invoicing the wallet too could charge twice.
        sub.due_at = clock.now() + _patience(sub)


def _stay_with_wallet(session: Session, sub: Subscription, *, why: str) -> None:
    """The provider has nothing to go on with, so the period is invoiced to the wallet as those before."""
    sub.pays_next_by = sub.channel = sub.provider_id = sub.provider_version = None
    sub.due_at = clock.now()
    activity.record(session, "system", "subscription.stays_with_wallet", sub.id, customer_id=sub.customer_id, why=why)


def _to_wallet(session: Session, sub: Subscription, state: SubscriptionState | None) -> None:
    """Ended there: the wallet's first period begins where the card's last one ended."""
    if state is None or state.status == "canceled":
        sub.paid_by, sub.pays_next_by = "wallet", None
        sub.due_at = clock.now()
        if state is not None and state.ended_at is not None:
            sub.period_end = max(sub.period_end, state.ended_at)  # it may have been renewed since we heard of it
        if sub.status != "active":
            lifecycle.recover(session, sub)
        activity.record(session, "system", "subscription.paid_by_wallet", sub.id, customer_id=sub.customer_id)
        return
    if sub.period_end > clock.now():
        # It was renewed after all: the cancellation was taken back there, or never arrived. The card has paid.
        sub.pays_next_by, sub.due_at = None, None
        activity.record(session, "system", "subscription.stays_with_card", sub.id, customer_id=sub.customer_id)
    else:
        sub.due_at = clock.now() + _patience(sub)


def _patience(sub: Subscription) -> timedelta:
    """When to look again at a provider that has not begun, or not ended, when it was to."""
    return _SOON if clock.now() - sub.period_end < _PROMPT else _LATER
