"""Finding customers by what providers call them, and looking on as one."""

from __future__ import annotations

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None: ...


def downgrade() -> None: ...
