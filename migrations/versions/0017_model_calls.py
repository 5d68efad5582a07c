"""Model calls through the proxy, their sums by day, and dated prices of our own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_calls()
    _make_days()
    _make_prices()


def downgrade() -> None:
    op.drop_index("ix_llm_price_model", table_name="llm_price")
    op.drop_table("llm_price")
    op.drop_table("llm_day")
    op.drop_index("ix_llm_call_open", table_name="llm_call")
    op.drop_table("llm_call")


def _make_calls() -> None:
    op.create_table(
        "llm_call",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("hold_id", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=True),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("upstream", sa.String(length=20), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("stream", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("outcome", sa.String(length=9), nullable=True),
        sa.Column("held_micros", sa.BigInteger(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.Column("price_version", sa.String(length=64), nullable=False),
        sa.Column("upstream_request_id", sa.String(length=200), nullable=True),
        sa.Column("entry_id", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('held', 'settled', 'released', 'expired')", name=op.f("ck_llm_call_state")),
        sa.CheckConstraint("outcome IN ('billed', 'released', 'abandoned', 'error')", name=op.f("ck_llm_call_outcome")),
        sa.CheckConstraint(
            "(state = 'held') = (outcome IS NULL) AND (state = 'held') = (ended_at IS NULL)",
            name=op.f("ck_llm_call_ended"),
        ),
        sa.CheckConstraint(
            "prompt_tokens >= 0 AND completion_tokens >= 0 AND cached_tokens >= 0", name=op.f("ck_llm_call_tokens")
        ),
        sa.CheckConstraint(
            "cost_micros >= 0 AND (cost_micros > 0) = (entry_id IS NOT NULL)", name=op.f("ck_llm_call_cost")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_llm_call")),
        sa.UniqueConstraint("customer_id", "key", name=op.f("uq_llm_call_customer_id_key")),
    )
    op.create_index(
        "ix_llm_call_open",
        "llm_call",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )


def _make_days() -> None:
    op.create_table(
        "llm_day",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "calls > 0 AND prompt_tokens >= 0 AND completion_tokens >= 0 AND cached_tokens >= 0 AND cost_micros >= 0",
            name=op.f("ck_llm_day_sums"),
        ),
        sa.PrimaryKeyConstraint("customer_id", "day", "model", "key_id", name=op.f("pk_llm_day")),
    )


def _make_prices() -> None:
    op.create_table(
        "llm_price",
        sa.Column("key", sa.String(length=216), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("input_micros", sa.BigInteger(), nullable=False),
        sa.Column("output_micros", sa.BigInteger(), nullable=False),
        sa.Column("cached_micros", sa.BigInteger(), nullable=False),
        sa.Column("written_micros", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("input_micros > 0 AND output_micros > 0", name=op.f("ck_llm_price_charged")),
        sa.CheckConstraint("cached_micros >= 0 AND written_micros >= 0", name=op.f("ck_llm_price_cache")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_llm_price")),
    )
    op.create_index("ix_llm_price_model", "llm_price", ["model"], unique=False)
