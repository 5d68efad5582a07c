"""Creem, a merchant of record: hosted checkout of products made by hand, full refunds, signed events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app import clock
from app.providers.creem import body as wire
from app.providers.creem import checkout, diagnosis, signature, told
from app.providers.creem.connection import Connection, is_test_key
from app.providers.creem.subscriptions import Subscribing
from app.providers.errors import InvalidRequest, NotConfigured, NotFound
from app.providers.events import Event
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

_ALWAYS = frozenset(
    {
        Cap.NAMED_PRODUCTS,
        Cap.PORTAL,
        Cap.REFUND_FULL,
        Cap.SUBSCRIPTIONS,
        Cap.CHANGE_NOW,
        Cap.CHANGE_FOR_RENEWAL,
        Cap.CANCEL_AT_PERIOD_END,
        Cap.CANCEL_NOW,
        Cap.RESUME,
        Cap.INVOICES,
        Cap.DISPUTE_EVENTS,
        Cap.MERCHANT_OF_RECORD,
        Cap.DIAGNOSIS,
    }
)


class Creem(Subscribing):
    """One store. What it is told of a customer is our own id, which comes back with all that follows from a page."""

    name, title, sold_as = "creem", "Creem", "product"

    def __init__(self, key: str, webhook_secrets: tuple[str, ...], *, product_id: str = "", api_base: str = "") -> None:
        """`webhook_secrets`: the current one first, the one before while it is being replaced. Raises ValueError."""
        self._secrets = checked(self.name, webhook_secrets)
        if api_base and not is_test_key(key):
            raise ValueError("CREEM_API_BASE must not be set together with a live key.")
        self._creem = Connection(key, api_base=api_base)
        self._product_id = product_id
        self._livemode = not is_test_key(key)

    @classmethod
    def configured(cls, settings: Any) -> Creem:
        """The adapter for these settings. Raises ValueError when they are unsafe."""
        where = {"product_id": settings.creem_product_id, "api_base": settings.creem_api_base}
        return cls(settings.creem_api_key, secrets_of(settings, cls.name), **where)

    def close(self) -> None:
        """Let go of the line to Creem."""
        self._creem.close()

    @property
    def capabilities(self) -> frozenset[Cap]:
        """An amount of one's choice needs a product to be sold as."""
        return _ALWAYS | {Cap.CUSTOM_AMOUNT} if self._product_id else _ALWAYS

    @property
    def livemode(self) -> bool:
        return self._livemode

    def ensure_customer(
        self,
        *,
        customer_id: str,
        email: str,  # noqa: ARG002 - Creem makes its customers itself, one for each address; ours may share one
        name: str | None,  # noqa: ARG002
        key: str,  # noqa: ARG002
    ) -> CustomerRef:
        return CustomerRef(customer_id, customer_id)

    def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutSession:  # noqa: ARG002 - it knows none
        wanted = checkout.parameters(request, self._product_id)
        try:
            return checkout.session_of(self._creem.post("/v1/checkouts", wanted))
        except NotFound as gone:  # nothing else is named but the product
            sentence = f"Creem has no product {wanted['product_id']}, which {request.title} is sold as."
            raise NotConfigured(sentence, code="product_gone", request_id=gone.request_id) from gone

    def get_checkout(self, session_id: str) -> CheckoutSession:
        return checkout.session_of(self._creem.get("/v1/checkouts", checkout_id=session_id))

    def recheck_checkout(self, session_id: str) -> Heard | None:
        page = self._creem.get("/v1/checkouts", checkout_id=session_id)
        return checkout.missed(self._creem, page, at=clock.now())

    def portal(
        self,
        customer: CustomerRef,  # noqa: ARG002 - Creem knows them by its own id
        *,
        return_url: str,  # noqa: ARG002 - it has no way back
        subscription_id: str | None = None,
    ) -> Redirect:
        if subscription_id is None:
            raise InvalidRequest("Only who has a subscription has a portal there.", code="no_subscription")
        whose = wire.id_of(self._sub(subscription_id)["customer"])
        return Redirect(self._creem.post("/v1/customers/billing", {"customer_id": whose})["customer_portal_link"])

    # What Creem tells us.

    def verify(self, body: bytes, headers: Mapping[str, str]) -> Verified:
        signature.check(body, headers, self._secrets, now=int(clock.real_now().timestamp()))
        return wire.verified(wire.parsed(body))

    def normalize(self, body: bytes) -> Sequence[Event]:
        return told.events_of(wire.parsed(body), self._product_id)

    def diagnose(self, *, webhook_url: str) -> Sequence[Finding]:
        return diagnosis.findings(
            self._creem, product_id=self._product_id, webhook_url=webhook_url, livemode=self._livemode
        )
