"""The values that cross the port about billing: subscriptions, what a change costs, invoices, coupons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from app.money import Money
from app.providers.values import PlanRef, RefundResult


@dataclass(frozen=True, slots=True)
class CouponTerms:
    """A coupon of ours that takes money off: `percent` or `amount`, never both. Bonus credits are no provider's matter.

    `months` goes with "repeating". `plans` (key and name) limits it to them; empty is everything.
    """

    coupon_id: str
    code: str
    name: str
    duration: Literal["once", "repeating", "forever"]
    percent: int | None = None
    amount: Money | None = None
    months: int | None = None
    max_redemptions: int | None = None
    ends_at: datetime | None = None
    plans: Mapping[str, str] = field(default_factory=dict)


SubscriptionStatus = Literal["incomplete", "trialing", "active", "past_due", "unpaid", "paused", "canceled"]
CancelReason = Literal[
    "too_expensive",
    "missing_features",
    "switched_service",
    "unused",
    "customer_service",
    "low_quality",
    "too_complex",
    "other",
]
CANCEL_REASONS: tuple[str, ...] = get_args(CancelReason)


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change of price that is agreed and not yet so.

    It begins at `at`, or, where `at` is None, when its invoice is paid; if that is not paid by `expires_at` it lapses.
    """

    provider_price_id: str
    at: datetime | None
    expires_at: datetime | None = None
    invoice_id: str | None = None  # to be paid for it
    plan: PlanRef | None = None  # None where the provider names the price alone


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """A whole snapshot of a subscription: stored whole, never patched field by field.

    `plan` says what `provider_price_id` is in our words, from what `ensure_price` wrote on it; None for a price that
    was not made by us. A subscription whose first payment lies ahead is "trialing" until `trial_end`.
    """

    id: str
    customer_id: str  # the provider's
    status: SubscriptionStatus
    provider_price_id: str
    plan: PlanRef | None
    quantity: int
    started_at: datetime
    anchor_at: datetime  # its periods are counted from here
    period_start: datetime | None
    period_end: datetime | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    cancel_reason: CancelReason | None
    cancel_comment: str | None
    ended_at: datetime | None
    trial_end: datetime | None
    pending: PendingChange | None
    item_id: str | None
    card_id: str | None  # its own; None means the customer's default card
    latest_invoice_id: str | None
    version: datetime  # when this was true at the provider; an older one never replaces a newer one
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One tax on an invoice: `percent` as the law writes it ("8.25"), `amount` in minor units; both may be nothing.

    `reverse_charge`: the buyer owes it, not the seller.
    """

    name: str
    percent: str | None
    amount: int
    reverse_charge: bool = False


@dataclass(frozen=True, slots=True)
class CreditNoteDoc:
    """A correction of a finalised invoice, in minor units, tax included."""

    id: str
    number: str | None
    invoice_id: str
    total: int
    tax: int
    currency: str
    created: datetime
    pdf_url: str | None
    our_refund_id: str | None = None


@dataclass(frozen=True, slots=True)
class BuyerDoc:
    """Who an invoice is made out to, as of its finalising. `address` has the lines there are, country last."""

    name: str | None
    email: str | None
    address: Sequence[str]
    country: str | None
    tax_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line, before exclusive tax. A negative `amount` is a credit."""

    description: str
    quantity: int
    amount: int
    tax: int
    proration: bool
    period_start: datetime | None
    period_end: datetime | None
    id: str | None = None
    provider_price_id: str | None = None


@dataclass(frozen=True, slots=True)
class InvoiceDoc:
    """A whole snapshot of a provider's invoice, in minor units. `complete`: these are all its lines.

    `amount_due` is the total less what a credit balance covered, `amount_remaining` is what of it is not paid yet,
    `credited` is what credit notes took back after payment. What `get_invoice` answers is whole; elsewhere taxes may
    lack their names, and payments and credit notes may be missing.
    """

    id: str
    number: str | None
    customer_id: str
    subscription_id: str | None
    status: Literal["draft", "open", "paid", "void", "uncollectible", "refunded"]
    reason: Literal["subscription_create", "subscription_cycle", "subscription_update", "one_off", "other"]
    currency: str
    subtotal: int
    discount: int
    tax: int
    total: int
    amount_paid: int
    amount_due: int
    amount_remaining: int
    credited: int
    lines: Sequence[InvoiceLine]
    taxes: Sequence[TaxLine]
    complete: bool
    created: datetime
    finalized_at: datetime | None
    paid_at: datetime | None
    next_attempt: datetime | None
    attempts: int
    hosted_url: str | None
    pdf_url: str | None
    payment_ids: Sequence[str]
    buyer: BuyerDoc
    metadata: Mapping[str, str] = field(default_factory=dict)  # its own, over its subscription's
    credit_notes: Sequence[CreditNoteDoc] | None = None  # only `get_invoice` reads them


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """What a change at `as_of` costs, in minor units: `charge` less `credit` less `discount` plus `tax` is the total.

    `due_now` is what the card pays: the total less `from_balance`, never below nothing. Made with the same `as_of`,
    the change costs exactly this. `next_total` is the invoice at the end of the period, taxes included.
    """

    due_now: Money
    credit: int
    charge: int
    discount: int
    tax: int
    from_balance: int
    lines: Sequence[InvoiceLine]
    taxes: Sequence[TaxLine]
    as_of: datetime
    next_total: Money | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class UnusedPart:
    """What one line of one paid invoice gives back: `net` minor units, before `tax`."""

    invoice_id: str
    line_id: str
    net: int
    tax: int


@dataclass(frozen=True, slots=True)
class UnusedValue:
    """What is left of a paid period, and so can be paid back: net and its tax, in minor units.

    Computed before the subscription ends, and kept by the caller: afterwards nobody can tell any more. `to_card` is
    what of the two together the card gets; the rest was paid from a credit balance and returns there.
    """

    net: Money
    tax: int
    to_card: int
    as_of: datetime
    parts: Sequence[UnusedPart] = ()


@dataclass(frozen=True, slots=True)
class RefundedUnused:
    """What was given back: to the card, and as credit for later invoices where no card had paid. Tax included."""

    refunds: Sequence[RefundResult]
    credit_notes: Sequence[CreditNoteDoc]
    refunded: Money
    credited: Money
