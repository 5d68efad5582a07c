"""Second factor of staff, re-authentication, and adjustments that wait for a second person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_USER = "user_account.id"


def upgrade() -> None:
    op.add_column("user_account", sa.Column("last_signed_in_at", _INSTANT, nullable=True))
    # Nobody is taken to have proved anything: whoever is signed in now is asked once.
    op.add_column("login_session", sa.Column("proved_at", _INSTANT, nullable=True))
    op.create_table(
        "half_sign_in",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], [_USER], name="fk_half_sign_in_user_id_user_account"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_half_sign_in"),
    )
    op.create_index("ix_half_sign_in_user_id", "half_sign_in", ["user_id"])
    op.create_table(
        "second_factor",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("confirmed_at", _INSTANT, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], [_USER], name="fk_second_factor_user_id_user_account"),
        sa.PrimaryKeyConstraint("user_id", name="pk_second_factor"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", _INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], [_USER], name="fk_recovery_code_user_id_user_account"),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name="pk_recovery_code"),
    )
    _adjustments()


def _adjustments() -> None:
    op.create_table(
        "adjustment",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ticket", sa.String(), nullable=True),
        sa.Column("expires_at", _INSTANT, nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", _INSTANT, nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("entry_id", sa.String(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'made', 'denied', 'withdrawn')", name=op.f("ck_adjustment_state")),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_adjustment_amount")),
        sa.CheckConstraint("(state = 'made') = (entry_id IS NOT NULL)", name=op.f("ck_adjustment_entry")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> asked_by OR state = 'withdrawn'",
            name=op.f("ck_adjustment_second_person"),
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name="pk_adjustment"),
        sa.UniqueConstraint("customer_id", "asset", "key", name="uq_adjustment_customer_id_asset_key"),
    )
    op.create_index("ix_adjustment_id", "adjustment", ["id"])
    op.create_index("ix_adjustment_asked_at_id", "adjustment", ["asked_at", "id"])
    op.create_index("ix_adjustment_state_asked_at_id", "adjustment", ["state", "asked_at", "id"])
    op.create_index("ix_adjustment_customer_id_asked_at_id", "adjustment", ["customer_id", "asked_at", "id"])


def downgrade() -> None:
    op.drop_table("adjustment")
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
    op.drop_table("half_sign_in")
    op.drop_column("login_session", "proved_at")
    op.drop_column("user_account", "last_signed_in_at")
