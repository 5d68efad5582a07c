"""Moves' tables: what staff decided, and one row for each subscriber with what became of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

TIMES = ("renewal", "now")
MOVE_STATES = ("running", "stopped", "done")
STATES = ("waiting", "arranged", "moved", "left", "stopping", "stopped")


class VersionMove(Base):
    """One decision: who has `from_version` of the plan goes over to `to_version`.

    `times`: renewal, each at the start of a period of theirs; now, at once where nothing gets worse for them. Who pays
    more or gets less is told at least `notice_days` before. `count` subscribers were chosen, all or by name.
    """

    __tablename__ = "version_move"

    id: Mapped[str] = mapped_column(primary_key=True)  # mov_…
    plan_id: Mapped[str]
    from_version: Mapped[int]
    to_version: Mapped[int]
    times: Mapped[str] = mapped_column(String(7))
    notice_days: Mapped[int]
    is_chosen: Mapped[bool]
    reason: Mapped[str]
    count: Mapped[int]
    state: Mapped[str] = mapped_column(String(7))
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"state IN {MOVE_STATES}", name="state"),
        CheckConstraint(f"times IN {TIMES}", name="times"),
        CheckConstraint("from_version <> to_version", name="versions"),
        CheckConstraint("notice_days >= 0", name="notice_days"),
        Index("ix_version_move_plan_id_created_at", "plan_id", "created_at"),
    )


class MovedSubscriber(Base):
    """One customer of a move. `due_at`: when the worker looks at them next.

    waiting: not arranged yet, though told perhaps (`told_at`), and not before `not_before`. arranged: their
    subscription change `change_id` waits for its time. moved: it was made at once. left: they stay, `why` says so.
    stopping: staff took it back, and what was told or arranged is being undone; stopped: it is.
    """

    __tablename__ = "moved_subscriber"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    move_id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    why: Mapped[str | None]
    told_at: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    effective_at: Mapped[datetime | None]  # as they were told
    change_id: Mapped[str | None]
    price_before_minor: Mapped[int | None] = mapped_column(BigInteger)
    price_after_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    attempts: Mapped[int]  # also whose turn it is: who takes the row again makes it another number
    due_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("(due_at IS NOT NULL) = (state IN ('waiting', 'stopping'))", name="due"),
        Index(
            "uq_moved_subscriber_one_at_a_time",
            "customer_id",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_moved_subscriber_due_at_customer_id", "due_at", "customer_id"),  # in the order of the worker
        Index("ix_moved_subscriber_move_id", "move_id", "state", "customer_id"),
    )
