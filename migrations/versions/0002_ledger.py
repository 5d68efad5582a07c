"""The books: ledger accounts, entries, legs, holds and their triggers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.schema import run_statements

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def exact(length: int) -> sa.types.TypeEngine[str]:
    """Text that sorts and compares byte by byte on PostgreSQL too, as ids and keys do."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("customer_id", exact(40), nullable=False),
        sa.Column("kind", exact(40), nullable=False),
        sa.Column("asset", exact(16), nullable=False),
        sa.Column("balance", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("debt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("promo", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tallies", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("customer_id <> 'house'", name=op.f("ck_ledger_account_house_has_no_row")),
        sa.CheckConstraint("balance - held >= -debt", name=op.f("ck_ledger_account_floor")),
        sa.CheckConstraint(
            "debt = CASE WHEN held > balance THEN held - balance ELSE 0 END", name=op.f("ck_ledger_account_debt")
        ),
        sa.CheckConstraint("held >= 0", name=op.f("ck_ledger_account_held")),
        sa.CheckConstraint(
            "promo >= 0 AND promo <= CASE WHEN balance > 0 THEN balance ELSE 0 END",
            name=op.f("ck_ledger_account_promo"),
        ),
        sa.PrimaryKeyConstraint("customer_id", "kind", "asset", name="pk_ledger_account"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("customer_id", exact(40), nullable=False),
        sa.Column("id", exact(40), nullable=False),
        sa.Column("kind", exact(40), nullable=False),
        sa.Column("key", exact(255), nullable=False),
        sa.Column("request_hash", exact(32), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("reverses", exact(40), nullable=True),
        sa.Column("legs", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("(kind = 'reversal') = (reverses IS NOT NULL)", name=op.f("ck_ledger_entry_reversal")),
        sa.CheckConstraint("legs >= 2", name=op.f("ck_ledger_entry_two_legs")),
        sa.PrimaryKeyConstraint("customer_id", "id", name="pk_ledger_entry"),
        sa.UniqueConstraint("customer_id", "key", name="uq_ledger_entry_customer_id_key"),
    )
    op.create_index(
        "uq_ledger_entry_reverses",
        "ledger_entry",
        ["customer_id", "reverses"],
        unique=True,
        postgresql_where=sa.text("reverses IS NOT NULL"),
        sqlite_where=sa.text("reverses IS NOT NULL"),
    )
    op.create_table(
        "ledger_hold",
        sa.Column("customer_id", exact(40), nullable=False),
        sa.Column("id", exact(40), nullable=False),
        sa.Column("account", exact(40), nullable=False),
        sa.Column("asset", exact(16), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", exact(10), nullable=False),
        sa.Column("key", exact(255), nullable=False),
        sa.Column("request_hash", exact(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_amount", sa.BigInteger(), nullable=True),
        sa.Column("settled_entry", exact(40), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.CheckConstraint("(state = 'held') = (ended_at IS NULL)", name=op.f("ck_ledger_hold_ended")),
        sa.CheckConstraint("state IN ('held', 'settled', 'released', 'expired')", name=op.f("ck_ledger_hold_state")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_ledger_hold_amount")),
        sa.PrimaryKeyConstraint("customer_id", "id", name="pk_ledger_hold"),
        sa.UniqueConstraint("customer_id", "key", name="uq_ledger_hold_customer_id_key"),
    )
    op.create_index(
        "ix_ledger_hold_live",
        "ledger_hold",
        ["customer_id", "account"],
        postgresql_where=sa.text("state = 'held'"),
        sqlite_where=sa.text("state = 'held'"),
    )
    op.create_index(
        "ix_ledger_hold_live_by_expiry",
        "ledger_hold",
        ["expires_at"],
        postgresql_where=sa.text("state = 'held'"),
        sqlite_where=sa.text("state = 'held'"),
    )
    op.create_table(
        "ledger_mark",
        sa.Column("name", exact(20), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_ledger_mark"),
    )
    op.create_table(
        "ledger_rollup",
        sa.Column("day", exact(10), nullable=False),
        sa.Column("account", exact(80), nullable=False),
        sa.Column("asset", exact(16), nullable=False),
        sa.Column("kind", exact(40), nullable=False),
        sa.Column("house", sa.SmallInteger(), nullable=False),
        sa.Column("legs", sa.BigInteger(), nullable=False),
        sa.Column("amount_in", sa.BigInteger(), nullable=False),
        sa.Column("amount_out", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "account", "asset", "kind", "house", name="pk_ledger_rollup"),
    )
    op.create_table(
        "ledger_leg",
        sa.Column("customer_id", exact(40), nullable=False),
        sa.Column("entry_id", exact(40), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("account", exact(80), nullable=False),
        sa.Column("asset", exact(16), nullable=False),
        sa.Column("kind", exact(40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("promo_amount", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("kind_seq", sa.BigInteger(), nullable=True),
        sa.Column("balance_after", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(seq IS NULL) = (balance_after IS NULL) AND (seq IS NULL) = (kind_seq IS NULL)",
            name=op.f("ck_ledger_leg_house_or_customer"),
        ),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_leg_amount")),
        sa.ForeignKeyConstraint(
            ["customer_id", "entry_id"],
            ["ledger_entry.customer_id", "ledger_entry.id"],
            name="fk_ledger_leg_customer_id_ledger_entry",
            initially="DEFERRED",
            deferrable=True,
        ).ddl_if(dialect="sqlite"),
        sa.PrimaryKeyConstraint("customer_id", "entry_id", "position", name="pk_ledger_leg"),
    )
    op.create_index(
        "uq_ledger_leg_by_kind",
        "ledger_leg",
        ["customer_id", "account", "asset", "kind", "kind_seq"],
        unique=True,
        postgresql_include=["seq"],
        postgresql_where=sa.text("seq IS NOT NULL"),
        sqlite_where=sa.text("seq IS NOT NULL"),
    )
    op.create_index(
        "uq_ledger_leg_history",
        "ledger_leg",
        ["customer_id", "account", "asset", "seq"],
        unique=True,
        postgresql_where=sa.text("seq IS NOT NULL"),
        sqlite_where=sa.text("seq IS NOT NULL"),
    )
    run_statements(op.get_bind(), "0002")


def downgrade() -> None:
    op.drop_table("ledger_leg")
    op.drop_table("ledger_rollup")
    op.drop_table("ledger_mark")
    op.drop_table("ledger_hold")
    op.drop_table("ledger_entry")
    op.drop_table("ledger_account")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION ledger_check_entries")
        op.execute("DROP FUNCTION ledger_check_legs")
        op.execute("DROP FUNCTION ledger_refuse")
        op.execute("DROP FUNCTION ledger_write")
        op.execute("DROP SEQUENCE ledger_leg_number")
