"""A shorter write path: PostgreSQL's doors for pairs, and its rules of rows in triggers instead of CHECKs."""

from __future__ import annotations

from alembic import op

from app.schema import run_statements

revision = "0029"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        run_statements(op.get_bind(), "0029")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        run_statements(op.get_bind(), "0029_back")
