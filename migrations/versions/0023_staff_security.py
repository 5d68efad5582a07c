"""Second factor of staff, re-authentication, and adjustments that wait for a second person."""

from __future__ import annotations

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None: ...


def downgrade() -> None: ...
