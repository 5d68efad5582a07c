"""Pages on which customers save cards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "card_page",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=7), nullable=False),
        sa.Column("form_key", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("provider_ref", sa.String(), nullable=True),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("card_id", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'saved') = (card_id IS NOT NULL)", name=op.f("ck_card_page_card")),
        sa.CheckConstraint("state IN ('pending', 'open', 'expired', 'saved')", name=op.f("ck_card_page_state")),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_card_page")),
        sa.UniqueConstraint("customer_id", "form_key", name=op.f("uq_card_page_customer_id_form_key")),
    )
    with op.batch_alter_table("card_page", schema=None) as batch_op:
        batch_op.create_index("ix_card_page_id", ["id"], unique=False)


def downgrade() -> None:
    op.drop_table("card_page")
