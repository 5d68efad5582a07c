"""Credits' tables: grants, what each movement did to which grant, sums by day, and who has which included credits.

The ledger says how many credits a customer has; these say which ones. Every row is written in the transaction of its
ledger entry, under the lock of the customer's credits account.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

SOURCES = ("pack", "welcome", "included", "checkin", "coupon", "adjustment", "promo")
_OPEN = text("remaining > 0")
_FIRST = text("position = 0")
_OPEN_AND_ENDING = text("remaining > 0 AND expires_at IS NOT NULL")


class CreditGrant(Base):
    """Credits that came in at once, from one source. What is left of them is `remaining`; the rest never changes.

    `expires_at` None: never. `priority`: lower is spent first, before any other rule.
    """

    __tablename__ = "credit_grant"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)  # grant_…
    source: Mapped[str] = mapped_column(String(10))
    is_paid: Mapped[bool]
    amount: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime | None]
    priority: Mapped[int]
    key: Mapped[str]  # of the ledger entry that granted it
    entry_id: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(f"source IN {SOURCES}", name="source"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("remaining BETWEEN 0 AND amount", name="remaining"),
        CheckConstraint("expires_at > created_at", name="expires_at"),
        UniqueConstraint("customer_id", "key"),
        UniqueConstraint("customer_id", "entry_id"),
        Index("ix_credit_grant_open", "customer_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_credit_grant_ending", "expires_at", sqlite_where=_OPEN_AND_ENDING, postgresql_where=_OPEN_AND_ENDING),
    )


class CreditAllocation(Base):
    """What one entry did to one grant: added (the grant itself, a return) or taken. A grant's sum is its `remaining`.

    `kind` and `at` are the entry's. `position` counts an entry's shares, so that the movements of all customers are
    listed by the first of each.
    """

    __tablename__ = "credit_allocation"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(primary_key=True)  # wtxn_…
    grant_id: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(20))
    position: Mapped[int]
    at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(["customer_id", "grant_id"], ["credit_grant.customer_id", "credit_grant.id"]),
        CheckConstraint("amount <> 0", name="amount"),
        Index("ix_credit_allocation_at", "at", "entry_id", sqlite_where=_FIRST, postgresql_where=_FIRST),
        Index("ix_credit_allocation_kind_at", "kind", "at", "entry_id", sqlite_where=_FIRST, postgresql_where=_FIRST),
        Index(
            "ix_credit_allocation_customer_id_at",
            "customer_id",
            "at",
            "entry_id",
            sqlite_where=_FIRST,
            postgresql_where=_FIRST,
        ),
    )


class CreditDay(Base):
    """What a kind of movement came to on one day (UTC), so that no page adds up a month of movements.

    `kind` is the ledger's; a return is `returned:` and the kind of what it returned.
    """

    __tablename__ = "credit_day"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)  # 2026-11-21
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    entries: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger)  # below zero for what was taken


class CreditSchedule(Base):
    """Up to when a customer has their included credits, and by which plan: whoever differs is looked at next.

    `subscription_id` is "free" for who has none. A change of plan or the end of the period makes a row due. `credits`
    is the most a whole period's were so far in this period: only what a dearer plan has above it is granted on top.
    """

    __tablename__ = "credit_schedule"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    subscription_id: Mapped[str]
    plan_id: Mapped[str]
    version: Mapped[int]
    credits: Mapped[int] = mapped_column(BigInteger)
    period_start: Mapped[datetime]
    due_at: Mapped[datetime]

    __table_args__ = (Index("ix_credit_schedule_due_at", "due_at"),)
