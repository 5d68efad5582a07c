DROP TRIGGER ledger_hold_ends_once ON ledger_hold
-- next
CREATE TRIGGER ledger_hold_ends_once BEFORE UPDATE ON ledger_hold FOR EACH ROW WHEN (OLD.state <> 'held' OR NEW.state = 'held' OR NEW.amount <> OLD.amount OR NEW.id <> OLD.id OR NEW.customer_id <> OLD.customer_id OR NEW.account <> OLD.account OR NEW.asset <> OLD.asset OR NEW.key <> OLD.key OR NEW.request_hash <> OLD.request_hash) EXECUTE FUNCTION ledger_refuse('a hold ends once and keeps its amount')
-- next
ALTER TABLE ledger_hold ENABLE ALWAYS TRIGGER ledger_hold_ends_once
-- next
DROP FUNCTION ledger_write_one
-- next
DROP FUNCTION ledger_write_apart
-- next
DROP FUNCTION ledger_write
-- next
CREATE OR REPLACE FUNCTION ledger_write(
  strict boolean,
  a_customer text[], a_kind text[], a_asset text[], a_balance bigint[], a_held bigint[], a_debt bigint[],
  a_promo bigint[],
  a_version bigint[], a_revision bigint[], a_tallies text[], a_moved timestamptz[],
  e_customer text[], e_id text[], e_kind text[], e_key text[], e_hash text[], e_occurred timestamptz[],
  e_recorded timestamptz[], e_data text[], e_reverses text[], e_legs smallint[],
  l_entry text[], l_position smallint[], l_account text[], l_asset text[], l_amount bigint[], l_promo bigint[],
  l_seq bigint[], l_kind_seq bigint[], l_balance bigint[],
  new_holds json, ended_holds json
) RETURNS boolean LANGUAGE plpgsql
-- Planned once: planning these statements for each call's own arrays would cost several times what they do. And by
-- index: a plan made on a young, small table would go on reading all of it after it has grown.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = on
AS $$
DECLARE
  done bigint;
  ended ledger_hold;
BEGIN
  IF strict THEN
    
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

  END IF;
  IF ended_holds IS NOT NULL THEN
    FOR ended IN SELECT * FROM json_populate_recordset(NULL::ledger_hold, ended_holds) LOOP
      UPDATE ledger_hold h
      SET state = ended.state, ended_at = ended.ended_at, settled_amount = ended.settled_amount,
          settled_entry = ended.settled_entry
      WHERE h.customer_id = ended.customer_id AND h.id = ended.id AND h.state = 'held';
      IF NOT FOUND THEN
        RAISE EXCEPTION 'a hold ended meanwhile' USING ERRCODE = 'PU001';
      END IF;
    END LOOP;
  END IF;
  RETURN true;
END $$
-- next
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
-- next
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
-- next
ALTER TABLE ledger_entry ALTER COLUMN customer_id RESET (n_distinct)
-- next
ALTER TABLE ledger_leg ALTER COLUMN customer_id RESET (n_distinct)
-- next
ALTER TABLE ledger_hold ALTER COLUMN customer_id RESET (n_distinct)
