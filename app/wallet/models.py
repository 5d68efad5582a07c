"""The wallet's own tables: whose tops itself up (SPEC W6), and whose staff froze. The money is in the ledger."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class AutoTopUp(Base):
    """What a customer allowed us to charge, and where that stands. Without a row it was never switched on.

    paused: nothing is charged until the customer, or what `why` names, is back; off: nothing is charged.
    `order_id` is the charge whose outcome is not known yet: at most one.
    """

    __tablename__ = "auto_topup"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(6))
    why: Mapped[str | None] = mapped_column(String(20))  # it is paused, or was switched off by us
    threshold_micros: Mapped[int] = mapped_column(BigInteger)  # charged when this or less is available
    amount_minor: Mapped[int] = mapped_column(BigInteger)  # one step; a charge is as many as close the gap
    ceiling_minor: Mapped[int] = mapped_column(BigInteger)  # never more than this in a calendar month, UTC
    currency: Mapped[str] = mapped_column(String(3))
    declines: Mapped[int]  # in a row
    not_before: Mapped[datetime | None]  # the pause after a charge or a decline
    order_id: Mapped[str | None]
    made: Mapped[int]  # charges begun so far: part of the next one's form key
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("state IN ('off', 'on', 'paused')", name="state"),
        CheckConstraint("threshold_micros >= 0 AND amount_minor > 0", name="amounts"),
        CheckConstraint("ceiling_minor >= amount_minor", name="ceiling"),
        Index("ix_auto_topup_state_customer_id", "state", "customer_id"),
        Index(
            "ix_auto_topup_order_id",
            "order_id",
            postgresql_where=text("order_id IS NOT NULL"),
            sqlite_where=text("order_id IS NOT NULL"),
        ),
    )


class WalletFreeze(Base):
    """A wallet that staff froze, until they thaw it. It counts beside its disputes: neither undoes the other."""

    __tablename__ = "wallet_freeze"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)  # frz_…
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str]  # the customer reads it
    frozen_by: Mapped[str]
    frozen_at: Mapped[datetime]
    thawed_by: Mapped[str | None]
    thawed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("(thawed_at IS NULL) = (thawed_by IS NULL)", name="thawed"),
        Index(
            "uq_wallet_freeze_one_live",
            "customer_id",
            "currency",
            unique=True,
            sqlite_where=text("thawed_at IS NULL"),
            postgresql_where=text("thawed_at IS NULL"),
        ),
    )
