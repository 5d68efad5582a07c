"""Credits: grants, what was spent of each, sums by day, who has which included credits, and what coupons promised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_OPEN = sa.text("remaining > 0")
_OPEN_AND_ENDING = sa.text("remaining > 0 AND expires_at IS NOT NULL")
_FIRST = sa.text("position = 0")
_WAITING = sa.text("granted_at IS NULL")


def upgrade() -> None:
    _grants()
    _allocations()
    op.create_table(
        "credit_day",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "day", "kind", name=op.f("pk_credit_day")),
    )
    op.create_table(
        "credit_schedule",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("subscription_id", sa.String(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_credit_schedule")),
    )
    op.create_index("ix_credit_schedule_due_at", "credit_schedule", ["due_at"])
    _bonuses()
    _adopt()


def downgrade() -> None:
    for table in ("coupon_bonus", "credit_schedule", "credit_day", "credit_allocation", "credit_grant"):
        op.drop_table(table)


def _grants() -> None:
    op.create_table(
        "credit_grant",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("is_paid", sa.Boolean(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "source IN ('pack', 'welcome', 'included', 'checkin', 'coupon', 'adjustment', 'promo')",
            name=op.f("ck_credit_grant_source"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_credit_grant_amount")),
        sa.CheckConstraint("remaining BETWEEN 0 AND amount", name=op.f("ck_credit_grant_remaining")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_credit_grant_expires_at")),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_credit_grant")),
        sa.UniqueConstraint("customer_id", "key", name=op.f("uq_credit_grant_customer_id_key")),
        sa.UniqueConstraint("customer_id", "entry_id", name=op.f("uq_credit_grant_customer_id_entry_id")),
    )
    op.create_index("ix_credit_grant_open", "credit_grant", ["customer_id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index(
        "ix_credit_grant_ending",
        "credit_grant",
        ["expires_at"],
        sqlite_where=_OPEN_AND_ENDING,
        postgresql_where=_OPEN_AND_ENDING,
    )


def _allocations() -> None:
    op.create_table(
        "credit_allocation",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_credit_allocation_amount")),
        sa.ForeignKeyConstraint(
            ["customer_id", "grant_id"],
            ["credit_grant.customer_id", "credit_grant.id"],
            name=op.f("fk_credit_allocation_customer_id_credit_grant"),
        ),
        sa.PrimaryKeyConstraint("customer_id", "entry_id", "grant_id", name=op.f("pk_credit_allocation")),
    )
    for columns in (["at"], ["kind", "at"], ["customer_id", "at"]):
        op.create_index(
            f"ix_credit_allocation_{'_'.join(columns)}",
            "credit_allocation",
            [*columns, "entry_id"],
            sqlite_where=_FIRST,
            postgresql_where=_FIRST,
        )


def _bonuses() -> None:
    op.create_table(
        "coupon_bonus",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("redemption_id", sa.String(), nullable=False),
        sa.Column("occasion", sa.String(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("credits > 0", name=op.f("ck_coupon_bonus_credits")),
        sa.PrimaryKeyConstraint("customer_id", "redemption_id", "occasion", name=op.f("pk_coupon_bonus")),
    )
    op.create_index(
        "ix_coupon_bonus_waiting", "coupon_bonus", ["created_at"], sqlite_where=_WAITING, postgresql_where=_WAITING
    )


def _adopt() -> None:
    """Coupons gave credits before there were grants: what an account holds becomes one, under its newest entry."""
    op.execute(
        "INSERT INTO credit_grant (customer_id, id, source, is_paid, amount, remaining, expires_at, priority, key, "
        "entry_id, created_at) "
        "SELECT a.customer_id, 'grant_' || substr(l.entry_id, 6), 'promo', false, a.balance, a.balance, NULL, 0, "
        "'adopted', l.entry_id, l.recorded_at FROM ledger_account a JOIN ledger_leg l "
        "ON l.customer_id = a.customer_id AND l.account = a.kind AND l.asset = a.asset AND l.seq = a.version "
        "WHERE a.kind = 'credits' AND a.balance > 0"
    )
    op.execute(
        "INSERT INTO credit_allocation (customer_id, entry_id, grant_id, amount, kind, position, at) "
        "SELECT g.customer_id, g.entry_id, g.id, g.amount, 'promo', 0, g.created_at FROM credit_grant g"
    )
