"""The port: what a payment provider is to Purser, for every vendor, in our own words.

An adapter is one class with the core verbs of `Provider` and, for each further thing it declares in `capabilities`,
the verbs of that role. What it does not declare it need not have: pages hide it, and the `…_of` functions below turn
the request down with UNSUPPORTED_BY_CHANNEL (SPEC V1). Nobody asks an adapter for its name to learn what it can do.

Money is integer minor units with a lower-case currency, instants are aware UTC. `key` is our idempotency key: the same
attempt always sends the same key with the same content. `verify` and `normalize` never touch the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, cast

from app.errors import UnsupportedByChannel
from app.money import Money
from app.providers.billing_roles import Discounts, Invoices, Subscriptions
from app.providers.events import Event
from app.providers.values import (
    Cap,
    Card,
    ChargeResult,
    CheckoutRequest,
    CheckoutSession,
    CustomerRef,
    Finding,
    Heard,
    Redirect,
    RefundResult,
    SetupSecret,
    Verified,
)


class Provider(Protocol):
    """What every adapter does: know a customer, take one payment on a hosted page, tell what happened."""

    @property
    def name(self) -> str: ...  # the channel, as in /payment/webhook/<channel>

    @property
    def title(self) -> str: ...  # as people write it

    @property
    def sold_as(self) -> str: ...  # what is sold there is one of these, in their word: "price", "variant", "product"

    @property
    def capabilities(self) -> frozenset[Cap]: ...

    @property
    def livemode(self) -> bool: ...  # whether the configured key moves real money

    def ensure_customer(self, *, customer_id: str, email: str, name: str | None, key: str) -> CustomerRef:
        """Their customer for ours; made once per key."""

    def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutSession:
        """A hosted page where one order is paid. The order's id comes back in every event about it."""

    def get_checkout(self, session_id: str) -> CheckoutSession:
        """The page as it is now. Raises NotFound."""

    def recheck_checkout(self, session_id: str) -> Heard | None:
        """What a lost webhook would have told about this page, read from the provider; None while nothing happened."""

    def verify(self, body: bytes, headers: Mapping[str, str]) -> Verified:
        """Who sent this and what it is about. Raises BadSignature or BadPayload; offline and fast."""

    def normalize(self, body: bytes) -> Sequence[Event]:
        """What a verified body says, in our words. Pure: same bytes, same events; what we do not use is Ignored."""


class Expiring(Protocol):
    """Cap.EXPIRE_CHECKOUT: an open page can be closed before its time."""

    def expire_checkout(self, session_id: str) -> CheckoutSession: ...


class Cards(Protocol):
    """Cap.SAVED_CARDS and Cap.SETUP_INTENT: cards kept by the provider, never by us (SPEC P12)."""

    def create_setup(self, customer: CustomerRef, *, key: str) -> SetupSecret: ...

    def list_cards(self, customer: CustomerRef) -> Sequence[Card]: ...

    def set_default_card(self, customer: CustomerRef, card_id: str) -> None: ...

    def detach_card(self, customer: CustomerRef, card_id: str) -> None:
        """Raises NotFound for a card that is not this customer's."""


class OffSession(Protocol):
    """Cap.OFF_SESSION: charging a saved card while the customer is away."""

    def charge_saved_card(
        self,
        customer: CustomerRef,
        amount: Money,
        *,
        card_id: str | None,
        description: str,
        key: str,
        metadata: Mapping[str, str],
    ) -> ChargeResult:
        """A decline is a result, not an exception: the payment exists then, and its id is needed.

        `metadata` names our order as `intent_id`, and as `kind` what it is for: "auto_topup", or "invoice" for one of
        our own. What becomes of the payment is told for these two.
        """


class Portal(Protocol):
    """Cap.PORTAL: the provider's own self-service page (SPEC P13)."""

    def portal(self, customer: CustomerRef, *, return_url: str, subscription_id: str | None = None) -> Redirect:
        """A short-lived link: made per click, never stored. `subscription_id` is the one they have there.

        Raises InvalidRequest without one where the provider only has a page for subscribers.
        """


class Refunds(Protocol):
    """Cap.REFUND_FULL, and with Cap.REFUND_PARTIAL less than everything. Amounts are with tax, as they were paid."""

    def refund(
        self,
        *,
        payment_id: str,
        amount: Money,
        reason: str,
        our_refund_id: str,
        key: str,
        invoice_id: str | None = None,
    ) -> RefundResult: ...

    def list_refunds(self, payment_id: str) -> Sequence[RefundResult]:
        """To find out what an unanswered refund did before any new key is used."""


class EventFeed(Protocol):
    """Cap.EVENT_LIST: past events can be read again, for what webhooks lost (SPEC V4)."""

    def events_since(self, since: datetime) -> Sequence[Heard]: ...


class DisputeFeed(Protocol):
    """Cap.DISPUTE_POLL: disputes that no webhook tells of, to be asked about from time to time (SPEC W5)."""

    def disputes_since(self, since: datetime) -> Sequence[Heard]:
        """Those that began or changed since then, as events under ids that name dispute and state: asking twice tells
        the same."""


class SelfChecking(Protocol):
    """Cap.DIAGNOSIS: the adapter can compare its settings with the provider's side, for `purser doctor`."""

    def diagnose(self, *, webhook_url: str) -> Sequence[Finding]: ...


ROLES: Mapping[Cap, type] = {
    Cap.EXPIRE_CHECKOUT: Expiring,
    Cap.SAVED_CARDS: Cards,
    Cap.SETUP_INTENT: Cards,
    Cap.OFF_SESSION: OffSession,
    Cap.PORTAL: Portal,
    Cap.REFUND_FULL: Refunds,
    Cap.REFUND_PARTIAL: Refunds,
    Cap.SUBSCRIPTIONS: Subscriptions,
    Cap.DISCOUNTS: Discounts,
    Cap.INVOICES: Invoices,
    Cap.EVENT_LIST: EventFeed,
    Cap.DISPUTE_POLL: DisputeFeed,
    Cap.DIAGNOSIS: SelfChecking,
}  # the verbs each declared capability promises; the contract test holds adapters to it


def expiring_of(provider: Provider) -> Expiring:
    return cast("Expiring", _able(provider, Cap.EXPIRE_CHECKOUT, "close a checkout page"))


def cards_of(provider: Provider) -> Cards:
    return cast("Cards", _able(provider, Cap.SAVED_CARDS, "keep cards"))


def off_session_of(provider: Provider) -> OffSession:
    return cast("OffSession", _able(provider, Cap.OFF_SESSION, "charge a saved card"))


def portal_of(provider: Provider) -> Portal:
    return cast("Portal", _able(provider, Cap.PORTAL, "offer a self-service portal"))


def refunds_of(provider: Provider) -> Refunds:
    return cast("Refunds", _able(provider, Cap.REFUND_FULL, "pay money back"))


def subscriptions_of(provider: Provider) -> Subscriptions:
    return cast("Subscriptions", _able(provider, Cap.SUBSCRIPTIONS, "run subscriptions"))


def can(provider: Provider, cap: Cap, doing: str) -> None:
    """Raises UnsupportedByChannel for a verb whose capability (`OWN_CAPS`) the adapter does not declare."""
    _able(provider, cap, doing)


def discounts_of(provider: Provider) -> Discounts:
    return cast("Discounts", _able(provider, Cap.DISCOUNTS, "take a coupon"))


def invoices_of(provider: Provider) -> Invoices:
    return cast("Invoices", _able(provider, Cap.INVOICES, "list invoices"))


def event_feed_of(provider: Provider) -> EventFeed:
    return cast("EventFeed", _able(provider, Cap.EVENT_LIST, "list past events"))


def dispute_feed_of(provider: Provider) -> DisputeFeed:
    return cast("DisputeFeed", _able(provider, Cap.DISPUTE_POLL, "list disputes"))


def self_checking_of(provider: Provider) -> SelfChecking:
    return cast("SelfChecking", _able(provider, Cap.DIAGNOSIS, "check its own set-up"))


def _able(provider: Provider, cap: Cap, doing: str) -> Provider:
    """The same adapter, once it has declared that it can. Raises UnsupportedByChannel, never falls back silently."""
    if cap not in provider.capabilities:
        raise UnsupportedByChannel(
            f"Payments through {provider.name} cannot {doing}.", channel=provider.name, capability=cap.value
        )
    return provider
