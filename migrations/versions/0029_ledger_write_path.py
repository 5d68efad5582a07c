"""A shorter write path."""

from __future__ import annotations

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None: ...


def downgrade() -> None: ...
