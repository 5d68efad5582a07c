"""Reconciliations: what was read again from each provider, and what was repaired."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_UNDER_WAY = sa.text("state IN ('asked', 'running')")


def upgrade() -> None:
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("walked_to", sa.String(), nullable=False),
        sa.Column("looked_at", sa.JSON(), nullable=False),
        sa.Column("changed", sa.JSON(), nullable=False),
        sa.Column("change_count", sa.Integer(), nullable=False),
        sa.Column("unread", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "state IN ('asked', 'running', 'done', 'incomplete', 'broken_off')", name=op.f("ck_reconciliation_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
    )
    op.create_index("ix_reconciliation_asked_at_id", "reconciliation", ["asked_at", "id"], unique=False)
    op.create_index("ix_reconciliation_channel_started_at", "reconciliation", ["channel", "started_at"], unique=False)
    op.create_index(
        "uq_reconciliation_under_way",
        "reconciliation",
        ["channel"],
        unique=True,
        sqlite_where=_UNDER_WAY,
        postgresql_where=_UNDER_WAY,
    )


def downgrade() -> None:
    op.drop_table("reconciliation")
