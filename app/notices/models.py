"""Notices' tables: what customers are told on their page and by mail, and what they want to be told of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, String, UniqueConstraint, text
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


class Notice(Base):
    """One thing a customer was told, already in words; later changes do not change what it says."""

    __tablename__ = "notice"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(200))  # names the cause: the same one is told once
    title: Mapped[str]
    sentence: Mapped[str]
    next: Mapped[str]  # what to do about it; may be empty
    tone: Mapped[str] = mapped_column(String(4))
    facts: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("tone IN ('pos', 'warn', 'neg')", name="tone"),
        UniqueConstraint("customer_id", "key"),
        Index("ix_notice_customer_id_at_id", "customer_id", "at", "id"),
        Index(
            "ix_notice_unread",
            "customer_id",
            postgresql_where=text("read_at IS NULL"),
            sqlite_where=text("read_at IS NULL"),
        ),
    )


class NoticeChoices(Base):
    """What a customer wants to be told of, and whether their wallet was low when it was last looked at.

    low_state: unknown until it was seen above the level once; a wallet that never was there crosses nothing.
    """

    __tablename__ = "notice_choices"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    percents: Mapped[list[Any]]  # of an allowance, ascending
    mails: Mapped[bool]
    low_micros: Mapped[int | None] = mapped_column(BigInteger)  # None: not wanted
    low_state: Mapped[str] = mapped_column(String(7))
    low_count: Mapped[int]  # crossings told so far: part of the next one's key
    changed_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("low_state IN ('unknown', 'above', 'low')", name="low_state"),
        CheckConstraint("low_micros IS NULL OR low_micros >= 0", name="low_micros"),
    )
