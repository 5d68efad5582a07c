"""What the back office reads by: rare words and states, staff among all people, and what subscriptions come to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0029"
branch_labels = None
depends_on = None

_OPEN = sa.text("status = 'open'")
_STAFF = sa.text("staff_role IS NOT NULL")
_COUNTED = (
    "plan_id", "interval", "price_minor", "currency", "status", "paid_by", "cancel_at_period_end", "period_end",
    "grace_ends_at",
)  # fmt: skip
_INDEXES = (
    ("ix_activity_action_at_id", "activity", ["action", "at", "id"], None),
    ("ix_provider_event_type_received_at_id", "provider_event", ["type", "received_at", "id"], None),
    ("ix_provider_event_provider_received_at_id", "provider_event", ["provider", "received_at", "id"], None),
    ("ix_invoice_status_created_at_id", "invoice", ["status", "created_at", "id"], None),
    ("ix_subscription_counted", "subscription", list(_COUNTED), None),
    ("ix_subscription_status_id", "subscription", ["status", "id"], None),
    ("ix_user_account_staff", "user_account", ["name", "id"], _STAFF),
)


def upgrade() -> None:
    for name, table, columns, where in _INDEXES:
        op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)
    op.drop_index("ix_invoice_open", table_name="invoice")  # the one by status holds the open ones too


def downgrade() -> None:
    op.create_index(
        "ix_invoice_open", "invoice", ["created_at", "id"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    for name, table, _, _ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
