"""The `worker_task` table: one row for each task of the worker, with what came of its last run."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

OUTCOMES = ("did", "idle", "failed")


class WorkerTask(Base):
    """`did`: how much the last run did. `error`: what broke the last one that failed, kept until one after it did
    something or found nothing to do."""

    __tablename__ = "worker_task"

    name: Mapped[str] = mapped_column(primary_key=True)
    ran_at: Mapped[datetime]
    took_ms: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(6))
    did: Mapped[int]
    did_at: Mapped[datetime | None]  # the last run that did something
    error: Mapped[str | None]
    failed_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]  # when it is asked again; unknown after a run that was to be the only one

    __table_args__ = (CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"),)
