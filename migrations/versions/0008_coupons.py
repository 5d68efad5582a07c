"""Coupons and their redemptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coupon",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=7), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("duration", sa.String(length=9), nullable=False),
        sa.Column("months", sa.Integer(), nullable=True),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("most_per_customer", sa.Integer(), nullable=False),
        sa.Column("redeemed", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("provider_ids", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(duration = 'repeating') = (months IS NOT NULL)", name=op.f("ck_coupon_months")),
        sa.CheckConstraint("(kind = 'amount') = (currency IS NOT NULL)", name=op.f("ck_coupon_currency")),
        sa.CheckConstraint("duration IN ('once', 'repeating', 'forever')", name=op.f("ck_coupon_duration")),
        sa.CheckConstraint("kind IN ('percent', 'amount', 'credits')", name=op.f("ck_coupon_kind")),
        sa.CheckConstraint("value > 0 AND (kind <> 'percent' OR value <= 100)", name=op.f("ck_coupon_value")),
        sa.CheckConstraint("most IS NULL OR redeemed <= most", name=op.f("ck_coupon_redeemed")),
        sa.CheckConstraint("redeemed >= 0 AND most_per_customer > 0", name=op.f("ck_coupon_counts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon")),
        sa.UniqueConstraint("code", name=op.f("uq_coupon_code")),
    )
    op.create_table(
        "coupon_redemption",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("coupon_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("subscription_id", sa.String(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("left", sa.Integer(), nullable=True),
        sa.Column("off_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("given", sa.BigInteger(), nullable=False),
        sa.Column("invoices", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('reserved', 'redeemed', 'released')", name=op.f("ck_coupon_redemption_state")),
        sa.CheckConstraint("off_minor >= 0 AND given >= 0", name=op.f("ck_coupon_redemption_amounts")),
        sa.CheckConstraint(
            "(state = 'reserved') = (expires_at IS NOT NULL)", name=op.f("ck_coupon_redemption_reserved")
        ),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupon.id"], name=op.f("fk_coupon_redemption_coupon_id_coupon")),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_coupon_redemption")),
        sa.UniqueConstraint("customer_id", "key", name=op.f("uq_coupon_redemption_customer_id_key")),
    )
    with op.batch_alter_table("coupon_redemption", schema=None) as batch_op:
        batch_op.create_index("ix_coupon_redemption_coupon_id_person", ["coupon_id", "person"], unique=False)
        batch_op.create_index("ix_coupon_redemption_expires_at", ["expires_at"], unique=False)
        batch_op.create_index("ix_coupon_redemption_subscription_id", ["customer_id", "subscription_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("coupon_redemption", schema=None) as batch_op:
        batch_op.drop_index("ix_coupon_redemption_subscription_id")
        batch_op.drop_index("ix_coupon_redemption_expires_at")
        batch_op.drop_index("ix_coupon_redemption_coupon_id_person")

    op.drop_table("coupon_redemption")
    op.drop_table("coupon")
