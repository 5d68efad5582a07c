"""PostgreSQL's two doors: views into which entries of two legs are put, and come out whole or not at all.

Behind each stands a trigger that writes the entry, its two legs and the accounts they moved. The second leg is the
first one's opposite in the same asset, so such an entry is complete and sums to zero by how it is made; the accounts'
rules are conditions of the write itself. The tables' own checks therefore stand aside for what a trigger writes
(`pg_trigger_depth() = 0` in `app.ledger.ddl_postgresql`): asking the rows again cost more than writing them did.
Whatever else adds rows to the tables meets the checks, and nothing but these doors may write to the books from a
trigger.
"""

from __future__ import annotations

from app.ledger.writing_postgresql import (
    ACCOUNT,
    ENTRY,
    INSERT_PAIRS,
    LEG,
    listed,
    one,
    rows,
)

_SOUND = "held >= 0 AND debt = greatest(held - balance, 0) AND promo BETWEEN 0 AND greatest(balance, 0)"


def _sound(row: str) -> str:
    """The rules of a stored account, asked of a row of text."""
    said = _SOUND
    for name in ("held", "debt", "balance", "promo"):
        said = said.replace(name, f"{row}.{name}::bigint")
    return said


# One entry, and the only account it moved: what a debit by itself is. The new balance is the stored one and the amount.
_TAKE_PAIR = f"""
CREATE OR REPLACE FUNCTION ledger_take_pair() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v text[] := string_to_array(NEW.given, E'\\x1f', E'\\x1e');
BEGIN
  IF v[23] NOT IN ('0', '1') OR {one("amount")} = 0 OR v[21] IS NULL
    OR (v[13] = 'reversal') <> (v[18] IS NOT NULL) THEN
    RAISE EXCEPTION 'check: this is no pair of ledger legs' USING ERRCODE = 'check_violation';
  END IF;
  IF {one("held")} < 0 OR {one("debt")} <> greatest({one("held")} - {one("balance")}, 0)
    OR {one("promo")} < 0 OR {one("promo")} > greatest({one("balance")}, 0) THEN
    RAISE EXCEPTION 'check: no ledger account may become this' USING ERRCODE = 'check_violation';
  END IF;
  UPDATE ledger_account a
  SET (balance, held, debt, promo, version, tallies, moved_at, revision)
    = ROW({one("balance held debt promo version tallies recorded_at")}, a.revision + 1)
  WHERE a.customer_id = v[1] AND a.kind = v[2] AND a.asset = v[3] AND a.revision = {one("revision")}
    AND a.version + 1 = {one("version")} AND a.balance + {one("amount")} = {one("balance")}
    AND (NOT a.frozen OR {one("held")} <= a.held);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a ledger account moved meanwhile' USING ERRCODE = 'PU001';
  END IF;
  WITH written AS (
    INSERT INTO ledger_entry ({listed(ENTRY)})
    VALUES ({one(ENTRY.removesuffix(" legs"))}, 2)
  )
  INSERT INTO ledger_leg ({listed(LEG)})
  VALUES
    ({one("customer_id id position account asset kind amount promo_amount version kind_seq balance recorded_at")}),
    ({one("customer_id id")}, 1 - {one("position")}, {one("house asset kind")}, -{one("amount")}, 0,
     NULL, NULL, NULL, {one("recorded_at")});
  RETURN NEW;
END $$
"""

# The same for a batch; the accounts' new figures are given. Holds, which have checks of their own, go along.
_TAKE_PAIRS = f"""
CREATE OR REPLACE FUNCTION ledger_take_pairs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  a text[] := string_to_array(NEW.accounts, E'\\x1d');
  p text[] := string_to_array(NEW.pairs, E'\\x1d');
  done bigint;
BEGIN
  UPDATE ledger_account t
  SET balance = u.balance::bigint, held = u.held::bigint, debt = u.debt::bigint, promo = u.promo::bigint,
      version = u.version::bigint, revision = t.revision + 1, tallies = u.tallies::json,
      moved_at = u.moved_at::timestamptz
  FROM {rows("a", ACCOUNT)}
  WHERE t.customer_id = u.customer_id AND t.kind = u.kind AND t.asset = u.asset
    AND t.revision = u.revision::bigint AND (NOT t.frozen OR u.held::bigint <= t.held)
    AND (t.balance = u.balance::bigint OR t.version < u.version::bigint)
    AND {_sound("u")};
  GET DIAGNOSTICS done = ROW_COUNT;
  IF done <> cardinality(string_to_array(a[1], E'\\x1f')) THEN
    RAISE EXCEPTION 'a ledger account moved meanwhile' USING ERRCODE = 'PU001';
  END IF;
  IF NEW.new_holds IS NOT NULL OR NEW.changed_holds IS NOT NULL THEN
    PERFORM ledger_write(true, NULL, NULL, NULL, NULL, NEW.new_holds, NEW.changed_holds);
  END IF;
  {INSERT_PAIRS.strip()}
  GET DIAGNOSTICS done = ROW_COUNT;
  IF done <> 2 * cardinality(string_to_array(p[1], E'\\x1f')) THEN
    RAISE EXCEPTION 'check: these are no pairs of ledger legs' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def _door(view: str, columns: str, function: str) -> list[str]:
    return [
        f"CREATE OR REPLACE VIEW {view} AS SELECT {columns}",
        (
            f"CREATE OR REPLACE TRIGGER {view}_taken INSTEAD OF INSERT ON {view} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()"
        ),
    ]


DOORS = [
    _TAKE_PAIR,
    _TAKE_PAIRS,
    *_door("ledger_pair", "NULL::text AS given", "ledger_take_pair"),
    *_door(
        "ledger_pairs",
        "NULL::text AS accounts, NULL::text AS pairs, NULL::json AS new_holds, NULL::json AS changed_holds",
        "ledger_take_pairs",
    ),
]
