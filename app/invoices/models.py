"""Invoices' tables: documents with their lines and tax lines, credit notes, number series, tax rates, buyers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base
from app.invoices import guards

OURS = "purser"
STATUSES = ("draft", "open", "paid", "void", "uncollectible", "refunded")
REASONS = ("subscription_create", "subscription_cycle", "subscription_update", "topup", "pack", "usage", "other")
CUSTOMER_TYPES = ("business", "person")

# The numbers a provider gives are its own matter: they need only be unique among ours.
_OURS_ONLY: dict[str, Any] = {
    "unique": True,
    "sqlite_where": text("source = 'purser'"),
    "postgresql_where": text("source = 'purser'"),
}


class Invoice(Base):
    """An invoice: `source` "purser" is our own, any other is the channel it is mirrored from, as `provider_id`.

    Amounts in minor units of `currency`: subtotal - discount + tax = total. Our own get their number when they are
    finalised, gapless in their series (SPEC I1); from then on nothing but the payment fields changes (I3). `buyer` and
    `seller` are snapshots of that moment.
    """

    __tablename__ = "invoice"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)  # inv_…
    source: Mapped[str]
    provider_id: Mapped[str | None]
    provider_version: Mapped[datetime | None]
    number: Mapped[str | None]
    key: Mapped[str]  # what it is for, once: "sub_…:2026-03-14T…" for a period; the provider's id when mirrored
    status: Mapped[str] = mapped_column(String(13))
    reason: Mapped[str] = mapped_column(String(19))
    subscription_id: Mapped[str | None]  # ours
    order_id: Mapped[str | None]
    currency: Mapped[str] = mapped_column(String(3))
    subtotal_minor: Mapped[int] = mapped_column(BigInteger)
    discount_minor: Mapped[int] = mapped_column(BigInteger)
    discount_name: Mapped[str | None]
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    total_minor: Mapped[int] = mapped_column(BigInteger)
    paid_minor: Mapped[int] = mapped_column(BigInteger)
    credited_minor: Mapped[int] = mapped_column(BigInteger)  # by credit notes
    buyer: Mapped[dict[str, Any]]
    seller: Mapped[dict[str, Any]]
    note: Mapped[str | None]  # "Reverse charge: …"
    paid_with: Mapped[str | None]  # words for people: "Wallet", "Visa ending in 4242"
    payment_id: Mapped[str | None]  # the provider's payment, or the ledger entry
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    created_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    failed_at: Mapped[datetime | None]
    hosted_url: Mapped[str | None]
    pdf_url: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        CheckConstraint(f"reason IN {REASONS}", name="reason"),
        CheckConstraint("subtotal_minor - discount_minor + tax_minor = total_minor", name="sum"),
        CheckConstraint(
            "source <> 'purser' OR (discount_minor BETWEEN 0 AND subtotal_minor AND tax_minor >= 0 "
            "AND paid_minor BETWEEN 0 AND total_minor AND credited_minor BETWEEN 0 AND total_minor)",
            name="amounts",
        ),
        CheckConstraint("source <> 'purser' OR (status = 'draft') = (number IS NULL)", name="numbered"),
        UniqueConstraint("customer_id", "source", "key"),
        Index("uq_invoice_source_number", "source", "number", **_OURS_ONLY),
        Index("ix_invoice_customer_id_created_at_id", "customer_id", "created_at", "id"),
        Index("ix_invoice_source_provider_id", "source", "provider_id"),
        Index("ix_invoice_source_payment_id", "source", "payment_id"),
        Index("ix_invoice_created_at_id", "created_at", "id"),
        Index("ix_invoice_id", "id"),
        Index("ix_invoice_number", "number"),
        Index("ix_invoice_status_created_at_id", "status", "created_at", "id"),
        Index(
            "ix_invoice_next_attempt_at",
            "next_attempt_at",
            sqlite_where=text("next_attempt_at IS NOT NULL"),
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
    )

    @property
    def net_minor(self) -> int:
        """What it comes to before tax, in minor units."""
        return self.subtotal_minor - self.discount_minor

    @property
    def due_minor(self) -> int:
        """What is still to be paid, in minor units; nothing once it is paid or given up."""
        return self.total_minor - self.paid_minor - self.credited_minor if self.status == "open" else 0


class InvoiceLine(Base):
    """One line, before tax, rounded once (SPEC R1). `amount_micros` is it before rounding: tax is taken from that.

    A discount is spread over the lines it is for.
    """

    __tablename__ = "invoice_line"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    invoice_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    description: Mapped[str]
    quantity: Mapped[int] = mapped_column(BigInteger)
    unit_micros: Mapped[int | None] = mapped_column(BigInteger)  # None where there is no unit price to show
    amount_micros: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    discount_minor: Mapped[int] = mapped_column(BigInteger)
    is_proration: Mapped[bool]
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]

    __table_args__ = (ForeignKeyConstraint(["customer_id", "invoice_id"], ["invoice.customer_id", "invoice.id"]),)


class InvoiceTax(Base):
    """One tax line of an invoice (SPEC I2): GST and a provincial tax are two. `rate_ppm`: 190,000 is 19 %.

    Rate and base are None where a provider computed the tax and does not tell them. `reverse_charge`: the buyer owes
    it, so `amount_minor` is nothing.
    """

    __tablename__ = "invoice_tax"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    invoice_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    rate_ppm: Mapped[int | None]
    number: Mapped[str | None]  # the seller's registration, as printed
    base_minor: Mapped[int | None] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    reverse_charge: Mapped[bool]

    __table_args__ = (ForeignKeyConstraint(["customer_id", "invoice_id"], ["invoice.customer_id", "invoice.id"]),)


class CreditNote(Base):
    """A correction of a finalised invoice (SPEC I3): net, its tax and the total that is taken back, in minor units.

    `returned_to` says where the money went: the wallet, the payment method, or nowhere (an unpaid invoice).
    """

    __tablename__ = "credit_note"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)  # cn_…
    invoice_id: Mapped[str]
    source: Mapped[str]
    provider_id: Mapped[str | None]
    number: Mapped[str | None]
    key: Mapped[str]
    reason: Mapped[str]
    currency: Mapped[str] = mapped_column(String(3))
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    total_minor: Mapped[int] = mapped_column(BigInteger)
    returned_to: Mapped[str] = mapped_column(String(14))
    lines: Mapped[list[Any]]
    taxes: Mapped[list[Any]]
    created_at: Mapped[datetime]
    pdf_url: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("returned_to IN ('wallet', 'payment_method', 'nowhere')", name="returned_to"),
        CheckConstraint("net_minor + tax_minor = total_minor AND total_minor > 0", name="sum"),
        CheckConstraint("source <> 'purser' OR number IS NOT NULL", name="numbered"),
        ForeignKeyConstraint(["customer_id", "invoice_id"], ["invoice.customer_id", "invoice.id"]),
        UniqueConstraint("customer_id", "source", "key"),
        Index("ix_credit_note_customer_id_invoice_id", "customer_id", "invoice_id"),
        Index("uq_credit_note_source_number", "source", "number", **_OURS_ONLY),
    )


class NumberSeries(Base):
    """The last number given in a series ("INV-2026", "CN-2026"), and the date it was given under.

    Its row is locked from giving to the commit, so a number that is not used is not given.
    """

    __tablename__ = "number_series"

    name: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime]


class TaxRate(Base):
    """A rate charged to buyers in a place. Several rows for one place are several tax lines. '' is anywhere / anyone.

    `reverse_charge`: a business there with a tax id owes the tax itself, and the invoice says so.
    """

    __tablename__ = "tax_rate"

    id: Mapped[str] = mapped_column(primary_key=True)  # tax_…
    country: Mapped[str] = mapped_column(String(2))
    region: Mapped[str] = mapped_column(String(40))
    customer_type: Mapped[str] = mapped_column(String(8))
    name: Mapped[str]
    rate_ppm: Mapped[int]
    number: Mapped[str | None]
    reverse_charge: Mapped[bool]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("customer_type IN ('', 'business', 'person')", name="customer_type"),
        CheckConstraint("rate_ppm BETWEEN 0 AND 1000000", name="rate"),
    )


class Buyer(Base):
    """Who a customer's invoices are made out to, from now on (SPEC I3)."""

    __tablename__ = "buyer"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    customer_type: Mapped[str] = mapped_column(String(8))
    line1: Mapped[str]
    line2: Mapped[str]
    postal_code: Mapped[str]
    city: Mapped[str]
    region: Mapped[str]
    country: Mapped[str] = mapped_column(String(2))
    tax_id: Mapped[str]
    updated_at: Mapped[datetime]

    __table_args__ = (CheckConstraint(f"customer_type IN {CUSTOMER_TYPES}", name="customer_type"),)


guards.attach(Base.metadata)
