"""Usage's tables: the events as they came, counters written with them, overage by price and by day, and spend caps.

Pages and checks read counters, never events. For each customer, meter and period the counters, and the rows of
`usage_overage`, add up to the row of `usage_period`, and all of them to the events. Amounts in micros.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


def _name(length: int) -> String:
    # Compared byte by byte: faster than by language, and the same order on both databases.
    return String(length).with_variant(String(length, collation="C"), "postgresql")


DAY = _name(10)  # "2026-03-14", a date in UTC


class UsageEvent(Base):
    """What the host reported, once per customer and id (SPEC U1). A refused event leaves no row.

    `day` is the date of `occurred_at`. `late`: its own period was closed, so it counts in the one that was open.
    `over` of its units were beyond the allowance and cost `over_micros` together, by the terms of that moment.
    """

    __tablename__ = "usage_event"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(_name(255), primary_key=True)
    meter: Mapped[str] = mapped_column(_name(40))
    quantity: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(_name(200))  # a store, an agent, a key; "" where none was named
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    period_start: Mapped[datetime]  # of the period it counts in
    day: Mapped[str] = mapped_column(DAY)
    late: Mapped[bool]
    over: Mapped[int] = mapped_column(BigInteger)
    over_micros: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("over BETWEEN 0 AND quantity AND over_micros >= 0", name="over"),
    )


class UsageCounter(Base):
    """Units of one meter from one source on one day, within a period."""

    __tablename__ = "usage_counter"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    meter: Mapped[str] = mapped_column(_name(40), primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(DAY, primary_key=True)
    source: Mapped[str] = mapped_column(_name(200), primary_key=True)
    quantity: Mapped[int] = mapped_column(BigInteger)
    over: Mapped[int] = mapped_column(BigInteger)
    over_micros: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("quantity > 0 AND over BETWEEN 0 AND quantity AND over_micros >= 0", name="counts"),
        Index("ix_usage_counter_customer_id_day", "customer_id", "day"),
    )


class UsagePeriod(Base):
    """One meter over one allowance period `[period_start, period_end)`, with the terms as an event last found them.

    `allowance` None is no limit. Once `closed_at` is set nothing is added any more.
    """

    __tablename__ = "usage_period"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    meter: Mapped[str] = mapped_column(_name(40), primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    period_end: Mapped[datetime]
    used: Mapped[int] = mapped_column(BigInteger)
    over: Mapped[int] = mapped_column(BigInteger)
    over_micros: Mapped[int] = mapped_column(BigInteger)
    allowance: Mapped[int | None] = mapped_column(BigInteger)
    mode: Mapped[str | None] = mapped_column(String(7))
    unit_micros: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("used >= 0 AND over BETWEEN 0 AND used AND over_micros >= 0", name="counts"),
        CheckConstraint("period_start < period_end", name="period"),
        CheckConstraint("mode IN ('wallet', 'invoice', 'block')", name="mode"),
        Index("ix_usage_period_customer_id_period_end", "customer_id", "period_end"),
        Index(
            "ix_usage_period_open",
            "period_end",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )


class UsageOverage(Base):
    """Units of one meter beyond the allowance of a period, by the mode and the price they were counted at.

    The rows of the mode "invoice" are the lines of the period's invoice.
    """

    __tablename__ = "usage_overage"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    meter: Mapped[str] = mapped_column(_name(40), primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    mode: Mapped[str] = mapped_column(String(7), primary_key=True)
    unit_micros: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    units: Mapped[int] = mapped_column(BigInteger)
    micros: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("mode IN ('wallet', 'invoice')", name="mode"),
        CheckConstraint("units > 0 AND micros = units * unit_micros", name="amount"),
    )


class UsageAccrual(Base):
    """What one meter took from the wallet on one day of recording: held at once, one ledger entry after the day.

    `micros` is the amount of the hold. `entry_id` is set when it is settled.
    """

    __tablename__ = "usage_accrual"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    meter: Mapped[str] = mapped_column(_name(40), primary_key=True)
    day: Mapped[str] = mapped_column(DAY, primary_key=True)
    units: Mapped[int] = mapped_column(BigInteger)
    micros: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    hold_id: Mapped[str]
    entry_id: Mapped[str | None]
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("units > 0 AND micros > 0", name="amount"),
        CheckConstraint("(entry_id IS NULL) = (settled_at IS NULL)", name="settled"),
        Index(
            "ix_usage_accrual_open",
            "day",
            sqlite_where=text("entry_id IS NULL"),
            postgresql_where=text("entry_id IS NULL"),
        ),
    )


class UsageSettings(Base):
    """One row per customer who uses anything: the lock under which their events are counted, and their spend cap."""

    __tablename__ = "usage_settings"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    spend_cap_micros: Mapped[int | None] = mapped_column(BigInteger)  # a month, all meters together; None is no cap

    __table_args__ = (CheckConstraint("spend_cap_micros >= 0", name="spend_cap"),)
