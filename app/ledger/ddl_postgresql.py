"""PostgreSQL's triggers on the books.

The sum check is a trigger per statement over the statement's own rows: a statement may only add complete, balanced
entries, so by induction every entry is. That is as strict as a deferred check per row, sooner, and much cheaper.

The rules of single rows stand in the same triggers and not in CHECKs: a CHECK, and the condition of a trigger, is read
anew by each statement, and nine of them made a debit half as dear again. The doors' own writes are not asked again.
"""

from __future__ import annotations

from app.ledger.doors_postgresql import DOORS
from app.ledger.writing_postgresql import WRITE, WRITE_APART

_REFUSE = """
CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation';
END $$
"""

# What nearly every call writes, one entry of two legs, is looked at without adding anything up; the rest is grouped.
_CHECK_LEGS = """
CREATE OR REPLACE FUNCTION ledger_check_legs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong text;
BEGIN
  IF (SELECT count(*) FROM added) = 2 AND EXISTS (
    SELECT 1 FROM added x, added y, ledger_entry e
    WHERE x.position = 0 AND y.position = 1 AND y.customer_id = x.customer_id AND y.entry_id = x.entry_id
      AND y.asset = x.asset AND y.amount = -x.amount
      AND e.customer_id = x.customer_id AND e.id = x.entry_id AND e.legs = 2 AND x.amount <> 0
      AND (x.seq IS NULL) = (x.balance_after IS NULL) AND (x.seq IS NULL) = (x.kind_seq IS NULL)
      AND (y.seq IS NULL) = (y.balance_after IS NULL) AND (y.seq IS NULL) = (y.kind_seq IS NULL)
  ) THEN
    RETURN NULL;
  END IF;
  SELECT s.entry_id INTO wrong
  FROM (SELECT customer_id, entry_id, asset, sum(amount) AS rest, count(*) AS n,
               max(position) AS last, min(position) AS first,
               bool_or(amount = 0 OR (seq IS NULL) <> (balance_after IS NULL)
                       OR (seq IS NULL) <> (kind_seq IS NULL)) AS odd
        FROM added GROUP BY customer_id, entry_id, asset) s
  LEFT JOIN ledger_entry e ON e.customer_id = s.customer_id AND e.id = s.entry_id
  GROUP BY s.customer_id, s.entry_id
  HAVING bool_or(s.rest <> 0 OR s.odd OR e.id IS NULL) OR sum(s.n) <> min(e.legs)
    OR max(s.last) <> min(e.legs) - 1 OR min(s.first) <> 0
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING MESSAGE = 'the legs of ledger entry ' || wrong || ' must be complete and sum to zero',
      ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""

_CHECK_ENTRIES = """
CREATE OR REPLACE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM added a
    WHERE NOT EXISTS (SELECT 1 FROM ledger_leg l WHERE l.customer_id = a.customer_id AND l.entry_id = a.id)
  ) THEN
    RAISE EXCEPTION 'a ledger entry has no legs' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM added a WHERE a.legs < 2 OR (a.kind = 'reversal') <> (a.reverses IS NOT NULL)) THEN
    RAISE EXCEPTION 'check: an entry has two legs or more, and only a reversal reverses'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""

_CHECK_ACCOUNT = """
CREATE OR REPLACE FUNCTION ledger_check_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.customer_id = 'house' OR NEW.held < 0 OR NEW.debt <> greatest(NEW.held - NEW.balance, 0)
    OR NEW.promo < 0 OR NEW.promo > greatest(NEW.balance, 0) THEN
    RAISE EXCEPTION 'check: no ledger account may become this' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.balance <> OLD.balance AND NEW.version <= OLD.version OR NEW.revision <= OLD.revision
    OR NEW.frozen AND NEW.held > OLD.held THEN
    RAISE EXCEPTION 'a balance changes only with a leg, and a frozen account holds no more'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$
"""

# A trigger that writes to the books is one of the doors, which have made sure already.
_UNASKED = "pg_trigger_depth() = 0"


def _by_two_columns(table: str) -> str:
    """Have the planner think that a customer has a thousand rows, however few most have.

    Told the truth, one row each, it finds an index on the customer and another column as good as the one on both
    columns asked for, and reads every row of the one customer who has a million.
    """
    return f"ALTER TABLE {table} ALTER COLUMN customer_id SET (n_distinct = -0.001)"


def _guard(name: str, when: str, table: str, sentence: str, condition: str = "", each: str = "ROW") -> list[str]:
    clause = f" WHEN ({condition})" if condition else ""
    make = (
        f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each}{clause} EXECUTE FUNCTION ledger_refuse('{sentence}')"
    )
    # ALWAYS: a session in replica mode, or one that turned triggers off for a bulk load, must not slip past.
    return [make, f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"]


def _checked(name: str, table: str, function: str) -> list[str]:
    return [
        (
            f"CREATE TRIGGER {name} AFTER INSERT ON {table} REFERENCING NEW TABLE AS added "
            f"FOR EACH STATEMENT WHEN ({_UNASKED}) EXECUTE FUNCTION {function}()"
        ),
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
    ]


def _append_only(table: str, what: str) -> list[str]:
    return [
        *_guard(f"{table}_no_change", "BEFORE UPDATE OR DELETE", table, f"ledger {what} are append-only"),
        *_guard(f"{table}_no_truncate", "BEFORE TRUNCATE", table, f"ledger {what} are append-only", each="STATEMENT"),
    ]


STATEMENTS: dict[str, list[str]] = {
    "ledger_account": [
        _REFUSE,
        # Room for new versions of a row on its own page: balance updates then touch no index.
        "ALTER TABLE ledger_account SET (fillfactor = 50)",
        *_guard(
            "ledger_account_opens_empty",
            "BEFORE INSERT",
            "ledger_account",
            "a ledger account opens empty",
            "NEW.balance <> 0 OR NEW.held <> 0 OR NEW.promo <> 0 OR NEW.version <> 0 OR NEW.debt <> 0",
        ),
        _CHECK_ACCOUNT,
        (
            "CREATE TRIGGER ledger_account_follows_legs AFTER UPDATE ON ledger_account "
            f"FOR EACH ROW WHEN ({_UNASKED}) EXECUTE FUNCTION ledger_check_account()"
        ),
        "ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_account_follows_legs",
        *_guard(
            "ledger_account_not_for_house",
            "BEFORE INSERT",
            "ledger_account",
            "check: the house has no account row",
            "NEW.customer_id = 'house'",
        ),
        *_guard("ledger_account_stays", "BEFORE DELETE", "ledger_account", "a ledger account is never deleted"),
        *_guard(
            "ledger_account_no_truncate",
            "BEFORE TRUNCATE",
            "ledger_account",
            "a ledger account is never deleted",
            each="STATEMENT",
        ),
    ],
    "ledger_entry": [
        _by_two_columns("ledger_entry"),
        *_append_only("ledger_entry", "entries"),
        _CHECK_ENTRIES,
        *_checked("ledger_entry_has_legs", "ledger_entry", "ledger_check_entries"),
    ],
    "ledger_leg": [
        _by_two_columns("ledger_leg"),
        *_append_only("ledger_leg", "legs"),
        _CHECK_LEGS,
        *_checked("ledger_leg_sums_to_zero", "ledger_leg", "ledger_check_legs"),
        "ALTER TABLE ledger_leg ALTER COLUMN number SET DEFAULT nextval('ledger_leg_number')",
        "ALTER TABLE ledger_leg ALTER COLUMN number SET NOT NULL",
        "CREATE INDEX ix_ledger_leg_number ON ledger_leg USING brin (number) WITH (pages_per_range = 16)",
        WRITE,
        WRITE_APART,
        *DOORS,
    ],
    "ledger_hold": [
        _by_two_columns("ledger_hold"),
        *_guard("ledger_hold_no_delete", "BEFORE DELETE", "ledger_hold", "holds are never deleted"),
        *_guard(
            "ledger_hold_no_truncate", "BEFORE TRUNCATE", "ledger_hold", "holds are never deleted", each="STATEMENT"
        ),
        *_guard(
            "ledger_hold_ends_once",
            "BEFORE UPDATE",
            "ledger_hold",
            "a hold ends once, and until then its amount only grows",
            "OLD.state <> 'held' OR NEW.id <> OLD.id OR NEW.customer_id <> OLD.customer_id "
            "OR NEW.account <> OLD.account OR NEW.asset <> OLD.asset OR NEW.key <> OLD.key "
            "OR NEW.request_hash <> OLD.request_hash OR NEW.created_at <> OLD.created_at "
            "OR NEW.expires_at <> OLD.expires_at OR NEW.data::text <> OLD.data::text "
            "OR CASE WHEN NEW.state = 'held' THEN NEW.amount <= OLD.amount OR NEW.settled_amount IS NOT NULL "
            "OR NEW.settled_entry IS NOT NULL ELSE NEW.amount <> OLD.amount END",
        ),
    ],
}
