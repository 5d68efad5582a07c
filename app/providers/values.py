"""The values that cross the port: capabilities, requests, answers and snapshots, free of any vendor's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from app.money import Money


class Cap(StrEnum):
    """What an adapter may be able to do. Declared per adapter; only what is built is declared."""

    CUSTOM_AMOUNT = "custom_amount"
    NAMED_PRODUCTS = "named_products"  # it sells what the catalogue names by its own id there, and makes nothing for us
    EXPIRE_CHECKOUT = "expire_checkout"
    DISCOUNTS = "discounts"
    SAVED_CARDS = "saved_cards"
    SETUP_INTENT = "setup_intent"
    OFF_SESSION = "off_session"
    PORTAL = "portal"
    REFUND_FULL = "refund_full"
    REFUND_PARTIAL = "refund_partial"
    SUBSCRIPTIONS = "subscriptions"
    SUBSCRIPTION_LIST = "subscription_list"  # all that a customer ever had can be listed
    PREVIEW = "preview"
    CHANGE_NOW = "change_now"
    CHANGE_AT_PERIOD_END = "change_at_period_end"
    CHANGE_FOR_RENEWAL = "change_for_renewal"  # made at once, and charged for from the renewal on
    CANCEL_AT_PERIOD_END = "cancel_at_period_end"
    CANCEL_NOW = "cancel_now"
    RESUME = "resume"
    INVOICES = "invoices"
    INVOICE_LINES = "invoice_lines"
    RETRY_PAYMENT = "retry_payment"
    DISPUTE_EVENTS = "dispute_events"
    DISPUTE_POLL = "dispute_poll"
    DISPUTE_OUTCOMES = "dispute_outcomes"  # how one ended is told, too; else staff enter it
    EVENT_LIST = "event_list"
    IDEMPOTENCY_KEYS = "idempotency_keys"  # an unanswered call may simply be sent again with its key
    MERCHANT_OF_RECORD = "merchant_of_record"
    DIAGNOSIS = "diagnosis"


@dataclass(frozen=True, slots=True)
class CustomerRef:
    """A customer as the provider knows it (`id`) and as we do (`customer_id`)."""

    id: str
    customer_id: str


Interval = Literal["month", "year"]


@dataclass(frozen=True, slots=True)
class PlanRef:
    """One price of our catalogue, already mapped to this provider's own id for it. `price` is before exclusive tax."""

    plan: str
    interval: Interval
    price: Money
    provider_price_id: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class DiscountRef:
    """One of our coupons as the provider knows it; `code_id` is the code a customer can type for it.

    A page that was paid with a code may tell the code alone: then `id` is empty.
    """

    id: str
    code_id: str | None = None


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """One hosted page to make. `amount` is before exclusive tax; a subscription names a `plan` instead."""

    order_id: str
    kind: Literal["topup", "credit_pack", "subscription", "save_card"]
    customer: CustomerRef
    title: str
    success_url: str
    cancel_url: str
    amount: Money | None = None
    plan: PlanRef | None = None
    currency: str | None = None  # save_card only: which methods are offered depends on it
    product_id: str | None = None  # the provider's product behind a custom amount, where one is needed
    discount: DiscountRef | None = None  # else the customer may type a code, with `allow_codes`
    allow_codes: bool = False
    save_card: bool = False
    email: str | None = None  # filled in on the page, where the provider does not know the customer by name
    name: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A hosted page as it is now. `url` is None once nobody can pay there any more."""

    id: str
    url: str | None
    status: Literal["open", "complete", "expired"]
    paid: bool
    order_id: str | None
    payment_id: str | None
    subscription_id: str | None
    expires_at: datetime | None
    setup_id: str | None = None  # save_card: what CardChanged tells the card of
    discount: DiscountRef | None = None  # what it was reduced by, chosen by us or by a code typed there


@dataclass(frozen=True, slots=True)
class Redirect:
    """A page of the provider's to send the customer to."""

    url: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SetupSecret:
    """What the browser needs to save a card with the provider directly."""

    id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Card:
    """A saved card: what a person recognises it by, never its number."""

    id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    is_default: bool


@dataclass(frozen=True, slots=True)
class ChargeResult:
    """What came of a charge. Where the customer must confirm it (3-D Secure), `redirect` or `action_secret` says how.

    `payment_id` is None only where a credit balance paid, or nothing was due.
    """

    payment_id: str | None
    status: Literal["succeeded", "processing", "requires_action", "failed"]
    decline_code: str | None = None
    message: str | None = None
    retry_advice: Literal["later", "never", "new_card"] | None = None
    action_secret: str | None = None
    redirect: Redirect | None = None


@dataclass(frozen=True, slots=True)
class RefundResult:
    """`refund_id` is None where a vendor answers a refund without naming it.

    `credit_note_id` is the vendor's own document for it, where it made one. `is_sum`: it stands for all that went back
    of the payment so far, where a vendor tells no single refunds.
    """

    refund_id: str | None
    status: Literal["pending", "succeeded", "failed", "canceled"]
    amount: Money
    our_refund_id: str | None = None
    credit_note_id: str | None = None
    is_sum: bool = False


@dataclass(frozen=True, slots=True)
class Verified:
    """The fast half of a webhook: enough to keep it once. Nothing of it is believed about money yet."""

    event_id: str
    raw_type: str
    occurred_at: datetime
    livemode: bool
    object_id: str | None
    api_version: str | None = None

    def told_by(self, provider: str) -> dict[str, Any]:
        """What every event that came in this envelope says of where it is from."""
        return {
            "provider": provider,
            "event_id": self.event_id,
            "raw_type": self.raw_type,
            "occurred_at": self.occurred_at,
            "livemode": self.livemode,
        }


@dataclass(frozen=True, slots=True)
class Heard:
    """An event that did not come by webhook: read from the provider, and put through the same inbox."""

    verified: Verified
    body: bytes


FEED_MOST = 5000  # events or disputes in one answer of a feed, the newest; as many as that may not be all


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `purser doctor`: whether it is well, and a sentence that says what to do if not."""

    ok: bool
    sentence: str
