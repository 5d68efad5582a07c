"""The books' tables, as SQLAlchemy Core tables on the program's metadata. Only `app.ledger` touches them.

Every key starts with `customer_id`, so the tables can be distributed by customer. Triggers, functions and what
PostgreSQL has alone are in `app.ledger.ddl`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    false,
    text,
)

from app.db import Base, UTCDateTime

metadata = Base.metadata


def _name(length: int) -> String:
    # Ids, kinds and keys are compared byte by byte: faster than by language, and the same order on both databases.
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def _check(rule: str, name: str) -> CheckConstraint:
    # On PostgreSQL the triggers ask the same for a fraction of the price (app.ledger.ddl_postgresql).
    return CheckConstraint(rule, name=name).ddl_if(dialect="sqlite")


leg_number = Sequence("ledger_leg_number", metadata=metadata)

# One row per customer account. `version` counts its legs; `revision` counts every change, holds too, so whoever
# computed from an older state is found out. `tallies` keeps, by entry kind, [entries, amount in, amount out].
accounts = Table(
    "ledger_account",
    metadata,
    Column("customer_id", _name(40), nullable=False),
    Column("kind", _name(40), nullable=False),
    Column("asset", _name(16), nullable=False),
    Column("balance", BigInteger, nullable=False, server_default="0"),
    Column("held", BigInteger, nullable=False, server_default="0"),
    Column("debt", BigInteger, nullable=False, server_default="0"),
    Column("promo", BigInteger, nullable=False, server_default="0"),
    Column("version", BigInteger, nullable=False, server_default="0"),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Column("tallies", JSON, nullable=False, server_default="{}"),
    Column("moved_at", UTCDateTime),
    Column("frozen", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("customer_id", "kind", "asset"),
    _check("customer_id <> 'house'", name="house_has_no_row"),
    _check("balance - held >= -debt", name="floor"),
    _check("held >= 0", name="held"),
    # Debt is exactly the hole: a debt on paper larger than the hole would be a licence to overdraw.
    _check("debt = CASE WHEN held > balance THEN held - balance ELSE 0 END", name="debt").ddl_if(dialect="sqlite"),
    _check("promo >= 0 AND promo <= CASE WHEN balance > 0 THEN balance ELSE 0 END", name="promo").ddl_if(
        dialect="sqlite"
    ),
)

entries = Table(
    "ledger_entry",
    metadata,
    Column("customer_id", _name(40), nullable=False),
    Column("id", _name(40), nullable=False),
    Column("kind", _name(40), nullable=False),
    Column("key", _name(255), nullable=False),
    Column("request_hash", _name(32), nullable=False),
    Column("occurred_at", UTCDateTime, nullable=False),
    Column("recorded_at", UTCDateTime, nullable=False),
    Column("data", JSON, nullable=False),
    Column("reverses", _name(40)),
    Column("legs", SmallInteger, nullable=False),
    PrimaryKeyConstraint("customer_id", "id"),
    UniqueConstraint("customer_id", "key"),
    _check("legs >= 2", name="two_legs"),
    _check("(kind = 'reversal') = (reverses IS NOT NULL)", name="reversal"),
)
Index(
    "uq_ledger_entry_reverses",
    entries.c.customer_id,
    entries.c.reverses,
    unique=True,
    postgresql_where=text("reverses IS NOT NULL"),
    sqlite_where=text("reverses IS NOT NULL"),
)

# One row per account an entry moved. A house leg (seq is null) names the house account, and is keyed by the customer
# whose entry it is part of. `number` is the order of writing: a sequence on PostgreSQL, the rowid on SQLite.
legs = Table(
    "ledger_leg",
    metadata,
    Column("customer_id", _name(40), nullable=False),
    Column("entry_id", _name(40), nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("account", _name(80), nullable=False),
    Column("asset", _name(16), nullable=False),
    Column("kind", _name(40), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("promo_amount", BigInteger, nullable=False),
    Column("seq", BigInteger),
    Column("kind_seq", BigInteger),
    Column("balance_after", BigInteger),
    Column("recorded_at", UTCDateTime, nullable=False),
    Column("number", BigInteger),
    PrimaryKeyConstraint("customer_id", "entry_id", "position"),
    # On PostgreSQL a trigger per statement checks this and the sum at once, for a tenth of the price.
    ForeignKeyConstraint(
        ["customer_id", "entry_id"], [entries.c.customer_id, entries.c.id], deferrable=True, initially="DEFERRED"
    ).ddl_if(dialect="sqlite"),
    _check("amount <> 0", name="amount"),
    _check("(seq IS NULL) = (balance_after IS NULL) AND (seq IS NULL) = (kind_seq IS NULL)", name="house_or_customer"),
)
_OF_CUSTOMERS = text("seq IS NOT NULL")
Index(
    "uq_ledger_leg_history",
    legs.c.customer_id,
    legs.c.account,
    legs.c.asset,
    legs.c.seq,
    unique=True,
    postgresql_where=_OF_CUSTOMERS,
    sqlite_where=_OF_CUSTOMERS,
)
Index(
    "uq_ledger_leg_by_kind",
    legs.c.customer_id,
    legs.c.account,
    legs.c.asset,
    legs.c.kind,
    legs.c.kind_seq,
    unique=True,
    postgresql_include=["seq"],
    postgresql_where=_OF_CUSTOMERS,
    sqlite_where=_OF_CUSTOMERS,
)

# For staff's list of everybody's lines. Times only grow, so a new one goes to the end of the index, whoever's it is.
Index(
    "ix_ledger_leg_recorded_at",
    legs.c.recorded_at,
    postgresql_where=_OF_CUSTOMERS,
    sqlite_where=_OF_CUSTOMERS,
)

holds = Table(
    "ledger_hold",
    metadata,
    Column("customer_id", _name(40), nullable=False),
    Column("id", _name(40), nullable=False),
    Column("account", _name(40), nullable=False),
    Column("asset", _name(16), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", _name(10), nullable=False),
    Column("key", _name(255), nullable=False),
    Column("request_hash", _name(32), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
    Column("ended_at", UTCDateTime),
    Column("settled_amount", BigInteger),
    Column("settled_entry", _name(40)),
    Column("data", JSON, nullable=False),
    PrimaryKeyConstraint("customer_id", "id"),
    UniqueConstraint("customer_id", "key"),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("state IN ('held', 'settled', 'released', 'expired')", name="state"),
    CheckConstraint("(state = 'held') = (ended_at IS NULL)", name="ended"),
)
_LIVE = text("state = 'held'")
Index("ix_ledger_hold_live_by_expiry", holds.c.expires_at, postgresql_where=_LIVE, sqlite_where=_LIVE)
Index("ix_ledger_hold_live", holds.c.customer_id, holds.c.account, postgresql_where=_LIVE, sqlite_where=_LIVE)

# Sums by day, account and kind over legs up to `ledger_mark.number`; the legs after it are added when read.
rollups = Table(
    "ledger_rollup",
    metadata,
    Column("day", _name(10), nullable=False),
    Column("account", _name(80), nullable=False),
    Column("asset", _name(16), nullable=False),
    Column("kind", _name(40), nullable=False),
    Column("house", SmallInteger, nullable=False),
    Column("legs", BigInteger, nullable=False),
    Column("amount_in", BigInteger, nullable=False),
    Column("amount_out", BigInteger, nullable=False),
    PrimaryKeyConstraint("day", "account", "asset", "kind", "house"),
)
marks = Table(
    "ledger_mark",
    metadata,
    Column("name", _name(20), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False, server_default="0"),
    Column("seen_until", BigInteger, nullable=False, server_default="0"),
)

# Where the house's accounts moved: legs and their sum in each stretch of `blocks.SIZE` leg numbers, up to
# `ledger_mark.number`. A page of one account's entries reads the stretches it moved in and passes over the others.
blocks = Table(
    "ledger_block",
    metadata,
    Column("account", _name(80), nullable=False),
    Column("asset", _name(16), nullable=False),
    Column("block", BigInteger, autoincrement=False, nullable=False),
    Column("legs", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("account", "asset", "block"),
)
