"""The wallet's own table: whose wallet tops itself up, and by what rules (SPEC W6). The money is in the ledger."""

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
