"""The table of disputes: payments that their payer's bank asks about, or takes back (SPEC W5)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

# A dispute only ever moves to the right, so news that is late, twice or out of order ends in the same state. `won` is
# last: money that came back is here, also where a lost case was won on appeal.
PHASES = ("inquiry", "closed_inquiry", "open", "lost", "prevented", "won")
# The bank has taken the money of these.
TAKEN = ("open", "lost")
PAID_FOR = ("wallet", "pack", "subscription", "invoice")
EVIDENCE = ("none", "saved", "late", "sent")  # it only ever moves to the right, too


class Dispute(Base):
    """One dispute. `amount_minor` is what the bank asks for, tax included, and a fee may come on top.

    `reversed_minor` is what was taken out of the wallet for it, `own_loss_minor` what cannot be: it had gone back
    already, or was never credited. `booked_fee_minor` is the fee that is in our books, once it is closed. `freezes`:
    the wallet waits for this one.
    """

    __tablename__ = "dispute"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)  # dsp_…
    channel: Mapped[str]
    provider_dispute_id: Mapped[str]
    payment_id: Mapped[str]  # the provider's
    paid_for: Mapped[str] = mapped_column(String(12))
    order_id: Mapped[str | None]
    invoice_id: Mapped[str | None]  # ours, where the provider collected it by itself
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reversed_minor: Mapped[int] = mapped_column(BigInteger)
    own_loss_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    booked_fee_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    revoked_credits: Mapped[int] = mapped_column(BigInteger)
    phase: Mapped[str] = mapped_column(String(14))
    reason: Mapped[str | None]  # the bank's, in the provider's word
    due_by: Mapped[datetime | None]  # until when evidence can be sent
    evidence: Mapped[str] = mapped_column(String(5))
    freezes: Mapped[bool]
    entry_id: Mapped[str | None]  # what was taken out of the wallet
    restored_entry_id: Mapped[str | None]
    loss_entry_id: Mapped[str | None]
    told_as: Mapped[str]  # how new the newest telling is: older ones say nothing about evidence and deadline
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(f"phase IN {PHASES}", name="phase"),
        CheckConstraint(f"paid_for IN {PAID_FOR}", name="paid_for"),
        CheckConstraint(f"evidence IN {EVIDENCE}", name="evidence"),
        CheckConstraint("amount_minor > 0 AND own_loss_minor >= 0 AND fee_minor >= 0", name="amounts"),
        CheckConstraint("reversed_minor BETWEEN 0 AND amount_minor AND revoked_credits >= 0", name="reversed"),
        UniqueConstraint("channel", "provider_dispute_id"),
        Index("ix_dispute_channel_payment_id", "channel", "payment_id"),
        Index("ix_dispute_opened_at_id", "opened_at", "id"),
        Index("ix_dispute_phase_opened_at_id", "phase", "opened_at", "id"),
        Index("ix_dispute_id", "id"),
        Index("ix_dispute_freezes", "customer_id", sqlite_where=text("freezes"), postgresql_where=text("freezes")),
    )

    @property
    def is_taken(self) -> bool:
        """Whether the bank has the money."""
        return self.phase in TAKEN

    @property
    def is_live(self) -> bool:
        """Whether something can still be done about it."""
        return self.phase in ("inquiry", "open")
