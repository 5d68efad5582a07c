"""The tables of the edge: answers given to keyed requests (SPEC R5), and counts of rate limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class KeyedAnswer(Base):
    """One request under an `Idempotency-Key`. `status` is empty while it is at work; `started_at` is its lease."""

    __tablename__ = "keyed_answer"

    customer_id: Mapped[str] = mapped_column(primary_key=True)  # a key belongs to its customer: others may use the same
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime]
    status: Mapped[int | None]
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (CheckConstraint("(status IS NULL) = (answer IS NULL)", name="whole"),)


class RateCount(Base):
    """How often one limit was used in its present window. The key names the limit and who it limits."""

    __tablename__ = "rate_count"

    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(index=True)
