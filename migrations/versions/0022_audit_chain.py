"""The audit log's chain of hashes, what the worker's tasks did, tries of events, and where house accounts moved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.schema import run_statements

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def _name(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "activity_seal",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("activity_id", sa.String(), nullable=False),
        sa.Column("line_hash", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_activity_seal"),
        sa.UniqueConstraint("customer_id", "activity_id", name="uq_activity_seal_customer_id_activity_id"),
    )
    op.create_table(
        "activity_check",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("sealed", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("fault_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_activity_check"),
    )
    op.create_index("ix_activity_id", "activity", ["id"])
    op.create_index("ix_activity_subject_at_id", "activity", ["subject", "at", "id"])
    op.create_index("ix_activity_actor_at_id", "activity", ["actor", "at", "id"])
    op.create_table(
        "worker_task",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=6), nullable=False),
        sa.Column("did", sa.Integer(), nullable=False),
        sa.Column("did_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("outcome IN ('did', 'idle', 'failed')", name=op.f("ck_worker_task_outcome")),
        sa.PrimaryKeyConstraint("name", name="pk_worker_task"),
    )
    op.create_table(
        "refused_delivery",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "day", "code", name="pk_refused_delivery"),
    )
    op.create_table(
        "ledger_block",
        sa.Column("account", _name(80), nullable=False),
        sa.Column("asset", _name(16), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("legs", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "asset", "block", name="pk_ledger_block"),
    )
    op.add_column("provider_event", sa.Column("tries", sa.JSON(), nullable=False, server_default="[]"))
    run_statements(op.get_bind(), "0022")


def downgrade() -> None:
    op.drop_column("provider_event", "tries")
    op.drop_table("ledger_block")
    op.drop_table("refused_delivery")
    op.drop_table("worker_task")
    op.drop_index("ix_activity_actor_at_id", "activity")
    op.drop_index("ix_activity_subject_at_id", "activity")
    op.drop_index("ix_activity_id", "activity")
    op.drop_table("activity_check")
    op.drop_table("activity_seal")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION activity_seal_append_only")
