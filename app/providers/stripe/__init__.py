"""Stripe: hosted checkout, saved cards, portal, refunds and signed events, through the official SDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app import clock
from app.money import Money
from app.providers import bodies
from app.providers.errors import InvalidRequest
from app.providers.events import Event
from app.providers.stripe import body as wire
from app.providers.stripe import cards, charges, checkout, diagnosis, signature, told
from app.providers.stripe.changes import Changing
from app.providers.stripe.connection import CardRefused, Connection
from app.providers.stripe.feed import Asking
from app.providers.stripe.invoices import Invoicing
from app.providers.stripe.refunding import Refunding
from app.providers.stripe.subscriptions import Subscribing
from app.providers.stripe.unused import GivingBack
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
    SetupSecret,
    Verified,
)
from app.providers.webhook_secrets import checked, secrets_of

SIGNATURE_HEADER = "Stripe-Signature"


class Stripe(Subscribing, Changing, GivingBack, Refunding, Invoicing, Asking):
    """One Stripe account. Every POST carries our idempotency key; every answer leaves as our own value."""

    name, title, sold_as = "stripe", "Stripe", "price"
    capabilities = frozenset(
        {
            Cap.CUSTOM_AMOUNT,
            Cap.EXPIRE_CHECKOUT,
            Cap.SAVED_CARDS,
            Cap.SETUP_INTENT,
            Cap.OFF_SESSION,
            Cap.PORTAL,
            Cap.REFUND_FULL,
            Cap.REFUND_PARTIAL,
            Cap.SUBSCRIPTIONS,
            Cap.SUBSCRIPTION_LIST,
            Cap.PREVIEW,
            Cap.CHANGE_NOW,
            Cap.CHANGE_AT_PERIOD_END,
            Cap.CANCEL_AT_PERIOD_END,
            Cap.CANCEL_NOW,
            Cap.RESUME,
            Cap.DISCOUNTS,
            Cap.INVOICES,
            Cap.INVOICE_LINES,
            Cap.RETRY_PAYMENT,
            Cap.DISPUTE_EVENTS,
            Cap.DISPUTE_OUTCOMES,
            Cap.EVENT_LIST,
            Cap.IDEMPOTENCY_KEYS,
            Cap.DIAGNOSIS,
        }
    )

    def __init__(
        self,
        key: str,
        webhook_secrets: tuple[str, ...],
        *,
        api_base: str = "",
        invoices: bool = True,
        automatic_tax: bool = False,
    ) -> None:
        """`webhook_secrets`: the current one first, the previous one while it is being rotated. Raises ValueError."""
        self._secrets = checked(self.name, webhook_secrets)
        if api_base and "_live_" in key:
            raise ValueError("STRIPE_API_BASE must not be set together with a live key.")
        self._stripe = Connection(key, api_base=api_base)
        self._invoices = invoices
        self._tax = automatic_tax
        self._livemode = "_live_" in key

    @classmethod
    def configured(cls, settings: Any) -> Stripe:
        """The adapter for these settings. Raises ValueError when they are unsafe."""
        return cls(
            settings.stripe_secret_key,
            secrets_of(settings, cls.name),
            api_base=settings.stripe_api_base,
            invoices=bool(settings.stripe_invoices),
            automatic_tax=bool(settings.stripe_automatic_tax),
        )

    @property
    def livemode(self) -> bool:
        return self._livemode

    # Customers and their cards.

    def ensure_customer(self, *, customer_id: str, email: str, name: str | None, key: str) -> CustomerRef:
        known = {"email": email, "name": name, "metadata": {"customer_id": customer_id}}
        made = self._stripe.call(lambda v1: v1.customers.create(known, {"idempotency_key": key}))
        return CustomerRef(made["id"], customer_id)

    def create_setup(self, customer: CustomerRef, *, key: str) -> SetupSecret:
        wanted = {
            "customer": customer.id,
            "usage": "off_session",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": {"customer_id": customer.customer_id},
        }
        made = self._stripe.call(lambda v1: v1.setup_intents.create(wanted, {"idempotency_key": key}))
        return SetupSecret(made["id"], made["client_secret"])

    def list_cards(self, customer: CustomerRef) -> Sequence[Card]:
        default = cards.default_of(self._stripe, customer.id)
        found = self._stripe.pages(
            lambda v1, page: v1.customers.payment_methods.list(customer.id, {"type": "card", **page}), most=100
        )
        return [cards.card_of(method, default) for method in found]

    def set_default_card(self, customer: CustomerRef, card_id: str) -> None:
        cards.assert_own(self._stripe, customer.id, card_id)
        wanted = {"invoice_settings": {"default_payment_method": card_id}}
        self._stripe.call(lambda v1: v1.customers.update(customer.id, wanted))

    def detach_card(self, customer: CustomerRef, card_id: str) -> None:
        cards.assert_own(self._stripe, customer.id, card_id)
        self._stripe.call(lambda v1: v1.payment_methods.detach(card_id))

    # Money in.

    def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutSession:
        wanted = checkout.parameters(request, invoices=self._invoices, tax=self._tax)
        made = self._stripe.call(lambda v1: v1.checkout.sessions.create(wanted, {"idempotency_key": key}))
        return checkout.session_of(made)

    def get_checkout(self, session_id: str) -> CheckoutSession:
        return checkout.session_of(self._stripe.call(lambda v1: v1.checkout.sessions.retrieve(session_id)))

    def expire_checkout(self, session_id: str) -> CheckoutSession:
        return checkout.session_of(self._stripe.call(lambda v1: v1.checkout.sessions.expire(session_id)))

    def recheck_checkout(self, session_id: str) -> Heard | None:
        expanded = {"expand": ["payment_intent"]}
        session = self._stripe.call(lambda v1: v1.checkout.sessions.retrieve(session_id, expanded))
        event = checkout.missed_event(session, at=int(clock.now().timestamp()))
        if event is None:
            return None
        text = bodies.written(event)
        return Heard(wire.verified(event), text)

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
        card = card_id or cards.default_of(self._stripe, customer.id)
        if card is None:
            raise InvalidRequest("There is no saved card to charge.", code="no_saved_card")
        wanted = {
            "amount": amount.minor,
            "currency": amount.currency,
            "customer": customer.id,
            "payment_method": card,
            "off_session": True,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "description": description,
            "metadata": dict(metadata),
        }
        try:
            made = self._stripe.call(lambda v1: v1.payment_intents.create(wanted, {"idempotency_key": key}))
        except CardRefused as refused:
            return charges.refused_charge(refused)
        return charges.charge_of(made)

    # The customer's own page.

    def portal(
        self,
        customer: CustomerRef,
        *,
        return_url: str,
        subscription_id: str | None = None,  # noqa: ARG002 - the customer has one page for all
    ) -> Redirect:
        wanted = {"customer": customer.id, "return_url": return_url}
        return Redirect(self._stripe.call(lambda v1: v1.billing_portal.sessions.create(wanted))["url"])

    # What Stripe tells us.

    def verify(self, body: bytes, headers: Mapping[str, str]) -> Verified:
        header = bodies.header(headers, SIGNATURE_HEADER)
        signature.check(body, header, self._secrets, now=int(clock.real_now().timestamp()))
        return wire.verified(wire.parsed(body))

    def normalize(self, body: bytes) -> Sequence[Event]:
        return told.events_of(wire.parsed(body))

    def diagnose(self, *, webhook_url: str) -> Sequence[Finding]:
        return diagnosis.findings(self._stripe, webhook_url=webhook_url, livemode=self._livemode)
