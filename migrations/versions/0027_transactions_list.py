"""Everybody's transactions by time, and the invoices that are still to be paid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_OF_CUSTOMERS = sa.text("seq IS NOT NULL")
_OPEN = sa.text("status = 'open'")


def upgrade() -> None:
    op.create_index(
        "ix_ledger_leg_recorded_at",
        "ledger_leg",
        ["recorded_at"],
        unique=False,
        sqlite_where=_OF_CUSTOMERS,
        postgresql_where=_OF_CUSTOMERS,
    )
    op.create_index(
        "ix_invoice_open",
        "invoice",
        ["created_at", "id"],
        unique=False,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    op.drop_index("ix_invoice_open", table_name="invoice")
    op.drop_index("ix_ledger_leg_recorded_at", table_name="ledger_leg")
