"""Paid orders of a kind, by time: staff see what was sold of each this month."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_payment_order_kind_paid_at", "payment_order", ["kind", "paid_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_payment_order_kind_paid_at", table_name="payment_order")
