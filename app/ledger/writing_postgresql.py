"""PostgreSQL's function that writes the books: `ledger_write`, for any batch. The commonest go through the doors.

Rows travel as text: columns parted by GS (29), values by US (31), RS (30) for null. A driver that writes arrays quotes
every element by itself, and a parameter for each value costs both sides more than cutting one text apart. None of the
three can be part of a value: keys are printable, and JSON escapes control characters.

All these statements must be planned once, and by index: a plan for each call's own values costs several times what the
statement does, and one made on a young, small table would go on reading all of it after it has grown. Settings on a
function cost a tenth of each call, so the committer has them on its connection, and sessions call `ledger_write_apart`.
"""

from __future__ import annotations

BETWEEN_COLUMNS, BETWEEN, NULL = "\x1d", "\x1f", "\x1e"
ACCOUNT = "customer_id kind asset balance held debt promo version revision tallies moved_at"
# An entry of two legs in one asset, a customer's and the house's, as nearly all are; `position` is the customer's.
PAIR = (
    "customer_id id kind key request_hash occurred_at recorded_at data reverses "
    "account asset position amount promo_amount seq kind_seq balance_after house"
)
ENTRY = "customer_id id kind key request_hash occurred_at recorded_at data reverses legs"
LEG = "customer_id entry_id position account asset kind amount promo_amount seq kind_seq balance_after recorded_at"
_TYPES = {
    "bigint": "balance held debt promo version revision amount promo_amount seq kind_seq balance_after",
    "timestamptz": "moved_at occurred_at recorded_at",
    "smallint": "position legs",
    "json": "data tallies",
}
_TYPE_OF = {name: kind for kind, names in _TYPES.items() for name in names.split()}


def _typed(name: str, value: str) -> str:
    return f"{value}::{_TYPE_OF[name]}" if name in _TYPE_OF else value


def rows(given: str, columns: str) -> str:
    """A text cut apart into rows named `u`, with its columns as text."""
    arrays = ",\n        ".join(
        f"string_to_array({given}[{number}], E'\\x1f', E'\\x1e')" for number, _ in enumerate(columns.split(), 1)
    )
    return f"unnest(\n        {arrays}\n      ) AS u({columns.replace(' ', ', ')})"


def _columns(names: str, row: str = "u") -> str:
    return ", ".join(_typed(name, f"{row}.{name}") for name in names.split())


def listed(names: str) -> str:
    return names.replace(" ", ", ")


# The rows are updated in the order they are given in, ascending: that is the order everybody locks in.
_UPDATE_ACCOUNTS = f"""
    a := string_to_array(accounts, E'\\x1d');
    UPDATE ledger_account t
    SET balance = u.balance::bigint, held = u.held::bigint, debt = u.debt::bigint, promo = u.promo::bigint,
        version = u.version::bigint, revision = t.revision + 1, tallies = u.tallies::json,
        moved_at = u.moved_at::timestamptz
    FROM {rows("a", ACCOUNT)}
    WHERE t.customer_id = u.customer_id AND t.kind = u.kind AND t.asset = u.asset
      AND t.revision = u.revision::bigint;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> cardinality(string_to_array(a[1], E'\\x1f')) THEN
      RAISE EXCEPTION 'a ledger account moved meanwhile' USING ERRCODE = 'PU001';
    END IF;
"""

# A hold made and changed in one batch is inserted in its final state.
_INSERT_HOLDS = """
    INSERT INTO ledger_hold (customer_id, id, account, asset, amount, state, key, request_hash, created_at,
                             expires_at, data, ended_at, settled_amount, settled_entry)
    SELECT customer_id, id, account, asset, amount, state, key, request_hash, created_at, expires_at,
           data, ended_at, settled_amount, settled_entry
    FROM json_populate_recordset(NULL::ledger_hold, new_holds)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> json_array_length(new_holds) THEN
      IF strict THEN
        RAISE EXCEPTION 'a hold''s key was written meanwhile' USING ERRCODE = 'PU001';
      END IF;
      RETURN false;
    END IF;
"""

_CHANGE_HOLDS = """
    FOR changed IN SELECT * FROM json_populate_recordset(NULL::ledger_hold, changed_holds) LOOP
      UPDATE ledger_hold h
      SET amount = changed.amount, state = changed.state, ended_at = changed.ended_at,
          settled_amount = changed.settled_amount, settled_entry = changed.settled_entry
      WHERE h.customer_id = changed.customer_id AND h.id = changed.id AND h.state = 'held';
      IF NOT FOUND THEN
        RAISE EXCEPTION 'a hold ended meanwhile' USING ERRCODE = 'PU001';
      END IF;
    END LOOP;
"""

# Entries and legs go in by one statement, so that each side's trigger sees the other's rows.
SOUND_PAIR = (
    "u.position IN ('0', '1') AND u.amount::bigint <> 0 AND u.seq IS NOT NULL AND u.kind_seq IS NOT NULL "
    "AND u.balance_after IS NOT NULL AND (u.kind = 'reversal') = (u.reverses IS NOT NULL)"
)
INSERT_PAIRS = f"""
    WITH given AS MATERIALIZED (
      SELECT * FROM {rows("p", PAIR)}
      WHERE {SOUND_PAIR}
    ), written AS (
      INSERT INTO ledger_entry ({listed(ENTRY)})
      SELECT {_columns(ENTRY.removesuffix(" legs"))}, 2 FROM given u
    )
    INSERT INTO ledger_leg ({listed(LEG)})
    SELECT u.customer_id, u.id, leg.*, u.recorded_at::timestamptz
    FROM given u CROSS JOIN LATERAL (VALUES
      (u.position::smallint, u.account, u.asset, u.kind, u.amount::bigint, u.promo_amount::bigint, u.seq::bigint,
       u.kind_seq::bigint, u.balance_after::bigint),
      ((1 - u.position::smallint)::smallint, u.house, u.asset, u.kind, -u.amount::bigint, 0, NULL, NULL, NULL)
    ) AS leg;
"""

_INSERT_ENTRIES = f"""
    e := string_to_array(entries, E'\\x1d');
    l := string_to_array(legs, E'\\x1d');
    WITH written AS (
      INSERT INTO ledger_entry ({listed(ENTRY)})
      SELECT {_columns(ENTRY)}
      FROM {rows("e", ENTRY)}
      ON CONFLICT DO NOTHING
      RETURNING id
    ), moved AS (
      INSERT INTO ledger_leg ({listed(LEG)})
      SELECT {_columns(LEG)}
      FROM {rows("l", LEG)}
      WHERE u.entry_id IN (SELECT id FROM written)
    )
    SELECT count(*) INTO done FROM written;
    IF done <> cardinality(string_to_array(e[1], E'\\x1f')) THEN
      IF strict THEN
        RAISE EXCEPTION 'a ledger key was written meanwhile' USING ERRCODE = 'PU001';
      END IF;
      RETURN false;
    END IF;
"""

# `strict` is the way of a batch in its own transaction: anything unexpected undoes it all. Without it (one entry inside
# a caller's transaction) a key that another transaction has just written answers false, and nothing was written.
WRITE = f"""
CREATE OR REPLACE FUNCTION ledger_write(
  strict boolean, accounts text, pairs text, entries text, legs text, new_holds json, changed_holds json
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  a text[]; p text[]; e text[]; l text[];
  done bigint;
  changed ledger_hold;
BEGIN
  IF strict AND accounts IS NOT NULL THEN {_UPDATE_ACCOUNTS}  END IF;
  IF new_holds IS NOT NULL THEN {_INSERT_HOLDS}  END IF;
  IF pairs IS NOT NULL THEN
    p := string_to_array(pairs, E'\\x1d');{INSERT_PAIRS}
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> 2 * cardinality(string_to_array(p[1], E'\\x1f')) THEN
      RAISE EXCEPTION 'check: these are no pairs of ledger legs' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  IF entries IS NOT NULL THEN {_INSERT_ENTRIES}  END IF;
  IF NOT strict AND accounts IS NOT NULL THEN {_UPDATE_ACCOUNTS}  END IF;
  IF changed_holds IS NOT NULL THEN {_CHANGE_HOLDS}  END IF;
  RETURN true;
END $$
"""

WRITE_APART = """
CREATE OR REPLACE FUNCTION ledger_write_apart(
  accounts text, entries text, legs text, new_holds json, changed_holds json
) RETURNS boolean LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
  RETURN ledger_write(false, accounts, NULL, entries, legs, new_holds, changed_holds);
END $$
"""

ONE = (
    "customer_id account asset balance held debt promo version revision tallies recorded_at "
    "id kind key request_hash occurred_at data reverses amount promo_amount kind_seq house position"
)


def one(names: str) -> str:
    """Values of the one row, by name."""
    places = {name: number for number, name in enumerate(ONE.split(), 1)}
    return ", ".join(_typed(name, f"v[{places[name]}]") for name in names.split())
