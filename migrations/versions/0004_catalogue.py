"""The catalogue: plans with their versions and limits, meters, actions, packs, services."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "action",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("credits > 0", name=op.f("ck_action_credits")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_action")),
    )
    op.create_table(
        "meter",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meter")),
    )
    op.create_table(
        "pack",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("provider_ids", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("credits > 0 AND price_minor > 0", name=op.f("ck_pack_amounts")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_pack")),
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("current_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("key", name=op.f("uq_plan_key")),
    )
    op.create_table(
        "service",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("pricing", sa.String(), nullable=False),
        sa.Column("markup_percent", sa.Integer(), nullable=True),
        sa.Column("commission_percent", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("commission_percent IS NULL OR pricing = 'list_price'", name=op.f("ck_service_commission")),
        sa.CheckConstraint("markup_percent IS NULL OR pricing = 'cost_plus'", name=op.f("ck_service_markup")),
        sa.CheckConstraint("pricing IN ('list_price', 'cost_plus')", name=op.f("ck_service_pricing")),
        sa.CheckConstraint(
            "markup_percent >= 0 AND commission_percent BETWEEN 0 AND 100", name=op.f("ck_service_percentages")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_service")),
    )
    op.create_table(
        "plan_version",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("is_custom", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("monthly_minor", sa.BigInteger(), nullable=True),
        sa.Column("yearly_minor", sa.BigInteger(), nullable=True),
        sa.Column("included_credits", sa.BigInteger(), nullable=False),
        sa.Column("welcome_credits", sa.BigInteger(), nullable=False),
        sa.Column("downgrade", sa.String(), nullable=False),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.Column("provider_ids", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sold_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("downgrade IN ('period_end', 'immediate')", name=op.f("ck_plan_version_downgrade")),
        sa.CheckConstraint(
            "NOT is_custom OR (monthly_minor IS NULL AND yearly_minor IS NULL)", name=op.f("ck_plan_version_custom")
        ),
        sa.CheckConstraint("included_credits >= 0 AND welcome_credits >= 0", name=op.f("ck_plan_version_credits")),
        sa.CheckConstraint("monthly_minor >= 0 AND yearly_minor >= 0", name=op.f("ck_plan_version_prices")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_version_plan_id_plan")),
        sa.PrimaryKeyConstraint("plan_id", "number", name=op.f("pk_plan_version")),
    )
    op.create_table(
        "plan_limit",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=9), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("overage_mode", sa.String(), nullable=True),
        sa.Column("overage_micros", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'allowance' AND amount IS NOT NULL) = (overage_mode IS NOT NULL)",
            name=op.f("ck_plan_limit_overage"),
        ),
        sa.CheckConstraint(
            "(overage_mode IN ('wallet', 'invoice')) = (overage_micros IS NOT NULL)",
            name=op.f("ck_plan_limit_overage_price"),
        ),
        sa.CheckConstraint("kind <> 'flag' OR amount IN (0, 1)", name=op.f("ck_plan_limit_flag")),
        sa.CheckConstraint("kind IN ('allowance', 'count', 'rate', 'flag')", name=op.f("ck_plan_limit_kind")),
        sa.CheckConstraint("overage_mode IN ('wallet', 'invoice', 'block')", name=op.f("ck_plan_limit_overage_mode")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_plan_limit_amount")),
        sa.CheckConstraint("overage_micros >= 0", name=op.f("ck_plan_limit_overage_micros")),
        sa.ForeignKeyConstraint(
            ["plan_id", "version"],
            ["plan_version.plan_id", "plan_version.number"],
            name=op.f("fk_plan_limit_plan_id_plan_version"),
        ),
        sa.PrimaryKeyConstraint("plan_id", "version", "kind", "key", name=op.f("pk_plan_limit")),
    )


def downgrade() -> None:
    op.drop_table("plan_limit")
    op.drop_table("plan_version")
    op.drop_table("service")
    op.drop_table("plan")
    op.drop_table("pack")
    op.drop_table("meter")
    op.drop_table("action")
