"""Lemon Squeezy, a merchant of record: hosted checkout, subscriptions by variant, refunds and signed events.

It sells to the customer itself and owes the tax. It keeps no cards for us, previews nothing, and changes and ends
nothing but at once or with the period; what it cannot do is not declared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app import clock
from app.providers import bodies
from app.providers.errors import InvalidRequest, NotConfigured, NotFound
from app.providers.events import Event
from app.providers.lemonsqueezy import body as wire
from app.providers.lemonsqueezy import checkout, diagnosis, told
from app.providers.lemonsqueezy.connection import Connection
from app.providers.lemonsqueezy.reading import Reader
from app.providers.lemonsqueezy.returns import GivingBack
from app.providers.lemonsqueezy.shop import Shop
from app.providers.lemonsqueezy.subscriptions import Subscribing
from app.providers.values import (
    Cap,
    CheckoutRequest,
    CheckoutSession,
    CustomerRef,
    Finding,
    Heard,
    Redirect,
    Verified,
)
from app.providers.webhook_secrets import checked, secrets_of

SIGNATURE_HEADER = "X-Signature"
_ALWAYS = frozenset(
    {
        Cap.NAMED_PRODUCTS,
        Cap.PORTAL,
        Cap.REFUND_FULL,
        Cap.REFUND_PARTIAL,
        Cap.SUBSCRIPTIONS,
        Cap.CHANGE_NOW,
        Cap.CHANGE_FOR_RENEWAL,
        Cap.CANCEL_AT_PERIOD_END,
        Cap.RESUME,
        Cap.INVOICES,
        Cap.MERCHANT_OF_RECORD,
        Cap.DIAGNOSIS,
    }
)


class LemonSqueezy(Subscribing, GivingBack):
    """One store. What it is told of a customer is our own id, which comes back with all that follows from a page."""

    name, title, sold_as = "lemonsqueezy", "Lemon Squeezy", "variant"

    def __init__(self, key: str, webhook_secrets: tuple[str, ...], shop: Shop, *, api_base: str = "") -> None:
        """`webhook_secrets`: the current one first, the previous one while it is being rotated. Raises ValueError."""
        self._secrets = checked(self.name, webhook_secrets)
        if not shop.store_id.isdigit() or (shop.variant_id and not shop.variant_id.isdigit()):
            raise ValueError("LEMONSQUEEZY_STORE_ID and LEMONSQUEEZY_VARIANT_ID must be numbers.")
        self._lemon = Connection(key, api_base=api_base)
        self._reader = Reader(self._lemon, shop)
        self._shop = shop

    @classmethod
    def configured(cls, settings: Any) -> LemonSqueezy:
        """The adapter for these settings. Raises ValueError when they are unsafe."""
        shop = Shop(
            settings.lemonsqueezy_store_id,
            settings.lemonsqueezy_variant_id,
            test_mode=settings.lemonsqueezy_test_mode == 1,
        )
        secrets = secrets_of(settings, cls.name)
        return cls(settings.lemonsqueezy_api_key, secrets, shop, api_base=settings.lemonsqueezy_api_base)

    def close(self) -> None:
        """Give back the connections it holds."""
        self._lemon.close()

    @property
    def capabilities(self) -> frozenset[Cap]:
        """An amount of one's choice needs a variant to be sold as."""
        return _ALWAYS | {Cap.CUSTOM_AMOUNT} if self._shop.variant_id else _ALWAYS

    @property
    def livemode(self) -> bool:
        return not self._shop.test_mode

    def ensure_customer(
        self,
        *,
        customer_id: str,
        email: str,  # noqa: ARG002 - people may write another on the page, and two customers of ours may share one
        name: str | None,  # noqa: ARG002
        key: str,  # noqa: ARG002
    ) -> CustomerRef:
        return CustomerRef(customer_id, customer_id)

    def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutSession:  # noqa: ARG002 - they know none
        now = clock.now()
        wanted = checkout.document(request, self._shop, now=now)
        try:
            page = self._lemon.write("POST", "/checkouts", wanted)["data"]
        except NotFound as gone:  # nothing else is named but the store and the variant
            variant = wanted["data"]["relationships"]["variant"]["data"]["id"]
            sentence = f"Lemon Squeezy has no variant {variant}, which {request.title} is sold as."
            raise NotConfigured(sentence, code="variant_gone", request_id=gone.request_id) from gone
        return checkout.session_of(page, None, now=now)

    def get_checkout(self, session_id: str) -> CheckoutSession:
        page = checkout.read_page(self._lemon, self._shop, session_id)
        order = checkout.order_on(self._lemon, self._shop, page)
        return checkout.session_of(page, order, now=clock.now())

    def recheck_checkout(self, session_id: str) -> Heard | None:
        page = checkout.read_page(self._lemon, self._shop, session_id)
        event = checkout.missed_event(self._lemon, self._shop, page, now=clock.now())
        if event is None:
            return None
        text = bodies.written(event)
        return Heard(wire.verified(wire.parsed(text)), text)

    def portal(
        self,
        customer: CustomerRef,  # noqa: ARG002 - it is reached through a subscription
        *,
        return_url: str,  # noqa: ARG002 - it has no way back
        subscription_id: str | None = None,
    ) -> Redirect:
        if subscription_id is None:
            raise InvalidRequest("Only who has a subscription has a portal there.", code="no_subscription")
        links = self._reader.subscription(subscription_id)["attributes"]["urls"]
        return Redirect(links["customer_portal"])

    # What they tell us.

    def verify(self, body: bytes, headers: Mapping[str, str]) -> Verified:
        bodies.check_hex(body, bodies.header(headers, SIGNATURE_HEADER), self._secrets, header=SIGNATURE_HEADER)
        return wire.verified(wire.parsed(body))

    def normalize(self, body: bytes) -> Sequence[Event]:
        return told.events_of(wire.parsed(body), self._shop)

    def diagnose(self, *, webhook_url: str) -> Sequence[Finding]:
        return diagnosis.findings(self._lemon, self._shop, webhook_url=webhook_url)
