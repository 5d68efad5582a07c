"""Payments and requests: orders, the webhook inbox, answers kept for repeated requests, rate limits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keyed_answer",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("(status IS NULL) = (answer IS NULL)", name=op.f("ck_keyed_answer_whole")),
        sa.PrimaryKeyConstraint("customer_id", "key", name="pk_keyed_answer"),
    )
    op.create_table(
        "payment",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("payment_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=True),
        sa.Column("is_extra", sa.Boolean(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("net_minor > 0 AND tax_minor >= 0", name=op.f("ck_payment_amounts")),
        sa.PrimaryKeyConstraint("channel", "payment_id", name="pk_payment"),
    )
    op.create_index("ix_payment_customer_id_at", "payment", ["customer_id", "at"])
    op.create_table(
        "payment_order",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("form_key", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("provider_ref", sa.String(), nullable=True),
        sa.Column("checkout_url", sa.String(), nullable=True),
        sa.Column("payment_id", sa.String(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_poll_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polls", sa.Integer(), nullable=False),
        sa.CheckConstraint("state <> 'paid' OR payment_id IS NOT NULL", name=op.f("ck_payment_order_paid_by")),
        sa.CheckConstraint(
            "state IN ('pending', 'open', 'processing', 'canceled', 'expired', 'failed', 'paid')",
            name=op.f("ck_payment_order_state"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_order_amount")),
        sa.PrimaryKeyConstraint("customer_id", "id", name="pk_payment_order"),
        sa.UniqueConstraint("customer_id", "form_key", name="uq_payment_order_customer_id_form_key"),
    )
    op.create_index("ix_payment_order_customer_id_created_at", "payment_order", ["customer_id", "created_at"])
    op.create_index("ix_payment_order_id", "payment_order", ["id"])
    op.create_index("ix_payment_order_next_poll_at", "payment_order", ["next_poll_at"])
    op.create_table(
        "provider_customer",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "channel", name="pk_provider_customer"),
    )
    op.create_index("ix_provider_customer_channel_provider_id", "provider_customer", ["channel", "provider_id"])
    op.create_table(
        "provider_event",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("api_version", sa.String(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("effects", sa.JSON(), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'done', 'ignored', 'dead')", name=op.f("ck_provider_event_state")),
        sa.PrimaryKeyConstraint("id", name="pk_provider_event"),
        sa.UniqueConstraint("provider", "event_id", name="uq_provider_event_provider_event_id"),
    )
    op.create_index("ix_provider_event_received_at_id", "provider_event", ["received_at", "id"])
    op.create_index("ix_provider_event_state_next_at", "provider_event", ["state", "next_at"])
    op.create_index("ix_provider_event_state_received_at_id", "provider_event", ["state", "received_at", "id"])
    op.create_table(
        "rate_count",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rate_count"),
    )
    op.create_index("ix_rate_count_ends_at", "rate_count", ["ends_at"])


def downgrade() -> None:
    op.drop_table("rate_count")
    op.drop_table("provider_event")
    op.drop_table("provider_customer")
    op.drop_table("payment_order")
    op.drop_table("payment")
    op.drop_table("keyed_answer")
