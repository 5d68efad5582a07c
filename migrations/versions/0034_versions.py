"""Moves of subscribers from one version of a plan to another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    _moves()
    _moved_subscribers()


def _moves() -> None:
    op.create_table(
        "version_move",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("from_version", sa.Integer(), nullable=False),
        sa.Column("to_version", sa.Integer(), nullable=False),
        sa.Column("times", sa.String(7), nullable=False),
        sa.Column("notice_days", sa.Integer(), nullable=False),
        sa.Column("is_chosen", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(7), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("finished_at", AT, nullable=True),
        sa.CheckConstraint("state IN ('running', 'stopped', 'done')", name=op.f("ck_version_move_state")),
        sa.CheckConstraint("times IN ('renewal', 'now')", name=op.f("ck_version_move_times")),
        sa.CheckConstraint("from_version <> to_version", name=op.f("ck_version_move_versions")),
        sa.CheckConstraint("notice_days >= 0", name=op.f("ck_version_move_notice_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version_move")),
    )
    op.create_index("ix_version_move_plan_id_created_at", "version_move", ["plan_id", "created_at"])


def _moved_subscribers() -> None:
    op.create_table(
        "moved_subscriber",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("move_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("told_at", AT, nullable=True),
        sa.Column("not_before", AT, nullable=True),
        sa.Column("effective_at", AT, nullable=True),
        sa.Column("change_id", sa.String(), nullable=True),
        sa.Column("price_before_minor", sa.BigInteger(), nullable=True),
        sa.Column("price_after_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", AT, nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'arranged', 'moved', 'left', 'stopping', 'stopped')",
            name=op.f("ck_moved_subscriber_state"),
        ),
        sa.CheckConstraint(
            "(due_at IS NOT NULL) = (state IN ('waiting', 'stopping'))", name=op.f("ck_moved_subscriber_due")
        ),
        sa.PrimaryKeyConstraint("customer_id", "move_id", name=op.f("pk_moved_subscriber")),
    )
    op.create_index(
        "uq_moved_subscriber_one_at_a_time",
        "moved_subscriber",
        ["customer_id"],
        unique=True,
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index("ix_moved_subscriber_due_at_customer_id", "moved_subscriber", ["due_at", "customer_id"])
    op.create_index("ix_moved_subscriber_move_id", "moved_subscriber", ["move_id", "state", "customer_id"])


def downgrade() -> None:
    op.drop_table("moved_subscriber")
    op.drop_table("version_move")
