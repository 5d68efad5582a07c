"""Notices on pages, thresholds, outgoing webhooks, automatic top-up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "auto_topup",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=6), nullable=False),
        sa.Column("why", sa.String(length=20), nullable=True),
        sa.Column("threshold_micros", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("ceiling_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("declines", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('off', 'on', 'paused')", name=op.f("ck_auto_topup_state")),
        sa.CheckConstraint("ceiling_minor >= amount_minor", name=op.f("ck_auto_topup_ceiling")),
        sa.CheckConstraint("threshold_micros >= 0 AND amount_minor > 0", name=op.f("ck_auto_topup_amounts")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_auto_topup")),
    )
    with op.batch_alter_table("auto_topup", schema=None) as batch_op:
        batch_op.create_index(
            "ix_auto_topup_order_id",
            ["order_id"],
            unique=False,
            postgresql_where=sa.text("order_id IS NOT NULL"),
            sqlite_where=sa.text("order_id IS NOT NULL"),
        )
        batch_op.create_index("ix_auto_topup_state_customer_id", ["state", "customer_id"], unique=False)

    op.create_table(
        "notice",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("next", sa.String(), nullable=False),
        sa.Column("tone", sa.String(length=4), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("tone IN ('pos', 'warn', 'neg')", name=op.f("ck_notice_tone")),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_notice")),
        sa.UniqueConstraint("customer_id", "key", name=op.f("uq_notice_customer_id_key")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index("ix_notice_customer_id_at_id", ["customer_id", "at", "id"], unique=False)
        batch_op.create_index(
            "ix_notice_unread",
            ["customer_id"],
            unique=False,
            postgresql_where=sa.text("read_at IS NULL"),
            sqlite_where=sa.text("read_at IS NULL"),
        )

    op.create_table(
        "notice_choices",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("percents", sa.JSON(), nullable=False),
        sa.Column("mails", sa.Boolean(), nullable=False),
        sa.Column("low_micros", sa.BigInteger(), nullable=True),
        sa.Column("low_state", sa.String(length=7), nullable=False),
        sa.Column("low_count", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("low_state IN ('unknown', 'above', 'low')", name=op.f("ck_notice_choices_low_state")),
        sa.CheckConstraint("low_micros IS NULL OR low_micros >= 0", name=op.f("ck_notice_choices_low_micros")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_notice_choices")),
    )
    op.create_table(
        "webhook_attempt",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "delivery_id", "number", name=op.f("pk_webhook_attempt")),
    )
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("old_secret", sa.String(length=100), nullable=True),
        sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('on', 'off', 'removed')", name=op.f("ck_webhook_endpoint_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
    )
    op.create_table(
        "webhook_event",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_webhook_event")),
        sa.UniqueConstraint("customer_id", "type", "key", name=op.f("uq_webhook_event_customer_id_type_key")),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("endpoint_id", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'gave_up', 'stopped')", name=op.f("ck_webhook_delivery_state")
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_webhook_delivery_endpoint_id_webhook_endpoint")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint(
            "customer_id", "event_id", "endpoint_id", name=op.f("uq_webhook_delivery_customer_id_event_id_endpoint_id")
        ),
    )
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.create_index("ix_webhook_delivery_created_at_id", ["created_at", "id"], unique=False)
        batch_op.create_index("ix_webhook_delivery_endpoint_id_state", ["endpoint_id", "state"], unique=False)
        batch_op.create_index("ix_webhook_delivery_state_created_at_id", ["state", "created_at", "id"], unique=False)
        batch_op.create_index("ix_webhook_delivery_state_due_at", ["state", "due_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_webhook_delivery_state_due_at")
        batch_op.drop_index("ix_webhook_delivery_state_created_at_id")
        batch_op.drop_index("ix_webhook_delivery_endpoint_id_state")
        batch_op.drop_index("ix_webhook_delivery_created_at_id")

    op.drop_table("webhook_delivery")
    op.drop_table("webhook_event")
    op.drop_table("webhook_endpoint")
    op.drop_table("webhook_attempt")
    op.drop_table("notice_choices")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_notice_unread", postgresql_where=sa.text("read_at IS NULL"), sqlite_where=sa.text("read_at IS NULL")
        )
        batch_op.drop_index("ix_notice_customer_id_at_id")

    op.drop_table("notice")
    with op.batch_alter_table("auto_topup", schema=None) as batch_op:
        batch_op.drop_index("ix_auto_topup_state_customer_id")
        batch_op.drop_index(
            "ix_auto_topup_order_id",
            postgresql_where=sa.text("order_id IS NOT NULL"),
            sqlite_where=sa.text("order_id IS NOT NULL"),
        )

    op.drop_table("auto_topup")
