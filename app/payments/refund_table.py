"""The table of refunds: every one that was asked for, approved, is on its way, arrived or failed (SPEC W4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

KINDS = ("topup", "balance", "pack", "invoice")
# A refund only ever moves to the right: late, repeated and out-of-order news change nothing that came after. `failed`
# is last, because a provider may find out days later that the money cannot arrive.
STATES = ("requested", "denied", "reserved", "sent", "succeeded", "failed")
# The money of these is gone from where it came from, or is about to be.
TAKEN = ("reserved", "sent", "succeeded")
_WAITING: dict[str, Any] = {
    "sqlite_where": text("next_try_at IS NOT NULL"),
    "postgresql_where": text("next_try_at IS NOT NULL"),
}


class Refund(Base):
    """Money going back: `net_minor` of what was paid, and its tax; `amount_minor` is both, as the payer receives it.

    requested: staff decide. reserved: out of the books, and the provider is being asked. sent: the provider has taken
    it and tells when it has arrived. A `balance` is the request for a whole wallet; what is paid back for it are
    refunds of its top-ups, which name it as `parent_id`. No channel: it goes to the wallet.
    """

    __tablename__ = "refund"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)  # ref_…
    kind: Mapped[str] = mapped_column(String(7))
    state: Mapped[str] = mapped_column(String(9))
    channel: Mapped[str | None]
    payment_id: Mapped[str | None]  # the provider's
    order_id: Mapped[str | None]
    invoice_id: Mapped[str | None]  # ours, of the kind "invoice"
    parent_id: Mapped[str | None]
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    own_loss_minor: Mapped[int] = mapped_column(BigInteger)  # what the provider paid back beyond what was still to be
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str]
    failure: Mapped[str | None]  # why it was denied or failed, fit to show the customer
    requested_by: Mapped[str]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    provider_refund_id: Mapped[str | None]
    entry_id: Mapped[str | None]  # the wallet's (or the sale's) side of it
    end_entry_id: Mapped[str | None]  # where it arrived, or came back
    credit_note_id: Mapped[str | None]
    key: Mapped[str]  # what asked for it, once: a form's key, an Idempotency-Key, or the provider's own id for it
    attempt: Mapped[int]  # how often the provider was asked
    next_try_at: Mapped[datetime | None]  # when a worker goes on with it
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("net_minor >= 0 AND tax_minor >= 0 AND net_minor + tax_minor = amount_minor", name="sum"),
        CheckConstraint("amount_minor > 0 AND own_loss_minor BETWEEN 0 AND net_minor", name="amounts"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided"),
        UniqueConstraint("customer_id", "key"),
        UniqueConstraint("channel", "provider_refund_id"),
        Index("ix_refund_id", "id"),
        Index("ix_refund_channel_payment_id", "channel", "payment_id"),
        Index("ix_refund_customer_id_created_at_id", "customer_id", "created_at", "id"),
        Index("ix_refund_created_at_id", "created_at", "id"),
        Index("ix_refund_state_created_at_id", "state", "created_at", "id"),
        Index("ix_refund_next_try_at", "next_try_at", **_WAITING),
    )

    @property
    def is_taken(self) -> bool:
        """Whether its money is gone from where it came from."""
        return self.state in TAKEN

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected of it (a provider may still find that it failed)."""
        return self.state in ("denied", "succeeded", "failed")
