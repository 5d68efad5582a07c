"""Outgoing webhooks' tables: where they go, what they say, and each try to deliver them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

DELIVERY_STATES = ("pending", "delivered", "gave_up", "stopped")


class WebhookEndpoint(Base):
    """An address of the host product. It is the installation's own, so it belongs to no customer."""

    __tablename__ = "webhook_endpoint"

    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(String(2000))
    secret: Mapped[str] = mapped_column(String(100))  # needed to sign, so it is kept; shown once
    old_secret: Mapped[str | None] = mapped_column(String(100))  # signs too until `old_secret_until`
    old_secret_until: Mapped[datetime | None]
    types: Mapped[list[Any]]  # event types; empty: all of them
    state: Mapped[str] = mapped_column(String(8))
    why: Mapped[str | None]  # why it was switched off
    failing_since: Mapped[datetime | None]  # the first failure since the last success
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("state IN ('on', 'off', 'removed')", name="state"),)


class WebhookEvent(Base):
    """One thing to tell, frozen as it will be sent: a retry sends the same bytes under the same id."""

    __tablename__ = "webhook_event"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)  # evt_…, the webhook-id
    type: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(200))  # names the cause: the same one is told once
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("customer_id", "type", "key"),)


class WebhookDelivery(Base):
    """One event on its way to one endpoint.

    pending: to be sent at `due_at`, which is the lease as well: taking it moves this on. stopped: its endpoint is off.
    `attempts` counts every try and says whose turn it is; `tries` counts those since it was last sent by hand.
    """

    __tablename__ = "webhook_delivery"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoint.id"))
    event_id: Mapped[str]
    type: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(9))
    attempts: Mapped[int]
    tries: Mapped[int]
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    last_status: Mapped[int | None]
    last_error: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(f"state IN {DELIVERY_STATES}", name="state"),
        UniqueConstraint("customer_id", "event_id", "endpoint_id"),
        Index("ix_webhook_delivery_state_due_at", "state", "due_at"),
        Index("ix_webhook_delivery_created_at_id", "created_at", "id"),
        Index("ix_webhook_delivery_id", "id"),  # the host product names a delivery without its customer
        Index("ix_webhook_delivery_state_created_at_id", "state", "created_at", "id"),
        Index("ix_webhook_delivery_endpoint_id_state", "endpoint_id", "state"),
    )


class WebhookAttempt(Base):
    """One try, for the log: what came back, or why nothing did."""

    __tablename__ = "webhook_attempt"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    status: Mapped[int | None]  # of the answer
    error: Mapped[str | None]
    milliseconds: Mapped[int]
