"""Model calls through the proxy, and their sums by day: what pages read, and what the sweeper looks after (SPEC §6).

The rows of `llm_day` add up to the billed rows of `llm_call`, and both to the wallet's entries of the kind `llm`.
Amounts in micros.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

LONGEST_MODEL = 200


class LlmCall(Base):
    """One call: held before a byte goes upstream, ended once.

    `key` is the caller's Idempotency-Key while the call is held or billed; one that cost nothing gives it back, so that
    it may be tried again. `counted`: the upstream told no usage, so the tokens are our own count.
    """

    __tablename__ = "llm_call"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    hold_id: Mapped[str]
    key_id: Mapped[str]
    key: Mapped[str | None] = mapped_column(String(255))
    request_hash: Mapped[str] = mapped_column(String(64))
    upstream: Mapped[str] = mapped_column(String(20))
    model: Mapped[str] = mapped_column(String(LONGEST_MODEL))
    stream: Mapped[bool]
    state: Mapped[str] = mapped_column(String(8))
    outcome: Mapped[str | None] = mapped_column(String(9))
    held_micros: Mapped[int] = mapped_column(BigInteger)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)
    cached_tokens: Mapped[int] = mapped_column(BigInteger)
    counted: Mapped[bool]
    cost_micros: Mapped[int] = mapped_column(BigInteger)
    price_version: Mapped[str] = mapped_column(String(64))
    upstream_request_id: Mapped[str | None] = mapped_column(String(200))
    entry_id: Mapped[str | None]
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("customer_id", "key"),
        CheckConstraint("state IN ('held', 'settled', 'released', 'expired')", name="state"),
        CheckConstraint("outcome IN ('billed', 'released', 'abandoned', 'error')", name="outcome"),
        CheckConstraint("(state = 'held') = (outcome IS NULL) AND (state = 'held') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("prompt_tokens >= 0 AND completion_tokens >= 0 AND cached_tokens >= 0", name="tokens"),
        CheckConstraint("cost_micros >= 0 AND (cost_micros > 0) = (entry_id IS NOT NULL)", name="cost"),
        Index(
            "ix_llm_call_open",
            "expires_at",
            sqlite_where=text("state = 'held'"),
            postgresql_where=text("state = 'held'"),
        ),
    )


class LlmDay(Base):
    """What was billed for one model through one API key on one day (a date in UTC, as text)."""

    __tablename__ = "llm_day"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    model: Mapped[str] = mapped_column(String(LONGEST_MODEL), primary_key=True)
    key_id: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)
    cached_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_micros: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint(
            "calls > 0 AND prompt_tokens >= 0 AND completion_tokens >= 0 AND cached_tokens >= 0 AND cost_micros >= 0",
            name="sums",
        ),
    )
