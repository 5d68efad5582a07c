"""The table of reconciliations: each is one reading of one channel, with what it found and what it repaired (V4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

STATES = ("asked", "running", "done", "incomplete", "broken_off")
UNDER_WAY = ("asked", "running")


class Reconciliation(Base):
    """One run. `unread` are sentences: what could not be read this time, and what this channel never tells.

    incomplete: something that can be read was not. broken_off: its process ended before it did.
    """

    __tablename__ = "reconciliation"

    id: Mapped[str] = mapped_column(primary_key=True)  # rec_…
    channel: Mapped[str]
    state: Mapped[str] = mapped_column(String(10))
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    since: Mapped[datetime | None]  # events from here on were asked for
    told_until: Mapped[datetime | None]  # the cursor: events up to here are known; None where they could not be read
    walked_to: Mapped[str]  # the last payment whose refunds were read; the next run goes on there, "" from the start
    looked_at: Mapped[dict[str, Any]]  # how many of what
    changed: Mapped[list[Any]]  # the first of the repairs, as the effects of an event in the inbox are written
    change_count: Mapped[int]
    unread: Mapped[list[Any]]

    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index("ix_reconciliation_asked_at_id", "asked_at", "id"),
        Index("ix_reconciliation_channel_started_at", "channel", "started_at"),
        Index(
            "uq_reconciliation_under_way",
            "channel",
            unique=True,
            sqlite_where=text("state IN ('asked', 'running')"),
            postgresql_where=text("state IN ('asked', 'running')"),
        ),
    )

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in UNDER_WAY
