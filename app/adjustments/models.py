"""The `adjustment` table: every adjustment staff made by hand, and those that wait for a second person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

STATES = ("waiting", "made", "denied", "withdrawn")


class Adjustment(Base):
    """Money (micros) or credits to be given (above zero) or taken. Nothing moves before `state` is made.

    `before` and `after` are what the asker saw: the balance when they asked. `person` is the user behind the asking,
    also behind a key; None is the command line or a key it made.
    """

    __tablename__ = "adjustment"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    asset: Mapped[str]  # a currency, or "credits"
    amount: Mapped[int] = mapped_column(BigInteger)
    before: Mapped[int] = mapped_column(BigInteger)
    after: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    ticket: Mapped[str | None]
    expires_at: Mapped[datetime | None]  # of credits that are given
    key: Mapped[str]  # of the form or request that asked; the ledger's entry has it too
    state: Mapped[str]
    asked_by: Mapped[str]  # staff:usr_… | key_… | cli
    person: Mapped[str | None]
    asked_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]  # why it was denied
    entry_id: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("customer_id", "asset", "key"),
        CheckConstraint("state IN ('waiting', 'made', 'denied', 'withdrawn')", name="state"),
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint("(state = 'made') = (entry_id IS NOT NULL)", name="entry"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by OR state = 'withdrawn'", name="second_person"),
        Index("ix_adjustment_id", "id"),
        Index("ix_adjustment_asked_at_id", "asked_at", "id"),
        Index("ix_adjustment_state_asked_at_id", "state", "asked_at", "id"),
        Index("ix_adjustment_customer_id_asked_at_id", "customer_id", "asked_at", "id"),
    )
