"""The catalogue's tables: plans, their versions and limits, and the meters, actions, packs and services they speak of.

None of them belongs to a customer. Nothing is deleted, since old subscriptions and invoices point here: what is no
longer offered is retired.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

LIMIT_KINDS = ("allowance", "count", "rate", "flag")
OVERAGE_MODES = ("wallet", "invoice", "block")
DOWNGRADES = ("period_end", "immediate")
PRICINGS = ("list_price", "cost_plus")
DAYS_OF = ("customer", "utc")
WHO_CHECKS_IN = ("everyone", "verified", "payer", "paid_plan")


class Plan(Base):
    """What a customer subscribes to; `key` is what the API calls the tier. Its terms are in its versions."""

    __tablename__ = "plan"

    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    rank: Mapped[int]  # the order on pages, lowest first
    current_version: Mapped[int]  # the one on offer
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]  # no longer offered; who has it keeps it


class PlanVersion(Base):
    """The terms of a plan as sold at one time (SPEC P2). Once `sold_at` is set nothing in it changes but provider ids.

    Prices are in minor units of `currency`, before tax. A custom plan has none: they are negotiated per customer.
    """

    __tablename__ = "plan_version"

    plan_id: Mapped[str] = mapped_column(ForeignKey("plan.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    description: Mapped[str]
    is_custom: Mapped[bool]
    currency: Mapped[str] = mapped_column(String(3))
    monthly_minor: Mapped[int | None] = mapped_column(BigInteger)
    yearly_minor: Mapped[int | None] = mapped_column(BigInteger)
    included_credits: Mapped[int] = mapped_column(BigInteger)  # granted each month
    welcome_credits: Mapped[int] = mapped_column(BigInteger)  # granted once
    downgrade: Mapped[str]  # when a change to this plan's disadvantage takes effect (SPEC P7)
    features: Mapped[list[Any]]  # sentences for people
    provider_ids: Mapped[dict[str, Any]]  # channel -> name -> what the provider calls it
    created_at: Mapped[datetime]
    sold_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("monthly_minor >= 0 AND yearly_minor >= 0", name="prices"),
        CheckConstraint("NOT is_custom OR (monthly_minor IS NULL AND yearly_minor IS NULL)", name="custom"),
        CheckConstraint("included_credits >= 0 AND welcome_credits >= 0", name="credits"),
        CheckConstraint(f"downgrade IN {DOWNGRADES}", name="downgrade"),
    )


class PlanLimit(Base):
    """One limit of a plan's version. `amount` NULL is no limit.

    allowance: units of the meter `key` included each month, then `overage_mode`, at `overage_micros` a unit.
    count: how many of `key` may exist at once. rate: `key` (reads, writes) per minute. flag: 1 allowed, 0 not.
    """

    __tablename__ = "plan_limit"

    plan_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(9), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    amount: Mapped[int | None] = mapped_column(BigInteger)
    overage_mode: Mapped[str | None]
    overage_micros: Mapped[int | None] = mapped_column(BigInteger)
    position: Mapped[int]  # the order on pages

    __table_args__ = (
        ForeignKeyConstraint(["plan_id", "version"], ["plan_version.plan_id", "plan_version.number"]),
        CheckConstraint(f"kind IN {LIMIT_KINDS}", name="kind"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("kind <> 'flag' OR amount IN (0, 1)", name="flag"),
        CheckConstraint(
            "(kind = 'allowance' AND amount IS NOT NULL) = (overage_mode IS NOT NULL)", name="overage"
        ),  # beyond no limit there is nothing
        CheckConstraint(f"overage_mode IN {OVERAGE_MODES}", name="overage_mode"),
        CheckConstraint("(overage_mode IN ('wallet', 'invoice')) = (overage_micros IS NOT NULL)", name="overage_price"),
        CheckConstraint("overage_micros >= 0", name="overage_micros"),
    )


class PlanDraft(Base):
    """A plan's form that somebody put by, mistakes and all; nothing of it is on offer. `plan_id` None: of a new plan.

    `form` are its texts by name, `base` those it was opened with: what was changed since is told when it is taken up.
    """

    __tablename__ = "plan_draft"

    id: Mapped[str] = mapped_column(primary_key=True)  # draft_…
    plan_id: Mapped[str | None] = mapped_column(ForeignKey("plan.id"))
    name: Mapped[str]
    form: Mapped[dict[str, Any]]
    base: Mapped[str]
    saved_at: Mapped[datetime]
    saved_by: Mapped[str]


class Meter(Base):
    """What is counted (SPEC U1). `unit` is the word for one of it, as in "$0.0001 a passport"."""

    __tablename__ = "meter"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str]
    unit: Mapped[str]
    position: Mapped[int]
    retired_at: Mapped[datetime | None]


class Action(Base):
    """Something that costs a fixed number of credits (SPEC C4)."""

    __tablename__ = "action"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str]
    credits: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int]
    retired_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("credits > 0", name="credits"),)


class Pack(Base):
    """Credits bought at once (SPEC C3), for `price_minor` of `currency`, before tax."""

    __tablename__ = "pack"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str]
    credits: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    price_minor: Mapped[int] = mapped_column(BigInteger)
    provider_ids: Mapped[dict[str, Any]]
    position: Mapped[int]
    retired_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("credits > 0 AND price_minor > 0", name="amounts"),)


class Service(Base):
    """Something billed from the wallet (SPEC U8), at a list price less commission or at cost plus markup.

    A percentage that is NULL is the installation's setting.
    """

    __tablename__ = "service"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str]
    pricing: Mapped[str]
    markup_percent: Mapped[int | None]
    commission_percent: Mapped[int | None]
    position: Mapped[int]
    retired_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"pricing IN {PRICINGS}", name="pricing"),
        CheckConstraint("markup_percent IS NULL OR pricing = 'cost_plus'", name="markup"),
        CheckConstraint("commission_percent IS NULL OR pricing = 'list_price'", name="commission"),
        CheckConstraint("markup_percent >= 0 AND commission_percent BETWEEN 0 AND 100", name="percentages"),
    )


class LlmPrice(Base):
    """What a model's tokens cost from the beginning of a day (UTC) on, whatever the price library says (SPEC L1).

    Micros of `currency` for a million tokens. `steps`: input tokens above which every token of the call costs
    otherwise, each as [above, input, output, cached, written].
    """

    __tablename__ = "llm_price"

    key: Mapped[str] = mapped_column(String(216), primary_key=True)  # "gpt-5 from 2026-11-01"
    model: Mapped[str] = mapped_column(String(200), index=True)
    day: Mapped[str] = mapped_column(String(10))
    currency: Mapped[str] = mapped_column(String(3))
    input_micros: Mapped[int] = mapped_column(BigInteger)
    output_micros: Mapped[int] = mapped_column(BigInteger)
    cached_micros: Mapped[int] = mapped_column(BigInteger)  # input that was read from a cache
    written_micros: Mapped[int] = mapped_column(BigInteger)  # input that was written to one
    steps: Mapped[list[Any]]
    retired_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("input_micros > 0 AND output_micros > 0", name="charged"),
        CheckConstraint("cached_micros >= 0 AND written_micros >= 0", name="cache"),
    )


class CheckInRules(Base):
    """The daily check-in's rules from `created_at` on (SPEC C5). A change is a new version: the day a customer is in
    still gives what it promised in the morning.

    `bonuses` are pairs: every how many days in a row, and the credits on top. `day`: whose midnight counts. `who` may:
    everyone, verified (somebody's e-mail address is confirmed), payer (has paid something), paid_plan.
    """

    __tablename__ = "check_in_rules"

    version: Mapped[int] = mapped_column(primary_key=True)
    is_on: Mapped[bool]
    credits: Mapped[int] = mapped_column(BigInteger)
    bonuses: Mapped[list[Any]]
    expires_days: Mapped[int | None]
    most: Mapped[int | None] = mapped_column(BigInteger)  # what a customer may hold from check-ins; NULL: no cap
    day: Mapped[str]
    who: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]

    __table_args__ = (
        CheckConstraint("credits > 0 AND expires_days > 0 AND most >= credits", name="amounts"),
        CheckConstraint(f"day IN {DAYS_OF}", name="day"),
        CheckConstraint(f"who IN {WHO_CHECKS_IN}", name="who"),
    )
