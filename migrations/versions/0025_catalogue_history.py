"""The catalogue's versions: who has which."""

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


def downgrade() -> None:
    op.drop_index("ix_subscription_plan_version", "subscription")
