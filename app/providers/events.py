"""What providers tell us, normalised: one union of frozen facts that every adapter's `normalize` returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.money import Money
from app.providers.billing import InvoiceDoc, SubscriptionState
from app.providers.values import CheckoutSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What every event has: who told it, under which id, and when it happened there."""

    provider: str
    event_id: str
    raw_type: str
    occurred_at: datetime
    livemode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutCompleted(Told):
    """The page was filled in. Slow methods (bank debits) pay days later: this is not money."""

    session: CheckoutSession
    order_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutExpired(Told):
    session_id: str
    order_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSucceeded(Told):
    """Money in, one-off (top-up, pack, a saved card charged by us): the order says what it is for.

    `net` is what was paid before exclusive tax, which is `tax` minor units on top. What the order asked for is that and
    `discount`, what a code of the provider's own took off. `product_id`: what it was sold as, where that is not what
    amounts of one's choice are sold as.
    """

    payment_id: str
    order_id: str | None
    net: Money
    tax: int
    customer_id: str | None  # the provider's
    invoice_id: str | None
    discount: int = 0
    product_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidByCard(Told):
    """Which card paid, by what people recognise it by. The money itself is told by something else."""

    payment_id: str
    customer_id: str | None  # the provider's
    brand: str | None
    last4: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(Told):
    payment_id: str | None
    order_id: str | None
    amount: Money
    code: str | None
    message: str | None
    invoice_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChanged(Told):
    """Every lifecycle event becomes this one; `state` is None when it must be fetched, `hint` is only for words."""

    subscription_id: str
    state: SubscriptionState | None
    hint: Literal[
        "created",
        "activated",
        "updated",
        "renewed",
        "cancel_scheduled",
        "uncanceled",
        "past_due",
        "paused",
        "resumed",
        "ended",
        "pending_applied",
        "pending_expired",
        "trial_ending",
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceChanged(Told):
    """An invoice reached a state, or was corrected. `invoice` is None when it must be fetched; `upcoming` cannot be."""

    invoice_id: str
    invoice: InvoiceDoc | None
    payment_id: str | None = None  # set by the event that links a payment to its invoice
    hint: Literal[
        "finalized", "paid", "failed", "action_required", "voided", "uncollectible", "upcoming", "linked", "credited"
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundChanged(Told):
    """`cumulative` is set by providers that only tell the total paid back so far, per payment."""

    refund_id: str
    payment_id: str | None
    status: Literal["pending", "succeeded", "failed", "canceled"]
    amount: Money
    cumulative: int | None
    our_refund_id: str | None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeChanged(Told):
    """A chargeback, or an inquiry that may become one. No money moves in an inquiry.

    `fee` is what the provider asks for it, in minor units. `evidence`: saved there, sent to the bank, or too late.
    """

    dispute_id: str
    payment_id: str | None
    amount: Money
    phase: Literal[
        "inquiry", "open", "funds_withdrawn", "funds_reinstated", "won", "lost", "prevented", "closed_inquiry"
    ]
    reason: str | None
    due_by: datetime | None
    fee: int = 0
    evidence: Literal["none", "saved", "sent", "late"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChanged(Told):
    """`order_id` is set where the card was saved on a page opened for one of our orders."""

    customer_id: str | None
    card_id: str | None
    order_id: str | None = None
    brand: str | None = None
    last4: str | None = None  # where the news holds the card itself
    hint: Literal["attached", "detached", "updated", "default_changed", "setup_succeeded", "setup_failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored(Told):
    """Nothing for us, and why: kept in the inbox so that staff can see it came."""

    why: str


Event = (
    CheckoutCompleted
    | CheckoutExpired
    | PaymentSucceeded
    | PaidByCard
    | PaymentFailed
    | SubscriptionChanged
    | InvoiceChanged
    | RefundChanged
    | DisputeChanged
    | CardChanged
    | Ignored
)
