"""Count limits: the resources a customer holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "resource",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("acquired_by", sa.String(), nullable=False),
        sa.Column("acquired_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "kind", "id", name=op.f("pk_resource")),
    )
    op.create_table(
        "resource_count",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("in_use", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("in_use >= 0", name=op.f("ck_resource_count_in_use")),
        sa.PrimaryKeyConstraint("customer_id", "kind", name=op.f("pk_resource_count")),
    )


def downgrade() -> None:
    op.drop_table("resource_count")
    op.drop_table("resource")
