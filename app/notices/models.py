"""The outgoing mail: rows written in the transaction of what they tell of, sent afterwards by the worker."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class Mail(Base):
    """One mail, already in words. The body is erased when it is sent: it may hold a link that signs someone in."""

    __tablename__ = "mail"

    id: Mapped[str] = mapped_column(primary_key=True)
    template: Mapped[str]
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    state: Mapped[str]  # queued | sent | gave_up
    attempts: Mapped[int]
    due_at: Mapped[datetime]  # also the lease: taking a mail moves this on, so a second worker leaves it alone
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("state IN ('queued', 'sent', 'gave_up')", name="state"),
        Index("ix_mail_state_due_at", "state", "due_at"),
    )
