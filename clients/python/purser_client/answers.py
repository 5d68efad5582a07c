"""What Purser answers, as typed dictionaries. A newer Purser may answer more than stands here; nothing is dropped.

Amounts are whole numbers: `…_cents` in minor units, `…_micros` in millionths of a unit. Times are RFC 3339.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class CustomerAnswer(TypedDict):
    id: str
    name: str
    email: str
    external_id: str | None
    created_at: str


class PortalSessionAnswer(TypedDict):
    url: str
    expires_at: str


class BalanceAnswer(TypedDict):
    operator_id: str
    balance_cents: int
    balance_micros: int
    available_cents: int
    tier: str
    billing_period_start: str
    billing_period_end: str
    usage: dict[str, int]


class Transaction(TypedDict):
    id: str
    type: str
    amount_cents: int
    amount_micros: int
    balance_after_cents: int
    description: str
    created_at: str


class TransactionsAnswer(TypedDict):
    count: int
    transactions: list[Transaction]
    next_cursor: str | None


class HoldAnswer(TypedDict):
    id: str
    state: Literal["held", "settled", "released", "expired"]
    amount_micros: int
    expires_at: str
    settled_micros: NotRequired[int]
    transaction_id: NotRequired[str]


class UsageEvent(TypedDict):
    """What you report. The same `id` again is counted once."""

    id: str
    meter: str
    quantity: int
    source: NotRequired[str]
    occurred_at: NotRequired[str]


class RefusedEvent(TypedDict):
    id: str
    code: str
    message: str
    details: dict[str, Any]


class UsageAnswer(TypedDict):
    accepted: int
    duplicates: int
    refused: list[RefusedEvent]


class LimitAnswer(TypedDict):
    feature: str
    kind: Literal["rate", "flag", "count", "allowance", "credits"]
    allowed: bool
    limit: int | None
    used: int
    left: int | None
    resets_at: str | None


class EntitlementsAnswer(TypedDict):
    plan: str
    status: str
    limits: list[LimitAnswer]


class CheckAnswer(LimitAnswer):
    plan: str
    reason: NotRequired[str]
    message: NotRequired[str]
    remedy: NotRequired[str]
    upgrade: NotRequired[str]
    figures: NotRequired[dict[str, int]]


class ResourceAnswer(TypedDict):
    kind: str
    id: str
    in_use: int
    limit: int | None
    left: int | None


class QuoteAnswer(TypedDict):
    action: str
    quantity: int
    unit_cost: int
    cost: int
    balance: int
    balance_after: int
    allowed: bool


class SpendAnswer(TypedDict):
    id: str
    type: str
    amount: int
    balance_after: int
    description: str
    created_at: str


class CreditTransaction(TypedDict):
    id: str
    type: str
    amount: int
    description: str
    created_at: str


class AttemptAnswer(TypedDict):
    number: int
    at: str
    status: int | None
    error: str | None
    milliseconds: int


class DeliveryAnswer(TypedDict):
    id: str
    event_id: str
    type: str
    customer: str
    endpoint_id: str
    url: str
    state: Literal["pending", "delivered", "gave_up", "stopped"]
    attempts: int
    last_status: int | None
    last_error: str | None
    created_at: str
    delivered_at: str | None
    next_attempt_at: str | None


class DeliveriesAnswer(TypedDict):
    deliveries: list[DeliveryAnswer]
    next_cursor: str | None


class OneDeliveryAnswer(DeliveryAnswer):
    message: dict[str, Any]
    tries: list[AttemptAnswer]
