DROP VIEW ledger_pair
-- next
DROP VIEW ledger_pairs
-- next
DROP FUNCTION ledger_take_pair()
-- next
DROP FUNCTION ledger_take_pairs()
-- next
DROP TRIGGER ledger_account_not_for_house ON ledger_account
-- next
DROP TRIGGER ledger_account_opens_empty ON ledger_account
-- next
DROP TRIGGER ledger_account_follows_legs ON ledger_account
-- next
CREATE TRIGGER ledger_account_opens_empty BEFORE INSERT ON ledger_account FOR EACH ROW WHEN (NEW.balance <> 0 OR NEW.held <> 0 OR NEW.promo <> 0 OR NEW.version <> 0) EXECUTE FUNCTION ledger_refuse('a ledger account opens empty')
-- next
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_account_opens_empty
-- next
CREATE TRIGGER ledger_account_follows_legs BEFORE UPDATE ON ledger_account FOR EACH ROW WHEN (NEW.balance <> OLD.balance AND NEW.version <= OLD.version OR NEW.revision <= OLD.revision OR NEW.frozen AND NEW.held > OLD.held) EXECUTE FUNCTION ledger_refuse('a balance changes only with a leg, and a frozen account holds no more')
-- next
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_account_follows_legs
-- next
CREATE OR REPLACE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM added a
    WHERE NOT EXISTS (SELECT 1 FROM ledger_leg l WHERE l.customer_id = a.customer_id AND l.entry_id = a.id)
  ) THEN
    RAISE EXCEPTION 'a ledger entry has no legs' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
-- next
DROP TRIGGER ledger_entry_has_legs ON ledger_entry
-- next
CREATE TRIGGER ledger_entry_has_legs AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_entries()
-- next
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_has_legs
-- next
CREATE OR REPLACE FUNCTION ledger_check_legs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong text;
BEGIN
  IF (SELECT count(*) FROM added) = 2 AND EXISTS (
    SELECT 1 FROM added x, added y, ledger_entry e
    WHERE x.position = 0 AND y.position = 1 AND y.customer_id = x.customer_id AND y.entry_id = x.entry_id
      AND y.asset = x.asset AND y.amount = -x.amount
      AND e.customer_id = x.customer_id AND e.id = x.entry_id AND e.legs = 2
  ) THEN
    RETURN NULL;
  END IF;
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
-- next
CREATE OR REPLACE FUNCTION ledger_write(
  strict boolean, accounts text, pairs text, entries text, legs text, new_holds json, changed_holds json
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  a text[]; p text[]; e text[]; l text[];
  done bigint;
  changed ledger_hold;
BEGIN
  IF strict AND accounts IS NOT NULL THEN 
    a := string_to_array(accounts, E'\x1d');
    UPDATE ledger_account t
    SET balance = u.balance::bigint, held = u.held::bigint, debt = u.debt::bigint, promo = u.promo::bigint,
        version = u.version::bigint, revision = t.revision + 1, tallies = u.tallies::json,
        moved_at = u.moved_at::timestamptz
    FROM unnest(
        string_to_array(a[1], E'\x1f', E'\x1e'),
        string_to_array(a[2], E'\x1f', E'\x1e'),
        string_to_array(a[3], E'\x1f', E'\x1e'),
        string_to_array(a[4], E'\x1f', E'\x1e'),
        string_to_array(a[5], E'\x1f', E'\x1e'),
        string_to_array(a[6], E'\x1f', E'\x1e'),
        string_to_array(a[7], E'\x1f', E'\x1e'),
        string_to_array(a[8], E'\x1f', E'\x1e'),
        string_to_array(a[9], E'\x1f', E'\x1e'),
        string_to_array(a[10], E'\x1f', E'\x1e'),
        string_to_array(a[11], E'\x1f', E'\x1e')
      ) AS u(customer_id, kind, asset, balance, held, debt, promo, version, revision, tallies, moved_at)
    WHERE t.customer_id = u.customer_id AND t.kind = u.kind AND t.asset = u.asset
      AND t.revision = u.revision::bigint;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> cardinality(string_to_array(a[1], E'\x1f')) THEN
      RAISE EXCEPTION 'a ledger account moved meanwhile' USING ERRCODE = 'PU001';
    END IF;
  END IF;
  IF new_holds IS NOT NULL THEN 
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
  END IF;
  IF pairs IS NOT NULL THEN 
    p := string_to_array(pairs, E'\x1d');
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(
        string_to_array(p[1], E'\x1f', E'\x1e'),
        string_to_array(p[2], E'\x1f', E'\x1e'),
        string_to_array(p[3], E'\x1f', E'\x1e'),
        string_to_array(p[4], E'\x1f', E'\x1e'),
        string_to_array(p[5], E'\x1f', E'\x1e'),
        string_to_array(p[6], E'\x1f', E'\x1e'),
        string_to_array(p[7], E'\x1f', E'\x1e'),
        string_to_array(p[8], E'\x1f', E'\x1e'),
        string_to_array(p[9], E'\x1f', E'\x1e'),
        string_to_array(p[10], E'\x1f', E'\x1e'),
        string_to_array(p[11], E'\x1f', E'\x1e'),
        string_to_array(p[12], E'\x1f', E'\x1e'),
        string_to_array(p[13], E'\x1f', E'\x1e'),
        string_to_array(p[14], E'\x1f', E'\x1e'),
        string_to_array(p[15], E'\x1f', E'\x1e'),
        string_to_array(p[16], E'\x1f', E'\x1e'),
        string_to_array(p[17], E'\x1f', E'\x1e'),
        string_to_array(p[18], E'\x1f', E'\x1e')
      ) AS u(customer_id, id, kind, key, request_hash, occurred_at, recorded_at, data, reverses, account, asset, position, amount, promo_amount, seq, kind_seq, balance_after, house)
    ), written AS (
      INSERT INTO ledger_entry (customer_id, id, kind, key, request_hash, occurred_at, recorded_at, data, reverses, legs)
      SELECT u.customer_id, u.id, u.kind, u.key, u.request_hash, u.occurred_at::timestamptz, u.recorded_at::timestamptz, u.data::json, u.reverses, 2 FROM given u
    )
    INSERT INTO ledger_leg (customer_id, entry_id, position, account, asset, kind, amount, promo_amount, seq, kind_seq, balance_after, recorded_at)
    SELECT u.customer_id, u.id, leg.*, u.recorded_at::timestamptz
    FROM given u CROSS JOIN LATERAL (VALUES
      (u.position::smallint, u.account, u.asset, u.kind, u.amount::bigint, u.promo_amount::bigint, u.seq::bigint,
       u.kind_seq::bigint, u.balance_after::bigint),
      ((1 - u.position::smallint)::smallint, u.house, u.asset, u.kind, -u.amount::bigint, 0, NULL, NULL, NULL)
    ) AS leg;
  END IF;
  IF entries IS NOT NULL THEN 
    e := string_to_array(entries, E'\x1d');
    l := string_to_array(legs, E'\x1d');
    WITH written AS (
      INSERT INTO ledger_entry (customer_id, id, kind, key, request_hash, occurred_at, recorded_at, data, reverses, legs)
      SELECT u.customer_id, u.id, u.kind, u.key, u.request_hash, u.occurred_at::timestamptz, u.recorded_at::timestamptz, u.data::json, u.reverses, u.legs::smallint
      FROM unnest(
        string_to_array(e[1], E'\x1f', E'\x1e'),
        string_to_array(e[2], E'\x1f', E'\x1e'),
        string_to_array(e[3], E'\x1f', E'\x1e'),
        string_to_array(e[4], E'\x1f', E'\x1e'),
        string_to_array(e[5], E'\x1f', E'\x1e'),
        string_to_array(e[6], E'\x1f', E'\x1e'),
        string_to_array(e[7], E'\x1f', E'\x1e'),
        string_to_array(e[8], E'\x1f', E'\x1e'),
        string_to_array(e[9], E'\x1f', E'\x1e'),
        string_to_array(e[10], E'\x1f', E'\x1e')
      ) AS u(customer_id, id, kind, key, request_hash, occurred_at, recorded_at, data, reverses, legs)
      ON CONFLICT DO NOTHING
      RETURNING id
    ), moved AS (
      INSERT INTO ledger_leg (customer_id, entry_id, position, account, asset, kind, amount, promo_amount, seq, kind_seq, balance_after, recorded_at)
      SELECT u.customer_id, u.entry_id, u.position::smallint, u.account, u.asset, u.kind, u.amount::bigint, u.promo_amount::bigint, u.seq::bigint, u.kind_seq::bigint, u.balance_after::bigint, u.recorded_at::timestamptz
      FROM unnest(
        string_to_array(l[1], E'\x1f', E'\x1e'),
        string_to_array(l[2], E'\x1f', E'\x1e'),
        string_to_array(l[3], E'\x1f', E'\x1e'),
        string_to_array(l[4], E'\x1f', E'\x1e'),
        string_to_array(l[5], E'\x1f', E'\x1e'),
        string_to_array(l[6], E'\x1f', E'\x1e'),
        string_to_array(l[7], E'\x1f', E'\x1e'),
        string_to_array(l[8], E'\x1f', E'\x1e'),
        string_to_array(l[9], E'\x1f', E'\x1e'),
        string_to_array(l[10], E'\x1f', E'\x1e'),
        string_to_array(l[11], E'\x1f', E'\x1e'),
        string_to_array(l[12], E'\x1f', E'\x1e')
      ) AS u(customer_id, entry_id, position, account, asset, kind, amount, promo_amount, seq, kind_seq, balance_after, recorded_at)
      WHERE u.entry_id IN (SELECT id FROM written)
    )
    SELECT count(*) INTO done FROM written;
    IF done <> cardinality(string_to_array(e[1], E'\x1f')) THEN
      IF strict THEN
        RAISE EXCEPTION 'a ledger key was written meanwhile' USING ERRCODE = 'PU001';
      END IF;
      RETURN false;
    END IF;
  END IF;
  IF NOT strict AND accounts IS NOT NULL THEN 
    a := string_to_array(accounts, E'\x1d');
    UPDATE ledger_account t
    SET balance = u.balance::bigint, held = u.held::bigint, debt = u.debt::bigint, promo = u.promo::bigint,
        version = u.version::bigint, revision = t.revision + 1, tallies = u.tallies::json,
        moved_at = u.moved_at::timestamptz
    FROM unnest(
        string_to_array(a[1], E'\x1f', E'\x1e'),
        string_to_array(a[2], E'\x1f', E'\x1e'),
        string_to_array(a[3], E'\x1f', E'\x1e'),
        string_to_array(a[4], E'\x1f', E'\x1e'),
        string_to_array(a[5], E'\x1f', E'\x1e'),
        string_to_array(a[6], E'\x1f', E'\x1e'),
        string_to_array(a[7], E'\x1f', E'\x1e'),
        string_to_array(a[8], E'\x1f', E'\x1e'),
        string_to_array(a[9], E'\x1f', E'\x1e'),
        string_to_array(a[10], E'\x1f', E'\x1e'),
        string_to_array(a[11], E'\x1f', E'\x1e')
      ) AS u(customer_id, kind, asset, balance, held, debt, promo, version, revision, tallies, moved_at)
    WHERE t.customer_id = u.customer_id AND t.kind = u.kind AND t.asset = u.asset
      AND t.revision = u.revision::bigint;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> cardinality(string_to_array(a[1], E'\x1f')) THEN
      RAISE EXCEPTION 'a ledger account moved meanwhile' USING ERRCODE = 'PU001';
    END IF;
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
-- next
CREATE OR REPLACE FUNCTION ledger_write_apart(
  accounts text, entries text, legs text, new_holds json, changed_holds json
) RETURNS boolean LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
  RETURN ledger_write(false, accounts, NULL, entries, legs, new_holds, changed_holds);
END $$
-- next
CREATE OR REPLACE FUNCTION ledger_write_one(given text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v text[] := string_to_array(given, E'\x1f', E'\x1e');
BEGIN
  UPDATE ledger_account a
  SET (balance, held, debt, promo, version, tallies, moved_at, revision)
    = ROW(v[4]::bigint, v[5]::bigint, v[6]::bigint, v[7]::bigint, v[8]::bigint, v[10]::json, v[11]::timestamptz, a.revision + 1)
  WHERE a.customer_id = v[1] AND a.kind = v[2] AND a.asset = v[3] AND a.revision = v[9]::bigint;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a ledger account moved meanwhile' USING ERRCODE = 'PU001';
  END IF;
  WITH written AS (
    INSERT INTO ledger_entry (customer_id, id, kind, key, request_hash, occurred_at, recorded_at, data, reverses, legs)
    VALUES (v[1], v[12], v[13], v[14], v[15], v[16]::timestamptz, v[11]::timestamptz, v[17]::json, v[18], 2)
  )
  INSERT INTO ledger_leg (customer_id, entry_id, position, account, asset, kind, amount, promo_amount, seq, kind_seq, balance_after, recorded_at)
  VALUES
    (v[1], v[12], v[23]::smallint, v[2], v[3], v[13], v[19]::bigint, v[20]::bigint, v[8]::bigint, v[21]::bigint, v[4]::bigint, v[11]::timestamptz),
    (v[1], v[12], 1 - v[23]::smallint, v[22], v[3], v[13], -v[19]::bigint, 0,
     NULL, NULL, NULL, v[11]::timestamptz);
  RETURN true;
END $$
-- next
DROP TRIGGER ledger_leg_sums_to_zero ON ledger_leg
-- next
CREATE TRIGGER ledger_leg_sums_to_zero AFTER INSERT ON ledger_leg REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_legs()
-- next
ALTER TABLE ledger_leg ENABLE ALWAYS TRIGGER ledger_leg_sums_to_zero
-- next
DROP FUNCTION ledger_check_account()
-- next
ALTER TABLE ledger_account ADD CONSTRAINT ck_ledger_account_house_has_no_row CHECK (customer_id <> 'house'), ADD CONSTRAINT ck_ledger_account_floor CHECK (balance - held >= -debt), ADD CONSTRAINT ck_ledger_account_held CHECK (held >= 0), ADD CONSTRAINT ck_ledger_account_debt CHECK (debt = CASE WHEN held > balance THEN held - balance ELSE 0 END), ADD CONSTRAINT ck_ledger_account_promo CHECK (promo >= 0 AND promo <= CASE WHEN balance > 0 THEN balance ELSE 0 END)
-- next
ALTER TABLE ledger_entry ADD CONSTRAINT ck_ledger_entry_two_legs CHECK (legs >= 2), ADD CONSTRAINT ck_ledger_entry_reversal CHECK ((kind = 'reversal') = (reverses IS NOT NULL))
-- next
ALTER TABLE ledger_leg ADD CONSTRAINT ck_ledger_leg_amount CHECK (amount <> 0), ADD CONSTRAINT ck_ledger_leg_house_or_customer CHECK ((seq IS NULL) = (balance_after IS NULL) AND (seq IS NULL) = (kind_seq IS NULL))
