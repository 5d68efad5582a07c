"""The daily check-in: its rules, and each customer's days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "check_in_rules",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("bonuses", sa.JSON(), nullable=False),
        sa.Column("expires_days", sa.Integer(), nullable=True),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.CheckConstraint(
            "credits > 0 AND expires_days > 0 AND most >= credits", name=op.f("ck_check_in_rules_amounts")
        ),
        sa.CheckConstraint("day IN ('customer', 'utc')", name=op.f("ck_check_in_rules_day")),
        sa.CheckConstraint("who IN ('everyone', 'verified', 'payer', 'paid_plan')", name=op.f("ck_check_in_rules_who")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_check_in_rules")),
    )
    op.create_table(
        "check_in",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("streak", sa.Integer(), nullable=False),
        sa.Column("streak_began", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("bonus", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=True),
        sa.CheckConstraint("amount >= bonus AND bonus >= 0", name=op.f("ck_check_in_amounts")),
        sa.CheckConstraint("(amount > 0) = (entry_id IS NOT NULL)", name=op.f("ck_check_in_entry")),
        sa.CheckConstraint("checked_at < ends_at", name=op.f("ck_check_in_within_the_day")),
        sa.CheckConstraint("streak > 0 AND streak_began <= local_date", name=op.f("ck_check_in_streak")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_check_in_customer_id_customer")),
        sa.PrimaryKeyConstraint("customer_id", "local_date", name=op.f("pk_check_in")),
    )
    with op.batch_alter_table("check_in", schema=None) as batch_op:
        batch_op.create_index("ix_check_in_checked_at", ["checked_at"], unique=False)


def downgrade() -> None:
    op.drop_table("check_in")
    op.drop_table("check_in_rules")
