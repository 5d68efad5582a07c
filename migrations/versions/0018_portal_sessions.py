"""One-time links that sign a user of a customer in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "portal_link",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("path", sa.String(length=1000), nullable=False),
        sa.Column("return_url", sa.String(length=2000), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_portal_link_customer_id_customer"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_portal_link_user_id_user_account"),
        sa.PrimaryKeyConstraint("customer_id", "id", name="pk_portal_link"),
        sa.UniqueConstraint("customer_id", "token_hash", name="uq_portal_link_customer_id_token_hash"),
    )
    op.create_index("ix_portal_link_token_hash", "portal_link", ["token_hash"])
    op.add_column("login_session", sa.Column("bound_to", sa.String(), nullable=True))
    op.add_column("login_session", sa.Column("return_url", sa.String(length=2000), nullable=True))
    op.create_index("ix_webhook_delivery_id", "webhook_delivery", ["id"])


def downgrade() -> None:
    op.drop_index("ix_webhook_delivery_id", table_name="webhook_delivery")
    # A session that was bound to one customer must not become one that is not.
    op.execute("DELETE FROM login_session WHERE bound_to IS NOT NULL")
    op.drop_column("login_session", "return_url")
    op.drop_column("login_session", "bound_to")
    op.drop_table("portal_link")
