"""Subscriptions' tables: what a customer has, which periods it was invoiced for, its changes, and negotiated terms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

STATUSES = ("incomplete", "active", "past_due", "restricted", "canceled")
PAID_BY = ("wallet", "card")
INTERVALS = ("month", "year")
CHANGE_KINDS = ("upgrade", "downgrade", "cancel_now", "pay_by")
CHANGE_STATES = ("previewed", "in_flight", "scheduled", "applied", "failed", "expired", "undone")


class Subscription(Base):
    """What a customer is subscribed to. A customer has at most one that has not ended; none is the free plan.

    `paid_by` card: the provider `channel` runs it as `provider_id`, renews it and retries payments; what is here is a
    whole snapshot of the provider's state, true at `provider_version`. `paid_by` wallet: renewals and retries are ours.
    Periods are counted from `anchor_at` in `time_zone`, both frozen (SPEC R6). `price_minor` is what one `interval`
    costs this customer, before tax, in minor units of `currency`.

    incomplete: begun, first payment open. past_due: full access, `past_due_since` begins the grace period.
    restricted: the grace period is over. canceled: `ended_at` is set, the customer is on the free plan.
    """

    __tablename__ = "subscription"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)  # sub_…
    plan_id: Mapped[str]
    version: Mapped[int]
    interval: Mapped[str] = mapped_column(String(5))
    price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    paid_by: Mapped[str] = mapped_column(String(6))
    pays_next_by: Mapped[str | None] = mapped_column(String(6))  # from the next period on, where that was changed
    channel: Mapped[str | None]
    provider_id: Mapped[str | None]
    provider_version: Mapped[datetime | None]
    provider_state: Mapped[dict[str, Any]]  # the snapshot as it was told, for staff
    status: Mapped[str] = mapped_column(String(10))
    anchor_at: Mapped[datetime]
    time_zone: Mapped[str]
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    cancel_at_period_end: Mapped[bool]
    cancel_reason: Mapped[str | None]
    past_due_since: Mapped[datetime | None]
    grace_ends_at: Mapped[datetime | None]  # of a payment that failed: until then nothing is taken away
    next_attempt_at: Mapped[datetime | None]  # when a failed payment is tried again, ours or the provider's
    attempts: Mapped[int]  # how often the open invoice was tried
    due_at: Mapped[datetime | None]  # when the worker must look at it next; None: the provider tells
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        CheckConstraint(f"paid_by IN {PAID_BY}", name="paid_by"),
        CheckConstraint(f"pays_next_by IN {PAID_BY}", name="pays_next_by"),
        CheckConstraint(f"interval IN {INTERVALS}", name="interval"),
        CheckConstraint("price_minor >= 0", name="price"),
        CheckConstraint("period_start < period_end", name="period"),
        CheckConstraint("(status = 'canceled') = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint("paid_by <> 'card' OR provider_id IS NOT NULL", name="provider"),
        Index(
            "uq_subscription_one_live",
            "customer_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        CheckConstraint("(past_due_since IS NULL) = (grace_ends_at IS NULL)", name="grace"),
        Index(
            "ix_subscription_plan_version",  # who has which version: for lists and counts of staff
            "plan_id",
            "version",
            "customer_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_subscription_counted",  # all that recurring revenue is counted by, so that no row is read for it
            "plan_id",
            "interval",
            "price_minor",
            "currency",
            "status",
            "paid_by",
            "cancel_at_period_end",
            "period_end",
            "grace_ends_at",
        ),
        Index("ix_subscription_due_at", "due_at"),
        Index("ix_subscription_grace_ends_at", "grace_ends_at"),
        Index("ix_subscription_period_end", "period_end"),
        Index("ix_subscription_channel_provider_id", "channel", "provider_id"),
        Index("ix_subscription_id", "id"),
        Index("ix_subscription_status_id", "status", "id"),
        Index(
            "ix_subscription_status_customer_id",
            "status",
            "customer_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )


class SubscriptionPeriod(Base):
    """A stretch of time `[starts_at, ends_at)` that one invoice was made for, on one plan and interval.

    Every second of a paid subscription belongs to exactly one. A change of interval and a cancellation that takes
    effect now cut the last one short (`ends_at`); `paid_until` keeps what it had been.
    """

    __tablename__ = "subscription_period"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime]
    paid_until: Mapped[datetime]
    plan_id: Mapped[str]
    version: Mapped[int]
    interval: Mapped[str] = mapped_column(String(5))
    invoice_id: Mapped[str]  # ours, inv_…
    created_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("starts_at <= ends_at AND ends_at <= paid_until", name="order"),)


class SubscriptionChange(Base):
    """A change of a subscription, from the preview the customer saw to its end.

    previewed: shown, holds until `expires_at` (ten minutes) and is charged to the cent: `as_of` is the instant it was
    computed for. in_flight: confirmed, the payment is not through; a second one is refused (SPEC P9). scheduled: takes
    effect at `effective_at`. The other states are ends. Amounts in minor units; `due_minor` includes tax.
    """

    __tablename__ = "subscription_change"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)  # chg_…
    subscription_id: Mapped[str]
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(9))
    plan_id: Mapped[str]  # the plan after the change
    version: Mapped[int]
    interval: Mapped[str] = mapped_column(String(5))
    price_minor: Mapped[int] = mapped_column(BigInteger)
    charge_minor: Mapped[int] = mapped_column(BigInteger)
    credit_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    due_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    as_of: Mapped[datetime]
    effective_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    attempt: Mapped[int]  # part of the provider's idempotency key
    action_url: Mapped[str | None]  # where the customer confirms the payment (3-D Secure)
    invoice_id: Mapped[str | None]
    failure: Mapped[str | None]
    details: Mapped[dict[str, Any]]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"kind IN {CHANGE_KINDS}", name="kind"),
        CheckConstraint(f"state IN {CHANGE_STATES}", name="state"),
        Index(
            "uq_subscription_change_one_in_flight",
            "customer_id",
            unique=True,
            sqlite_where=text("state = 'in_flight'"),
            postgresql_where=text("state = 'in_flight'"),
        ),
        Index(
            "uq_subscription_change_one_scheduled",
            "customer_id",
            unique=True,
            sqlite_where=text("state = 'scheduled'"),
            postgresql_where=text("state = 'scheduled'"),
        ),
        Index("ix_subscription_change_customer_id_created_at", "customer_id", "created_at"),
        Index("ix_subscription_change_state_expires_at", "state", "expires_at"),
    )


class ProviderPrice(Base):
    """What a provider calls one price of one version: the plan's own, or one negotiated with a customer."""

    __tablename__ = "provider_price"

    channel: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(primary_key=True)
    plan_id: Mapped[str]
    version: Mapped[int]
    interval: Mapped[str] = mapped_column(String(5))
    price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(f"interval IN {INTERVALS}", name="interval"),
        Index("ix_provider_price_plan_id_version", "plan_id", "version"),
    )


class PlanOverride(Base):
    """Terms negotiated for one customer, laid over whatever plan they are on (SPEC P14). The newest live one counts.

    `monthly_minor`, `yearly_minor`: the price instead of the plan's. `limits`: "kind:key" -> {"amount", "overage_mode",
    "overage_micros"}, each only where it differs (amount None is no limit).
    """

    __tablename__ = "plan_override"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    plan_id: Mapped[str | None]  # only while on this plan; None: on any
    monthly_minor: Mapped[int | None] = mapped_column(BigInteger)
    yearly_minor: Mapped[int | None] = mapped_column(BigInteger)
    limits: Mapped[dict[str, Any]]
    markup_percent: Mapped[int | None]
    commission_percent: Mapped[int | None]
    reason: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("monthly_minor >= 0 AND yearly_minor >= 0", name="prices"),
        CheckConstraint("markup_percent >= 0 AND commission_percent BETWEEN 0 AND 100", name="percentages"),
    )
