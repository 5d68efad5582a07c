"""Finding customers by what providers call them and by their cards, freezing by hand, and looking on as one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_LIVE = sa.text("thawed_at IS NULL")
_RUNNING = sa.text("ended_at IS NULL")
_KNOWN = sa.text("customer_id IS NOT NULL")
_FREEZES = sa.text("freezes")
_INDEXES = (
    ("ix_customer_email", "customer", ["email"], None),
    ("ix_payment_order_provider_ref", "payment_order", ["provider_ref"], None),
    ("ix_payment_order_payment_id", "payment_order", ["payment_id"], None),
    ("ix_payment_invoice_id", "payment", ["invoice_id"], None),
    ("ix_subscription_id", "subscription", ["id"], None),
    ("ix_subscription_status_customer_id", "subscription", ["status", "customer_id"], _RUNNING),
    ("ix_invoice_id", "invoice", ["id"], None),
    ("ix_invoice_number", "invoice", ["number"], None),
    ("ix_dispute_id", "dispute", ["id"], None),
    ("ix_dispute_freezes", "dispute", ["customer_id"], _FREEZES),
    ("ix_provider_event_object_id", "provider_event", ["object_id"], None),
    ("ix_provider_event_customer_id_received_at_id", "provider_event", ["customer_id", "received_at", "id"], _KNOWN),
)


def upgrade() -> None:
    op.add_column("login_session", sa.Column("viewing_customer_id", sa.String(), nullable=True))
    op.add_column("login_session", sa.Column("viewing_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("provider_event", sa.Column("customer_id", sa.String(), nullable=True))
    op.add_column("provider_event", sa.Column("order_id", sa.String(), nullable=True))
    _tell_whose()
    op.create_table(
        "wallet_freeze",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("frozen_by", sa.String(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("thawed_by", sa.String(), nullable=True),
        sa.Column("thawed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(thawed_at IS NULL) = (thawed_by IS NULL)", name=op.f("ck_wallet_freeze_thawed")),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_wallet_freeze")),
    )
    op.create_index(
        "uq_wallet_freeze_one_live",
        "wallet_freeze",
        ["customer_id", "currency"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_table(
        "known_card",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.Column("brand", sa.String(length=40), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('saved', 'paid')", name=op.f("ck_known_card_kind")),
        sa.PrimaryKeyConstraint("customer_id", "channel", "reference", name=op.f("pk_known_card")),
    )
    op.create_index("ix_known_card_last4_customer_id", "known_card", ["last4", "customer_id"])
    for name, table, columns, where in _INDEXES:
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _tell_whose() -> None:
    """What an event did names its customer; of the others it is found out when they are applied again."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "UPDATE provider_event SET customer_id = json_extract(effects, '$[0].customer'), "
            "order_id = json_extract(effects, '$[0].order') WHERE state = 'done'"
        )
    else:
        op.execute(
            "UPDATE provider_event SET customer_id = effects -> 0 ->> 'customer', "
            "order_id = effects -> 0 ->> 'order' WHERE state = 'done'"
        )


def downgrade() -> None:
    for name, table, _, _ in _INDEXES:
        op.drop_index(name, table_name=table)
    op.drop_table("known_card")
    op.drop_table("wallet_freeze")
    op.drop_column("provider_event", "order_id")
    op.drop_column("provider_event", "customer_id")
    # A session that looked on must not become one that is its person's own in the middle of it.
    op.execute("DELETE FROM login_session WHERE viewing_customer_id IS NOT NULL")
    op.drop_column("login_session", "viewing_until")
    op.drop_column("login_session", "viewing_customer_id")
