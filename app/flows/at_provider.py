"""A subscription that a provider runs, in plain values, for the flows that ask the provider something about it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.errors import Conflict, ProviderDown
from app.providers import port
from app.providers.billing import SubscriptionState
from app.providers.billing_roles import Subscriptions
from app.providers.errors import InvalidRequest, ProviderError
from app.providers.port import Provider
from app.subscriptions import changes, lifecycle
from app.subscriptions.models import Subscription

log = logging.getLogger(__name__)

Providers = Mapping[str, Provider]
_DOWN = "The payment provider did not answer. Look again in a minute: what you asked for is finished by itself."


@dataclass(frozen=True, slots=True)
class Running:
    """Whose it is and where it runs. Reading the row after a commit would open a transaction around a network call."""

    customer_id: str
    id: str
    provider: Provider
    provider_id: str
    seen: str  # which snapshot this was, for keys: after each change of it another key is used

    @property
    def role(self) -> Subscriptions:
        return port.subscriptions_of(self.provider)

    def state(self) -> SubscriptionState:
        """As it is there now. Raises ProviderError."""
        return self.role.get_subscription(self.provider_id)


def running(providers: Providers, subscription: Subscription) -> Running:
    """Raises ProviderDown for a provider that is no longer configured here."""
    provider = providers.get(subscription.channel or "")
    if provider is None or subscription.provider_id is None:
        raise ProviderDown(
            "The payment provider of this subscription is not set up here.", channel=subscription.channel
        )
    version = subscription.provider_version
    seen = f"{int(version.timestamp())}.{version.microsecond}" if version else "0"
    return Running(subscription.customer_id, subscription.id, provider, subscription.provider_id, seen)


def changeable(session: Session, customer_id: str) -> Subscription:
    """The customer's subscription, locked, where nothing else is going on. Raises NoSubscription, Conflict (P9)."""
    subscription = lifecycle.the_live(session, customer_id)
    changes.refuse_while_one_runs(session, customer_id)
    if subscription.status not in ("active", "incomplete"):
        raise Conflict("The last payment is still open. Pay it first, then change the plan.", remedy="retry_payment")
    if subscription.pays_next_by is not None:
        sentence = "The wallet pays from the next period on. Choose the card again first, then change the plan."
        raise Conflict(sentence, remedy="change_payment_method")
    return subscription


def down(error: ProviderError, about: str) -> ProviderDown | Conflict:
    """What a person is told; the vendor's words are for the log."""
    log.warning("the provider did nothing about %s: %s (%s)", about, error, error.request_id)
    if isinstance(error, InvalidRequest):
        return Conflict("The subscription has changed meanwhile. Open the page again.")
    return ProviderDown(_DOWN)
