"""The table of refused checkouts: what a channel could not sell when somebody wanted to buy it (SPEC V1)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class RefusedCheckout(Base):
    """One thing at one channel, however often it was refused. `reason` is what the provider, or its adapter, said last.

    `what` is "plan:<key>:<interval>", "pack:<key>" or "topup". `settled_at`: a page for it was opened since.
    """

    __tablename__ = "refused_checkout"

    channel: Mapped[str] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    code: Mapped[str | None]  # the provider's
    count: Mapped[int]  # since it was last settled
    customer_id: Mapped[str]  # who was refused last
    order_id: Mapped[str]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("count > 0", name="count"),
        Index("ix_refused_checkout_last_at", "last_at"),
    )
