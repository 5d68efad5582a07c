"""The catalogue's versions: who has which, and drafts of plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

LIVE = sa.text("ended_at IS NULL")


def upgrade() -> None:
    columns = ["plan_id", "version", "customer_id"]
    op.create_index("ix_subscription_plan_version", "subscription", columns, sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_table(
        "plan_draft",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_draft_plan_id_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_draft")),
    )


def downgrade() -> None:
    op.drop_table("plan_draft")
    op.drop_index("ix_subscription_plan_version", "subscription")
