"""PostgreSQL's triggers on the books, and `ledger_write`, which writes a whole batch in one round trip.

The sum check is a trigger per statement over the statement's own rows: a statement may only add complete, balanced
entries, so by induction every entry is. That is as strict as a deferred check per row, sooner, and much cheaper.
"""

from __future__ import annotations

_REFUSE = """
CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation';
END $$
"""

_CHECK_LEGS = """
CREATE OR REPLACE FUNCTION ledger_check_legs() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  wrong text;
BEGIN
  SELECT s.entry_id INTO wrong
  FROM (SELECT customer_id, entry_id, asset, sum(amount) AS rest, count(*) AS n,
               max(position) AS last, min(position) AS first
        FROM added GROUP BY customer_id, entry_id, asset) s
  LEFT JOIN ledger_entry e ON e.customer_id = s.customer_id AND e.id = s.entry_id
  GROUP BY s.customer_id, s.entry_id
  HAVING bool_or(s.rest <> 0 OR e.id IS NULL) OR sum(s.n) <> min(e.legs)
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
CREATE OR REPLACE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  wrong text;
BEGIN
  SELECT a.id INTO wrong FROM added a
  WHERE NOT EXISTS (SELECT 1 FROM ledger_leg l WHERE l.customer_id = a.customer_id AND l.entry_id = a.id) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING MESSAGE = 'ledger entry ' || wrong || ' has no legs', ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""

# One at a time, in the ascending order they are given in: that is the order everybody locks in.
_UPDATE_ACCOUNTS = """
    FOR i IN 1 .. cardinality(a_customer) LOOP
      UPDATE ledger_account a
      SET balance = a_balance[i], held = a_held[i], debt = a_debt[i], promo = a_promo[i], version = a_version[i],
          revision = a.revision + 1, tallies = a_tallies[i]::json, moved_at = a_moved[i]
      WHERE a.customer_id = a_customer[i] AND a.kind = a_kind[i] AND a.asset = a_asset[i]
        AND a.revision = a_revision[i];
      IF NOT FOUND THEN
        RAISE EXCEPTION 'a ledger account moved meanwhile' USING ERRCODE = 'PU001';
      END IF;
    END LOOP;
"""

# A hold made and ended in one batch is inserted in its final state.
_INSERT_HOLDS = """
      INSERT INTO ledger_hold (customer_id, id, account, asset, amount, state, key, request_hash, created_at,
                               expires_at, data, ended_at, settled_amount, settled_entry)
      SELECT customer_id, id, account, asset, amount, state, key, request_hash, created_at, expires_at,
             data, ended_at, settled_amount, settled_entry
      FROM json_populate_recordset(NULL::ledger_hold, new_holds)
      ON CONFLICT DO NOTHING;
      GET DIAGNOSTICS done = ROW_COUNT;
"""

# Entries and legs go in by one statement, so that each side's trigger sees the other's rows. `strict` is the way of a
# batch in its own transaction: anything unexpected undoes it all. Without it (one entry inside a caller's
# transaction) a key that another transaction has just written answers false, and nothing was written.
_WRITE = f"""
CREATE OR REPLACE FUNCTION ledger_write(
  strict boolean,
  a_customer text[], a_kind text[], a_asset text[], a_balance bigint[], a_held bigint[], a_debt bigint[],
  a_promo bigint[],
  a_version bigint[], a_revision bigint[], a_tallies text[], a_moved timestamptz[],
  e_customer text[], e_id text[], e_kind text[], e_key text[], e_hash text[], e_occurred timestamptz[],
  e_recorded timestamptz[], e_data text[], e_reverses text[], e_legs smallint[],
  l_entry text[], l_position smallint[], l_account text[], l_asset text[], l_amount bigint[], l_promo bigint[],
  l_seq bigint[], l_kind_seq bigint[], l_balance bigint[],
  new_holds json, changed_holds json
) RETURNS boolean LANGUAGE plpgsql
-- Planned once: planning these statements for each call's own arrays would cost several times what they do. And by
-- index: a plan made on a young, small table would go on reading all of it after it has grown.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = on
AS $$
DECLARE
  done bigint;
  changed ledger_hold;
BEGIN
  IF strict THEN
    {_UPDATE_ACCOUNTS}
  END IF;
  IF new_holds IS NOT NULL THEN
    {_INSERT_HOLDS}
    IF done <> json_array_length(new_holds) THEN
      IF strict THEN
        RAISE EXCEPTION 'a hold''s key was written meanwhile' USING ERRCODE = 'PU001';
      END IF;
      RETURN false;
    END IF;
  END IF;
  IF cardinality(e_id) = 1 THEN
    WITH written AS (
      INSERT INTO ledger_entry (customer_id, id, kind, key, request_hash, occurred_at, recorded_at, data, reverses,
                                legs)
      VALUES (e_customer[1], e_id[1], e_kind[1], e_key[1], e_hash[1], e_occurred[1], e_recorded[1], e_data[1]::json,
              e_reverses[1], e_legs[1])
      ON CONFLICT DO NOTHING
      RETURNING 1
    )
    INSERT INTO ledger_leg (customer_id, entry_id, position, account, asset, kind, amount, promo_amount, seq,
                            kind_seq, balance_after, recorded_at)
    SELECT e_customer[1], e_id[1], u.position, u.account, u.asset, e_kind[1], u.amount, u.promo, u.seq, u.kind_seq,
           u.balance, e_recorded[1]
    FROM written, unnest(l_position, l_account, l_asset, l_amount, l_promo, l_seq, l_kind_seq, l_balance)
      AS u(position, account, asset, amount, promo, seq, kind_seq, balance);
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done = 0 THEN
      IF strict THEN
        RAISE EXCEPTION 'a ledger key was written meanwhile' USING ERRCODE = 'PU001';
      END IF;
      RETURN false;
    END IF;
  ELSIF cardinality(e_id) > 1 THEN
    WITH written AS (
      INSERT INTO ledger_entry (customer_id, id, kind, key, request_hash, occurred_at, recorded_at, data, reverses,
                                legs)
      SELECT u.customer_id, u.id, u.kind, u.key, u.hash, u.occurred, u.recorded, u.data::json, u.reverses, u.legs
      FROM unnest(e_customer, e_id, e_kind, e_key, e_hash, e_occurred, e_recorded, e_data, e_reverses, e_legs)
        AS u(customer_id, id, kind, key, hash, occurred, recorded, data, reverses, legs)
      ON CONFLICT DO NOTHING
      RETURNING customer_id, id, kind, recorded_at
    ), moved AS (
      INSERT INTO ledger_leg (customer_id, entry_id, position, account, asset, kind, amount, promo_amount, seq,
                              kind_seq, balance_after, recorded_at)
      SELECT w.customer_id, w.id, u.position, u.account, u.asset, w.kind, u.amount, u.promo, u.seq, u.kind_seq,
             u.balance, w.recorded_at
      FROM unnest(l_entry, l_position, l_account, l_asset, l_amount, l_promo, l_seq, l_kind_seq, l_balance)
        AS u(entry_id, position, account, asset, amount, promo, seq, kind_seq, balance)
      JOIN written w ON w.id = u.entry_id
    )
    SELECT count(*) INTO done FROM written;
    IF done <> cardinality(e_id) THEN
      IF strict THEN
        RAISE EXCEPTION 'a ledger key was written meanwhile' USING ERRCODE = 'PU001';
      END IF;
      RETURN false;
    END IF;
  END IF;
  IF NOT strict THEN
    {_UPDATE_ACCOUNTS}
  END IF;
  IF changed_holds IS NOT NULL THEN
    FOR changed IN SELECT * FROM json_populate_recordset(NULL::ledger_hold, changed_holds) LOOP
      UPDATE ledger_hold h
      SET amount = changed.amount, state = changed.state, ended_at = changed.ended_at,
          settled_amount = changed.settled_amount, settled_entry = changed.settled_entry
      WHERE h.customer_id = changed.customer_id AND h.id = changed.id AND h.state = 'held';
      IF NOT FOUND THEN
        RAISE EXCEPTION 'a hold ended meanwhile' USING ERRCODE = 'PU001';
      END IF;
    END LOOP;
  END IF;
  RETURN true;
END $$
"""


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
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
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
            "NEW.balance <> 0 OR NEW.held <> 0 OR NEW.promo <> 0 OR NEW.version <> 0",
        ),
        *_guard(
            "ledger_account_follows_legs",
            "BEFORE UPDATE",
            "ledger_account",
            "a balance changes only with a leg",
            "NEW.balance <> OLD.balance AND NEW.version <= OLD.version OR NEW.revision <= OLD.revision",
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
        *_append_only("ledger_entry", "entries"),
        _CHECK_ENTRIES,
        *_checked("ledger_entry_has_legs", "ledger_entry", "ledger_check_entries"),
    ],
    "ledger_leg": [
        *_append_only("ledger_leg", "legs"),
        _CHECK_LEGS,
        *_checked("ledger_leg_sums_to_zero", "ledger_leg", "ledger_check_legs"),
        "ALTER TABLE ledger_leg ALTER COLUMN number SET DEFAULT nextval('ledger_leg_number')",
        "ALTER TABLE ledger_leg ALTER COLUMN number SET NOT NULL",
        "CREATE INDEX ix_ledger_leg_number ON ledger_leg USING brin (number) WITH (pages_per_range = 16)",
        _WRITE,
    ],
    "ledger_hold": [
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
