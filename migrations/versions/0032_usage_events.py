"""What counting a single usage event needs: a stamp that tells whether the catalogue is still the one remembered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.schema import run_statements

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

STAMPED = ("meter", "plan", "plan_limit", "plan_version")


def upgrade() -> None:
    op.create_table(
        "catalogue_stamp",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.String(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_catalogue_stamp_only")),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_stamp"),
    )
    run_statements(op.get_bind(), "0032")


def downgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in STAMPED:
        for verb in ("insert", "update", "delete") if on_sqlite else ("",):
            op.execute(f"DROP TRIGGER {table}_stamped_{verb}" if verb else f"DROP TRIGGER {table}_stamped ON {table}")
    if not on_sqlite:
        op.execute("DROP FUNCTION catalogue_changes()")
    op.drop_table("catalogue_stamp")
