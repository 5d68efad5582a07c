"""What Purser answers about plans, payments and papers, as typed dictionaries; see `answers` for the rest.

Amounts are whole numbers: `…_cents` in minor units, `…_micros` in millionths of a unit. Times are RFC 3339.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Method = Literal["WALLET", "CARD"]


class PendingChange(TypedDict):
    id: str
    state: str
    plan: str
    interval: str
    effective_at: str
    action_url: str | None


class StateAnswer(TypedDict):
    """Where a customer stands with their plan."""

    tier: str
    plan: str
    plan_name: str
    status: str
    subscription_id: str | None
    interval: str | None
    price_cents: int | None
    currency: str | None
    payment_method: Method | None
    next_payment_method: Method | None
    current_period_start: str
    current_period_end: str
    next_billing_date: str | None
    effective_at: str
    ends_at: str | None
    grace_ends_at: str | None
    pending_change: PendingChange | None


class SavedCard(TypedDict):
    id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int


class BillingAnswer(StateAnswer):
    saved_payment_method: SavedCard | None
    provider_available: bool


class PreviewLine(TypedDict):
    description: str
    amount_cents: int


class ExcessAnswer(TypedDict):
    feature: str
    in_use: int
    limit: int


class PreviewAnswer(TypedDict):
    change_id: str
    plan: str
    interval: str
    effect: str
    effective_at: str
    charge_cents: int
    credit_cents: int
    tax_cents: int
    due_now_cents: int
    currency: str
    lines: list[PreviewLine]
    next_total_cents: int | None
    next_at: str | None
    exceeds: list[ExcessAnswer]
    expires_at: str


class RetryAnswer(TypedDict):
    invoice_id: str | None
    status: str
    message: str
    url: str | None


class TopUpAnswer(TypedDict):
    checkout_url: str
    session_id: str


class RefundAnswer(TypedDict):
    id: str
    transaction_id: str
    status: Literal["on_its_way", "succeeded", "failed"]
    amount_cents: int
    tax_cents: int
    refunded_cents: int
    failure: NotRequired[str | None]
    created_at: str


class ListedInvoice(TypedDict):
    id: str
    number: str | None
    status: Literal["open", "paid", "refunded", "void", "uncollectible"]
    type: str
    description: str
    currency: str
    subtotal_cents: int
    discount_cents: int
    tax_cents: int
    total_cents: int
    due_cents: int
    issued_at: str
    paid_at: str | None
    period_start: str | None
    period_end: str | None


class InvoicesAnswer(TypedDict):
    count: int
    page: int
    pages: int
    limit: int
    invoices: list[ListedInvoice]
    next_cursor: str | None


class InvoiceAnswer(ListedInvoice):
    """One invoice; its parts are as `/docs/api` says."""

    note: str | None
    seller: dict[str, Any]
    buyer: dict[str, Any]
    lines: list[dict[str, Any]]
    taxes: list[dict[str, Any]]
    payment: dict[str, Any]
    credit_notes: list[dict[str, Any]]


class OrderAnswer(TypedDict):
    id: str
    type: Literal["topup", "subscription", "credit_pack", "invoice"]
    status: str
    description: str
    amount: int
    currency: str
    credits: int | None
    coupon: str | None
    channel: str
    checkout_url: str | None
    invoice_id: str | None
    failure: str | None
    created_at: str
    paid_at: str | None


class PlanAnswer(TypedDict):
    id: str
    name: str
    description: str
    price_monthly: int | None
    price_yearly: int | None
    credits_included: int
    features: list[str]


class CheckedIn(TypedDict):
    date: str
    time_zone: str
    credits: int
    bonus: int
    streak: int
    balance: int
    next_at: str
