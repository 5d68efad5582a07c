"""Holds keep their key, and on SQLite REPLACE, which asks no delete trigger, cannot write one anew."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BEFORE = (
    "OLD.state <> 'held' OR NEW.state = 'held' OR NEW.amount <> OLD.amount OR NEW.id <> OLD.id "
    "OR NEW.customer_id <> OLD.customer_id OR NEW.account <> OLD.account OR NEW.asset <> OLD.asset"
)
NOW = BEFORE + " OR NEW.key <> OLD.key OR NEW.request_hash <> OLD.request_hash"
SENTENCE = "a hold ends once and keeps its amount"


def upgrade() -> None:
    _ends_once(NOW)
    if _is_sqlite():
        op.execute(
            "CREATE TRIGGER ledger_hold_no_replace BEFORE INSERT ON ledger_hold "
            "WHEN EXISTS (SELECT 1 FROM ledger_hold WHERE customer_id = NEW.customer_id AND id = NEW.id) "
            "OR EXISTS (SELECT 1 FROM ledger_hold WHERE customer_id = NEW.customer_id AND key = NEW.key) "
            "BEGIN SELECT RAISE(ABORT, 'UNIQUE: this hold or its key exists'); END"
        )


def downgrade() -> None:
    if _is_sqlite():
        op.execute("DROP TRIGGER ledger_hold_no_replace")
    _ends_once(BEFORE)


def _ends_once(condition: str) -> None:
    made = "CREATE TRIGGER ledger_hold_ends_once BEFORE UPDATE ON ledger_hold"
    if _is_sqlite():
        op.execute("DROP TRIGGER ledger_hold_ends_once")
        op.execute(f"{made} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END")
        return
    op.execute("DROP TRIGGER ledger_hold_ends_once ON ledger_hold")
    op.execute(f"{made} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION ledger_refuse('{SENTENCE}')")
    op.execute("ALTER TABLE ledger_hold ENABLE ALWAYS TRIGGER ledger_hold_ends_once")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
