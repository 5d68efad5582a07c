"""Disputes, and wallets frozen by them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.schema import run_statements

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ledger_account", sa.Column("frozen", sa.Boolean(), nullable=False, server_default=sa.false()))
    run_statements(op.get_bind(), "0020")


def downgrade() -> None:
    run_statements(op.get_bind(), "0020_back")
    op.drop_column("ledger_account", "frozen")
