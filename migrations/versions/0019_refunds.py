"""Refunds: asked for, approved, on their way, done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# A saved card's charge was written down with its order alone when its answer came before its event. What can go back of
# a payment is kept with the payment, so each needs its row; its event, should it still come, finds it taken.
_ANSWERED = """
INSERT INTO payment (channel, payment_id, customer_id, order_id, net_minor, tax_minor, currency, invoice_id, is_extra,
                     event_id, at)
SELECT o.channel, o.payment_id, o.customer_id, o.id, o.amount_minor, 0, o.currency, NULL, false, '', o.paid_at
  FROM payment_order AS o
 WHERE o.kind IN ('auto_topup', 'invoice') AND o.state = 'paid' AND o.paid_at IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM payment AS p WHERE p.channel = o.channel AND p.payment_id = o.payment_id)
"""


def upgrade() -> None:
    op.create_table(
        "refund",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=7), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("payment_id", sa.String(), nullable=True),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("invoice_id", sa.String(), nullable=True),
        sa.Column("parent_id", sa.String(), nullable=True),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("own_loss_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_refund_id", sa.String(), nullable=True),
        sa.Column("entry_id", sa.String(), nullable=True),
        sa.Column("end_entry_id", sa.String(), nullable=True),
        sa.Column("credit_note_id", sa.String(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('topup', 'balance', 'pack', 'invoice')", name=op.f("ck_refund_kind")),
        sa.CheckConstraint(
            "state IN ('requested', 'denied', 'reserved', 'sent', 'succeeded', 'failed')", name=op.f("ck_refund_state")
        ),
        sa.CheckConstraint(
            "net_minor >= 0 AND tax_minor >= 0 AND net_minor + tax_minor = amount_minor", name=op.f("ck_refund_sum")
        ),
        sa.CheckConstraint(
            "amount_minor > 0 AND own_loss_minor BETWEEN 0 AND net_minor", name=op.f("ck_refund_amounts")
        ),
        sa.CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name=op.f("ck_refund_decided")),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_refund")),
        sa.UniqueConstraint("customer_id", "key", name=op.f("uq_refund_customer_id_key")),
        sa.UniqueConstraint("channel", "provider_refund_id", name=op.f("uq_refund_channel_provider_refund_id")),
    )
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.create_index("ix_refund_id", ["id"], unique=False)
        batch_op.create_index("ix_refund_channel_payment_id", ["channel", "payment_id"], unique=False)
        batch_op.create_index("ix_refund_customer_id_created_at_id", ["customer_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_refund_created_at_id", ["created_at", "id"], unique=False)
        batch_op.create_index("ix_refund_state_created_at_id", ["state", "created_at", "id"], unique=False)
        batch_op.create_index(
            "ix_refund_next_try_at",
            ["next_try_at"],
            unique=False,
            postgresql_where=sa.text("next_try_at IS NOT NULL"),
            sqlite_where=sa.text("next_try_at IS NOT NULL"),
        )

    op.create_index("ix_invoice_source_payment_id", "invoice", ["source", "payment_id"], unique=False)
    op.execute(_ANSWERED)


def downgrade() -> None:
    op.drop_index("ix_invoice_source_payment_id", table_name="invoice")
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_refund_next_try_at",
            postgresql_where=sa.text("next_try_at IS NOT NULL"),
            sqlite_where=sa.text("next_try_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_refund_state_created_at_id")
        batch_op.drop_index("ix_refund_created_at_id")
        batch_op.drop_index("ix_refund_customer_id_created_at_id")
        batch_op.drop_index("ix_refund_channel_payment_id")
        batch_op.drop_index("ix_refund_id")

    op.drop_table("refund")
