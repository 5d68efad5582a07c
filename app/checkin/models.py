"""Check-in's table: the days on which customers checked in. The rules are the catalogue's (`CheckInRules`)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class CheckIn(Base):
    """One day of a customer, frozen as it was: the zone it was counted in, and when it was over there (SPEC C5).

    `streak` is the number of days in a row with this one, since `streak_began`. `amount` is what was given, `bonus` the
    part of it that came on top; at the cap nothing is, and there is no entry.
    """

    __tablename__ = "check_in"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    local_date: Mapped[date] = mapped_column(primary_key=True)
    zone: Mapped[str]
    ends_at: Mapped[datetime]
    checked_at: Mapped[datetime]
    streak: Mapped[int]
    streak_began: Mapped[date]
    amount: Mapped[int] = mapped_column(BigInteger)
    bonus: Mapped[int] = mapped_column(BigInteger)
    entry_id: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("amount >= bonus AND bonus >= 0", name="amounts"),
        CheckConstraint("(amount > 0) = (entry_id IS NOT NULL)", name="entry"),
        CheckConstraint("checked_at < ends_at", name="within_the_day"),
        CheckConstraint("streak > 0 AND streak_began <= local_date", name="streak"),
        Index("ix_check_in_checked_at", "checked_at"),
    )
