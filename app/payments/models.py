"""Payments' tables: orders, the payments that settled them, providers' names for customers, and the webhook inbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base
from app.payments.dispute_table import Dispute
from app.payments.reconciliation_table import Reconciliation
from app.payments.refund_table import Refund
from app.payments.refused_table import RefusedCheckout
from app.payments.unverified_table import RefusedDelivery

__all__ = [
    "CardPage",
    "Dispute",
    "KnownCard",
    "Order",
    "Payment",
    "ProviderCustomer",
    "ProviderEvent",
    "Reconciliation",
    "Refund",
    "RefusedCheckout",
    "RefusedDelivery",
]

# An order only ever moves to the right: late, repeated and out-of-order news change nothing that came after.
# `paid` is last: money that arrives for an order already given up is still the customer's.
ORDER_STATES = ("pending", "open", "processing", "canceled", "expired", "failed", "paid")
WAITING = ORDER_STATES[:3]  # whose payment may still come, as far as anybody knows
EVENT_STATES = ("pending", "done", "ignored", "dead")
CARD_PAGE_STATES = ("pending", "open", "expired", "saved")


class Order(Base):
    """One purchase through a provider. `amount_minor` is before tax, in minor units of `currency`.

    pending: not yet known to the provider. open: its page can be paid. processing: filled in, the money is on its
    way. The other states are ends.
    """

    __tablename__ = "payment_order"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]  # topup, auto_topup, subscription, invoice, pack
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    channel: Mapped[str]
    state: Mapped[str]
    form_key: Mapped[str]  # the form (or Idempotency-Key) it came from: the same one is the same order
    attempt: Mapped[int]  # counts the definite refusals of the provider; part of the key of the next call
    request: Mapped[dict[str, Any]]  # what the provider is asked, frozen: the same key must send the same content
    provider_ref: Mapped[str | None]  # the provider's checkout session
    checkout_url: Mapped[str | None]
    # The payment that settled it; a second one is in `payment` alone. Of a subscription's: the provider's name for it.
    payment_id: Mapped[str | None]
    failure: Mapped[str | None]  # why it failed, fit to show a person
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]  # when its page closes
    paid_at: Mapped[datetime | None]
    next_poll_at: Mapped[datetime | None]  # when to ask the provider, should no webhook come first
    polls: Mapped[int]

    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(f"state IN {ORDER_STATES}", name="state"),
        CheckConstraint("state <> 'paid' OR payment_id IS NOT NULL", name="paid_by"),
        UniqueConstraint("customer_id", "form_key"),
        Index("ix_payment_order_id", "id"),
        Index("ix_payment_order_customer_id_created_at", "customer_id", "created_at"),
        Index("ix_payment_order_next_poll_at", "next_poll_at"),
        Index("ix_payment_order_kind_paid_at", "kind", "paid_at"),
        Index("ix_payment_order_provider_ref", "provider_ref"),
        Index("ix_payment_order_payment_id", "payment_id"),
    )

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected of it (a payment may still arrive, and counts)."""
        return self.state in ("canceled", "expired", "failed", "paid")

    @property
    def due_minor(self) -> int:
        """What is to be paid, before tax: `amount_minor`, or nothing where a coupon took off the whole price."""
        return int(self.request.get("due_minor", self.amount_minor))


class Payment(Base):
    """A payment a provider told of, credited once. Filed by the provider's own id, before we know whose it is."""

    __tablename__ = "payment"

    channel: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    order_id: Mapped[str]
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    invoice_id: Mapped[str | None]  # the provider's
    is_extra: Mapped[bool]  # the order had been paid already
    event_id: Mapped[str]  # the inbox row that credited it; "" for one told by the answer to our own charge
    at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("net_minor > 0 AND tax_minor >= 0", name="amounts"),
        Index("ix_payment_customer_id_at", "customer_id", "at"),
        Index("ix_payment_invoice_id", "invoice_id"),
    )


class CardPage(Base):
    """A provider's page on which a customer saves a card. No money moves there, so it is no order.

    pending: not yet known to the provider. open: the card can be entered. saved: `card_id` is the default from now on.
    """

    __tablename__ = "card_page"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)  # card_…, which stands where an order's id does
    channel: Mapped[str]
    state: Mapped[str] = mapped_column(String(7))
    form_key: Mapped[str]
    attempt: Mapped[int]  # counts the definite refusals of the provider; part of the key of the next call
    provider_ref: Mapped[str | None]
    url: Mapped[str | None]  # set while it is open
    card_id: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(f"state IN {CARD_PAGE_STATES}", name="state"),
        CheckConstraint("(state = 'saved') = (card_id IS NOT NULL)", name="card"),
        UniqueConstraint("customer_id", "form_key"),
        Index("ix_card_page_id", "id"),
    )


class ProviderCustomer(Base):
    """What a provider calls one of our customers."""

    __tablename__ = "provider_customer"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_provider_customer_channel_provider_id", "channel", "provider_id"),)


class KnownCard(Base):
    """A card a provider told of: one that is saved there, under its id, or one that paid, under the payment's.

    Never more of it than people recognise it by. One that was removed there stays known: it has paid, or may be asked
    for.
    """

    __tablename__ = "known_card"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(5))
    brand: Mapped[str] = mapped_column(String(40))  # in the provider's word: visa, mastercard
    last4: Mapped[str] = mapped_column(String(4))
    seen_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("kind IN ('saved', 'paid')", name="kind"),
        Index("ix_known_card_last4_customer_id", "last4", "customer_id"),
    )


class ProviderEvent(Base):
    """One verified event, kept once exactly as it came, with what became of it.

    pending: to be applied, not before `next_at`, and not while another worker's lease (`locked_until`) lasts.
    dead: given up; staff replay it or ignore it with a reason.
    """

    __tablename__ = "provider_event"

    id: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    event_id: Mapped[str]
    type: Mapped[str]
    object_id: Mapped[str | None]
    occurred_at: Mapped[datetime]
    livemode: Mapped[bool]
    api_version: Mapped[str | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    headers: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    deliveries: Mapped[int]  # how often it came
    state: Mapped[str]
    attempts: Mapped[int]
    next_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]
    lease: Mapped[str | None]  # whose turn it is; only that worker may finish it
    error: Mapped[str | None]  # why it is retried or dead, or why it is ignored
    effects: Mapped[list[Any]]  # what it did, for staff
    tries: Mapped[list[Any]] = mapped_column(server_default="[]")  # the newest: when, what came of it, why
    handled_at: Mapped[datetime | None]
    customer_id: Mapped[str | None]  # whose it is, and which order it is about, once we could tell
    order_id: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(f"state IN {EVENT_STATES}", name="state"),
        UniqueConstraint("provider", "event_id"),
        Index("ix_provider_event_state_next_at", "state", "next_at"),
        Index("ix_provider_event_state_received_at_id", "state", "received_at", "id"),
        Index("ix_provider_event_received_at_id", "received_at", "id"),
        Index("ix_provider_event_type_received_at_id", "type", "received_at", "id"),
        Index("ix_provider_event_provider_received_at_id", "provider", "received_at", "id"),
        Index("ix_provider_event_object_id", "object_id"),
        Index(
            "ix_provider_event_customer_id_received_at_id",
            "customer_id",
            "received_at",
            "id",
            sqlite_where=text("customer_id IS NOT NULL"),
            postgresql_where=text("customer_id IS NOT NULL"),
        ),
    )
