"""The books: holds that grow, and checks that cost less."""

from __future__ import annotations

from alembic import op

from app.schema import run_statements

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_statements(op.get_bind(), "0015")


def downgrade() -> None:
    run_statements(op.get_bind(), "0015_back")
