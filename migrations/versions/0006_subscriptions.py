"""Subscriptions: what customers have, the periods invoiced, changes, negotiated terms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_override",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("plan_id", sa.String(), nullable=True),
        sa.Column("monthly_minor", sa.BigInteger(), nullable=True),
        sa.Column("yearly_minor", sa.BigInteger(), nullable=True),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("markup_percent", sa.Integer(), nullable=True),
        sa.Column("commission_percent", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "markup_percent >= 0 AND commission_percent BETWEEN 0 AND 100", name=op.f("ck_plan_override_percentages")
        ),
        sa.CheckConstraint("monthly_minor >= 0 AND yearly_minor >= 0", name=op.f("ck_plan_override_prices")),
        sa.PrimaryKeyConstraint("customer_id", "number", name=op.f("pk_plan_override")),
    )
    op.create_table(
        "provider_price",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("interval", sa.String(length=5), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("interval IN ('month', 'year')", name=op.f("ck_provider_price_interval")),
        sa.PrimaryKeyConstraint("channel", "provider_id", name=op.f("pk_provider_price")),
    )
    with op.batch_alter_table("provider_price", schema=None) as batch_op:
        batch_op.create_index("ix_provider_price_plan_id_version", ["plan_id", "version"], unique=False)

    op.create_table(
        "subscription",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("interval", sa.String(length=5), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("paid_by", sa.String(length=6), nullable=False),
        sa.Column("pays_next_by", sa.String(length=6), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("provider_id", sa.String(), nullable=True),
        sa.Column("provider_version", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_state", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("anchor_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("cancel_reason", sa.String(), nullable=True),
        sa.Column("past_due_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("grace_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(status = 'canceled') = (ended_at IS NOT NULL)", name=op.f("ck_subscription_ended")),
        sa.CheckConstraint("(past_due_since IS NULL) = (grace_ends_at IS NULL)", name=op.f("ck_subscription_grace")),
        sa.CheckConstraint("interval IN ('month', 'year')", name=op.f("ck_subscription_interval")),
        sa.CheckConstraint("paid_by <> 'card' OR provider_id IS NOT NULL", name=op.f("ck_subscription_provider")),
        sa.CheckConstraint("paid_by IN ('wallet', 'card')", name=op.f("ck_subscription_paid_by")),
        sa.CheckConstraint("pays_next_by IN ('wallet', 'card')", name=op.f("ck_subscription_pays_next_by")),
        sa.CheckConstraint(
            "status IN ('incomplete', 'active', 'past_due', 'restricted', 'canceled')",
            name=op.f("ck_subscription_status"),
        ),
        sa.CheckConstraint("period_start < period_end", name=op.f("ck_subscription_period")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_subscription_price")),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_subscription")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index("ix_subscription_channel_provider_id", ["channel", "provider_id"], unique=False)
        batch_op.create_index("ix_subscription_due_at", ["due_at"], unique=False)
        batch_op.create_index("ix_subscription_grace_ends_at", ["grace_ends_at"], unique=False)
        batch_op.create_index("ix_subscription_period_end", ["period_end"], unique=False)
        batch_op.create_index(
            "uq_subscription_one_live",
            ["customer_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "subscription_change",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("subscription_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("interval", sa.String(length=5), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("charge_minor", sa.BigInteger(), nullable=False),
        sa.Column("credit_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("due_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("action_url", sa.String(), nullable=True),
        sa.Column("invoice_id", sa.String(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('upgrade', 'downgrade', 'cancel_now', 'pay_by')", name=op.f("ck_subscription_change_kind")
        ),
        sa.CheckConstraint(
            "state IN ('previewed', 'in_flight', 'scheduled', 'applied', 'failed', 'expired', 'undone')",
            name=op.f("ck_subscription_change_state"),
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_subscription_change")),
    )
    with op.batch_alter_table("subscription_change", schema=None) as batch_op:
        batch_op.create_index(
            "ix_subscription_change_customer_id_created_at", ["customer_id", "created_at"], unique=False
        )
        batch_op.create_index("ix_subscription_change_state_expires_at", ["state", "expires_at"], unique=False)
        batch_op.create_index(
            "uq_subscription_change_one_in_flight",
            ["customer_id"],
            unique=True,
            sqlite_where=sa.text("state = 'in_flight'"),
            postgresql_where=sa.text("state = 'in_flight'"),
        )
        batch_op.create_index(
            "uq_subscription_change_one_scheduled",
            ["customer_id"],
            unique=True,
            sqlite_where=sa.text("state = 'scheduled'"),
            postgresql_where=sa.text("state = 'scheduled'"),
        )

    op.create_table(
        "subscription_period",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("subscription_id", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("interval", sa.String(length=5), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("starts_at <= ends_at AND ends_at <= paid_until", name=op.f("ck_subscription_period_order")),
        sa.PrimaryKeyConstraint("customer_id", "subscription_id", "starts_at", name=op.f("pk_subscription_period")),
    )


def downgrade() -> None:
    op.drop_table("subscription_period")
    with op.batch_alter_table("subscription_change", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_subscription_change_one_scheduled",
            sqlite_where=sa.text("state = 'scheduled'"),
            postgresql_where=sa.text("state = 'scheduled'"),
        )
        batch_op.drop_index(
            "uq_subscription_change_one_in_flight",
            sqlite_where=sa.text("state = 'in_flight'"),
            postgresql_where=sa.text("state = 'in_flight'"),
        )
        batch_op.drop_index("ix_subscription_change_state_expires_at")
        batch_op.drop_index("ix_subscription_change_customer_id_created_at")

    op.drop_table("subscription_change")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_subscription_one_live",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index("ix_subscription_period_end")
        batch_op.drop_index("ix_subscription_grace_ends_at")
        batch_op.drop_index("ix_subscription_due_at")
        batch_op.drop_index("ix_subscription_channel_provider_id")

    op.drop_table("subscription")
    with op.batch_alter_table("provider_price", schema=None) as batch_op:
        batch_op.drop_index("ix_provider_price_plan_id_version")

    op.drop_table("provider_price")
    op.drop_table("plan_override")
