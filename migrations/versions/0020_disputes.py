"""Disputes, and wallets frozen by them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.schema import run_statements

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ledger_account", sa.Column("frozen", sa.Boolean(), nullable=False, server_default=sa.false()))
    run_statements(op.get_bind(), "0020")
    op.create_table(
        "dispute",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("provider_dispute_id", sa.String(), nullable=False),
        sa.Column("payment_id", sa.String(), nullable=False),
        sa.Column("paid_for", sa.String(length=12), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("invoice_id", sa.String(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reversed_minor", sa.BigInteger(), nullable=False),
        sa.Column("own_loss_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("revoked_credits", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.String(length=14), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("due_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence", sa.String(length=5), nullable=False),
        sa.Column("freezes", sa.Boolean(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=True),
        sa.Column("restored_entry_id", sa.String(), nullable=True),
        sa.Column("loss_entry_id", sa.String(), nullable=True),
        sa.Column("told_as", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "amount_minor > 0 AND own_loss_minor >= 0 AND fee_minor >= 0", name=op.f("ck_dispute_amounts")
        ),
        sa.CheckConstraint("evidence IN ('none', 'saved', 'late', 'sent')", name=op.f("ck_dispute_evidence")),
        sa.CheckConstraint(
            "paid_for IN ('wallet', 'pack', 'subscription', 'invoice')", name=op.f("ck_dispute_paid_for")
        ),
        sa.CheckConstraint(
            "phase IN ('inquiry', 'closed_inquiry', 'open', 'lost', 'prevented', 'won')", name=op.f("ck_dispute_phase")
        ),
        sa.CheckConstraint(
            "reversed_minor BETWEEN 0 AND amount_minor AND revoked_credits >= 0", name=op.f("ck_dispute_reversed")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("channel", "provider_dispute_id", name=op.f("uq_dispute_channel_provider_dispute_id")),
    )
    op.create_index("ix_dispute_channel_payment_id", "dispute", ["channel", "payment_id"], unique=False)
    op.create_index("ix_dispute_opened_at_id", "dispute", ["opened_at", "id"], unique=False)
    op.create_index("ix_dispute_phase_opened_at_id", "dispute", ["phase", "opened_at", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("dispute")
    run_statements(op.get_bind(), "0020_back")
    op.drop_column("ledger_account", "frozen")
