"""Usage: events, counters, overage by price and by day, spend caps; and which invoices are due to be collected."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _name(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "usage_accrual",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("meter", _name(40), nullable=False),
        sa.Column("day", _name(10), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("hold_id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(entry_id IS NULL) = (settled_at IS NULL)", name=op.f("ck_usage_accrual_settled")),
        sa.CheckConstraint("units > 0 AND micros > 0", name=op.f("ck_usage_accrual_amount")),
        sa.PrimaryKeyConstraint("customer_id", "meter", "day", name=op.f("pk_usage_accrual")),
    )
    op.create_index(
        "ix_usage_accrual_open",
        "usage_accrual",
        ["day"],
        unique=False,
        sqlite_where=sa.text("entry_id IS NULL"),
        postgresql_where=sa.text("entry_id IS NULL"),
    )
    op.create_table(
        "usage_counter",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("meter", _name(40), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", _name(10), nullable=False),
        sa.Column("source", _name(200), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("over", sa.BigInteger(), nullable=False),
        sa.Column("over_micros", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND over BETWEEN 0 AND quantity AND over_micros >= 0", name=op.f("ck_usage_counter_counts")
        ),
        sa.PrimaryKeyConstraint("customer_id", "meter", "period_start", "day", "source", name=op.f("pk_usage_counter")),
    )
    op.create_index("ix_usage_counter_customer_id_day", "usage_counter", ["customer_id", "day"], unique=False)
    op.create_table(
        "usage_event",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", _name(255), nullable=False),
        sa.Column("meter", _name(40), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("source", _name(200), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", _name(10), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("over", sa.BigInteger(), nullable=False),
        sa.Column("over_micros", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("over BETWEEN 0 AND quantity AND over_micros >= 0", name=op.f("ck_usage_event_over")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_usage_event_quantity")),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_usage_event")),
    )
    op.create_table(
        "usage_overage",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("meter", _name(40), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mode", sa.String(length=7), nullable=False),
        sa.Column("unit_micros", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('wallet', 'invoice')", name=op.f("ck_usage_overage_mode")),
        sa.CheckConstraint("units > 0 AND micros = units * unit_micros", name=op.f("ck_usage_overage_amount")),
        sa.PrimaryKeyConstraint(
            "customer_id", "meter", "period_start", "mode", "unit_micros", "currency", name=op.f("pk_usage_overage")
        ),
    )
    op.create_table(
        "usage_period",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("meter", _name(40), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("over", sa.BigInteger(), nullable=False),
        sa.Column("over_micros", sa.BigInteger(), nullable=False),
        sa.Column("allowance", sa.BigInteger(), nullable=True),
        sa.Column("mode", sa.String(length=7), nullable=True),
        sa.Column("unit_micros", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("mode IN ('wallet', 'invoice', 'block')", name=op.f("ck_usage_period_mode")),
        sa.CheckConstraint("period_start < period_end", name=op.f("ck_usage_period_period")),
        sa.CheckConstraint(
            "used >= 0 AND over BETWEEN 0 AND used AND over_micros >= 0", name=op.f("ck_usage_period_counts")
        ),
        sa.PrimaryKeyConstraint("customer_id", "meter", "period_start", name=op.f("pk_usage_period")),
    )
    op.create_index(
        "ix_usage_period_customer_id_period_end", "usage_period", ["customer_id", "period_end"], unique=False
    )
    op.create_index(
        "ix_usage_period_open",
        "usage_period",
        ["period_end"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "usage_settings",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("spend_cap_micros", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("spend_cap_micros >= 0", name=op.f("ck_usage_settings_spend_cap")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_usage_settings")),
    )
    op.create_index(
        "ix_invoice_next_attempt_at",
        "invoice",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_invoice_next_attempt_at", "invoice")
    for table in ("settings", "period", "overage", "event", "counter", "accrual"):
        op.drop_table(f"usage_{table}")
