"""What refunds, disputes and coupons keep: what was taken back of a bonus, and which fee is in the books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in (("coupon_redemption", "taken_back"), ("dispute", "booked_fee_minor")):
        op.add_column(table, sa.Column(column, sa.BigInteger(), nullable=False, server_default="0"))
    # A case that is closed has its fee in the books, as it was told by then.
    op.execute("UPDATE dispute SET booked_fee_minor = fee_minor WHERE loss_entry_id IS NOT NULL")


def downgrade() -> None:
    op.drop_column("dispute", "booked_fee_minor")
    op.drop_column("coupon_redemption", "taken_back")
