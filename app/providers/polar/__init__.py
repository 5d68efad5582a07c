"""Polar, a merchant of record: hosted checkout, its portal, subscriptions, refunds before tax, Standard Webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app import clock
from app.providers import standard_webhooks
from app.providers.events import Event
from app.providers.polar import body as wire
from app.providers.polar import checkout, customers, diagnosis, told
from app.providers.polar.connection import API, Connection
from app.providers.polar.feed import Asking
from app.providers.polar.invoices import GivingBack, Invoicing
from app.providers.polar.subscriptions import Subscribing
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


class Polar(Subscribing, Invoicing, GivingBack, Asking):
    """One Polar organization, live or in the sandbox: the servers are two, and so are their tokens.

    Polar knows no idempotency keys. A page may be made twice, for an unpaid one costs nothing; all else is looked for
    by our own id before it is asked for again.
    """

    name, title, sold_as = "polar", "Polar", "product"
    capabilities = frozenset(
        {
            Cap.CUSTOM_AMOUNT,
            Cap.PORTAL,
            Cap.REFUND_FULL,
            Cap.REFUND_PARTIAL,
            Cap.SUBSCRIPTIONS,
            Cap.SUBSCRIPTION_LIST,
            Cap.CHANGE_NOW,
            Cap.CHANGE_AT_PERIOD_END,
            Cap.CANCEL_AT_PERIOD_END,
            Cap.CANCEL_NOW,
            Cap.RESUME,
            Cap.INVOICES,
            Cap.INVOICE_LINES,
            Cap.DISPUTE_POLL,
            Cap.DISPUTE_OUTCOMES,
            Cap.EVENT_LIST,
            Cap.MERCHANT_OF_RECORD,
            Cap.DIAGNOSIS,
        }
    )

    def __init__(
        self, token: str, webhook_secrets: tuple[str, ...], *, api_base: str = "", organization_id: str = ""
    ) -> None:
        """`webhook_secrets`: the current one first, the one before while it is being replaced. Raises ValueError."""
        self._secrets = checked(self.name, webhook_secrets)
        self._polar = Connection(token, api_base=api_base, organization_id=organization_id)
        self._livemode = api_base.rstrip("/") in ("", API)

    @classmethod
    def configured(cls, settings: Any) -> Polar:
        """The adapter for these settings. Raises ValueError when they are unsafe."""
        return cls(
            settings.polar_access_token,
            secrets_of(settings, cls.name),
            api_base=settings.polar_api_base,
            organization_id=settings.polar_organization_id,
        )

    def close(self) -> None:
        """Let go of the line to Polar."""
        self._polar.close()

    @property
    def livemode(self) -> bool:
        return self._livemode

    def ensure_customer(self, *, customer_id: str, email: str, name: str | None, key: str) -> CustomerRef:  # noqa: ARG002
        return customers.ensure(self._polar, customer_id=customer_id, email=email, name=name)

    def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutSession:  # noqa: ARG002
        return checkout.session_of(checkout.opened(self._polar, request))

    def get_checkout(self, session_id: str) -> CheckoutSession:
        return checkout.session_of(self._polar.get(f"/v1/checkouts/{session_id}"))

    def recheck_checkout(self, session_id: str) -> Heard | None:
        page = self._polar.get(f"/v1/checkouts/{session_id}")
        return checkout.missed(self._polar, page, at=clock.now(), livemode=self._livemode)

    def portal(self, customer: CustomerRef, *, return_url: str, subscription_id: str | None = None) -> Redirect:  # noqa: ARG002
        wanted = {"customer_id": customer.id, "return_url": return_url}
        made = self._polar.post("/v1/customer-sessions/", wanted)
        return Redirect(made["customer_portal_url"], wire.maybe_instant(made["expires_at"]))

    # What Polar tells us.

    def verify(self, body: bytes, headers: Mapping[str, str]) -> Verified:
        now = int(clock.real_now().timestamp())
        event_id = standard_webhooks.check(body, headers, self._secrets, now=now)
        return wire.verified(wire.parsed(body), event_id, livemode=self._livemode)

    def normalize(self, body: bytes) -> Sequence[Event]:
        return told.events_of(wire.parsed(body), livemode=self._livemode)

    def diagnose(self, *, webhook_url: str) -> Sequence[Finding]:
        return diagnosis.findings(self._polar, webhook_url=webhook_url, livemode=self._livemode)
