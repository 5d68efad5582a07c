"""Invoices: documents with lines and taxes, credit notes, number series, tax rates, buyers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from app.schema import run_statements

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The numbers a provider gives are its own matter: they need only be unique among ours.
OURS_ONLY: dict[str, Any] = {
    "unique": True,
    "sqlite_where": sa.text("source = 'purser'"),
    "postgresql_where": sa.text("source = 'purser'"),
}


def upgrade() -> None:
    op.create_table(
        "buyer",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("customer_type", sa.String(length=8), nullable=False),
        sa.Column("line1", sa.String(), nullable=False),
        sa.Column("line2", sa.String(), nullable=False),
        sa.Column("postal_code", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("tax_id", sa.String(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("customer_type IN ('business', 'person')", name=op.f("ck_buyer_customer_type")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_buyer")),
    )
    op.create_table(
        "invoice",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=True),
        sa.Column("provider_version", sa.DateTime(timezone=True), nullable=True),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("status", sa.String(length=13), nullable=False),
        sa.Column("reason", sa.String(length=19), nullable=False),
        sa.Column("subscription_id", sa.String(), nullable=True),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subtotal_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_name", sa.String(), nullable=True),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("credited_minor", sa.BigInteger(), nullable=False),
        sa.Column("buyer", sa.JSON(), nullable=False),
        sa.Column("seller", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("paid_with", sa.String(), nullable=True),
        sa.Column("payment_id", sa.String(), nullable=True),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hosted_url", sa.String(), nullable=True),
        sa.Column("pdf_url", sa.String(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('subscription_create', 'subscription_cycle', 'subscription_update', "
            "'topup', 'pack', 'usage', 'other')",
            name=op.f("ck_invoice_reason"),
        ),
        sa.CheckConstraint(
            "source <> 'purser' OR (discount_minor BETWEEN 0 AND subtotal_minor AND tax_minor >= 0 "
            "AND paid_minor BETWEEN 0 AND total_minor AND credited_minor BETWEEN 0 AND total_minor)",
            name=op.f("ck_invoice_amounts"),
        ),
        sa.CheckConstraint(
            "source <> 'purser' OR (status = 'draft') = (number IS NULL)", name=op.f("ck_invoice_numbered")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'open', 'paid', 'void', 'uncollectible', 'refunded')", name=op.f("ck_invoice_status")
        ),
        sa.CheckConstraint("subtotal_minor - discount_minor + tax_minor = total_minor", name=op.f("ck_invoice_sum")),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("customer_id", "source", "key", name=op.f("uq_invoice_customer_id_source_key")),
    )
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.create_index("ix_invoice_created_at_id", ["created_at", "id"], unique=False)
        batch_op.create_index("ix_invoice_customer_id_created_at_id", ["customer_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_invoice_source_provider_id", ["source", "provider_id"], unique=False)
        batch_op.create_index("uq_invoice_source_number", ["source", "number"], **OURS_ONLY)

    op.create_table(
        "number_series",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_number_series")),
    )
    op.create_table(
        "tax_rate",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("customer_type", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rate_ppm", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("reverse_charge", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("customer_type IN ('', 'business', 'person')", name=op.f("ck_tax_rate_customer_type")),
        sa.CheckConstraint("rate_ppm BETWEEN 0 AND 1000000", name=op.f("ck_tax_rate_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_rate")),
    )
    op.create_table(
        "credit_note",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=True),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_to", sa.String(length=14), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("taxes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pdf_url", sa.String(), nullable=True),
        sa.CheckConstraint("source <> 'purser' OR number IS NOT NULL", name=op.f("ck_credit_note_numbered")),
        sa.CheckConstraint(
            "returned_to IN ('wallet', 'payment_method', 'nowhere')", name=op.f("ck_credit_note_returned_to")
        ),
        sa.CheckConstraint("net_minor + tax_minor = total_minor AND total_minor > 0", name=op.f("ck_credit_note_sum")),
        sa.ForeignKeyConstraint(
            ["customer_id", "invoice_id"],
            ["invoice.customer_id", "invoice.id"],
            name=op.f("fk_credit_note_customer_id_invoice"),
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_credit_note")),
        sa.UniqueConstraint("customer_id", "source", "key", name=op.f("uq_credit_note_customer_id_source_key")),
    )
    with op.batch_alter_table("credit_note", schema=None) as batch_op:
        batch_op.create_index("ix_credit_note_customer_id_invoice_id", ["customer_id", "invoice_id"], unique=False)
        batch_op.create_index("uq_credit_note_source_number", ["source", "number"], **OURS_ONLY)

    op.create_table(
        "invoice_line",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_micros", sa.BigInteger(), nullable=True),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("is_proration", sa.Boolean(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id", "invoice_id"],
            ["invoice.customer_id", "invoice.id"],
            name=op.f("fk_invoice_line_customer_id_invoice"),
        ),
        sa.PrimaryKeyConstraint("customer_id", "invoice_id", "position", name=op.f("pk_invoice_line")),
    )
    op.create_table(
        "invoice_tax",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rate_ppm", sa.Integer(), nullable=True),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("base_minor", sa.BigInteger(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reverse_charge", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "invoice_id"],
            ["invoice.customer_id", "invoice.id"],
            name=op.f("fk_invoice_tax_customer_id_invoice"),
        ),
        sa.PrimaryKeyConstraint("customer_id", "invoice_id", "position", name=op.f("pk_invoice_tax")),
    )
    run_statements(op.get_bind(), "0007")


def downgrade() -> None:
    op.drop_table("invoice_tax")
    op.drop_table("invoice_line")
    with op.batch_alter_table("credit_note", schema=None) as batch_op:
        batch_op.drop_index("uq_credit_note_source_number")
        batch_op.drop_index("ix_credit_note_customer_id_invoice_id")

    op.drop_table("credit_note")
    op.drop_table("tax_rate")
    op.drop_table("number_series")
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.drop_index("uq_invoice_source_number")
        batch_op.drop_index("ix_invoice_source_provider_id")
        batch_op.drop_index("ix_invoice_customer_id_created_at_id")
        batch_op.drop_index("ix_invoice_created_at_id")

    op.drop_table("invoice")
    op.drop_table("buyer")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION credit_note_fits")
        op.execute("DROP FUNCTION invoice_part")
        op.execute("DROP FUNCTION invoice_refuse")
