-- PostgreSQL's own limits, one PL/pgSQL call for each debit. `bare`: key, entry, two legs, balance, with keys and CHECKs.
-- `kept`: the rows as our tables keep them, with every column and index of theirs (running numbers for pages by offset and by
-- kind, sums by kind, the time for staff's list), but no trigger.
CREATE SCHEMA bare;
CREATE TABLE bare.account (
  customer_id text COLLATE "C", kind text COLLATE "C", asset text COLLATE "C", balance bigint NOT NULL, held bigint NOT NULL,
  debt bigint NOT NULL, version bigint NOT NULL, PRIMARY KEY (customer_id, kind, asset),
  CHECK (balance - held >= -debt), CHECK (held >= 0), CHECK (debt >= 0)
);
CREATE TABLE bare.entry (
  customer_id text COLLATE "C", id text COLLATE "C", kind text COLLATE "C", key text COLLATE "C", request_hash text,
  occurred_at timestamptz, recorded_at timestamptz, data json, PRIMARY KEY (customer_id, id), UNIQUE (customer_id, key)
);
CREATE TABLE bare.leg (
  customer_id text COLLATE "C", account text COLLATE "C", entry_id text COLLATE "C", asset text, amount bigint,
  balance_after bigint, recorded_at timestamptz, PRIMARY KEY (customer_id, account, entry_id)
);
CREATE SEQUENCE bare.number CACHE 100;
INSERT INTO bare.account
SELECT 'cus_' || lpad(n::text, 26, '0'), 'wallet', 'usd', 1000000000000, 0, 0, 1 FROM generate_series(0, 9999) n;

CREATE FUNCTION bare.debit(wallet int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  customer text := 'cus_' || lpad(wallet::text, 26, '0');
  number text := lpad(nextval('bare.number')::text, 26, '0');
  written int;
  after bigint;
BEGIN
  INSERT INTO bare.entry VALUES (customer, 'wtxn_' || number, 'debit', 'debit:' || number,
    '0123456789abcdef0123456789abcdef', now(), now(), '{}') ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written = 0 THEN
    RETURN -1;
  END IF;
  UPDATE bare.account SET balance = balance - 1, version = version + 1
  WHERE customer_id = customer AND kind = 'wallet' AND asset = 'usd' AND balance - held >= 1 RETURNING balance INTO after;
  IF after IS NULL THEN
    RAISE EXCEPTION 'short';
  END IF;
  INSERT INTO bare.leg VALUES
    (customer, 'wallet', 'wtxn_' || number, 'usd', -1, after, now()),
    (customer, 'revenue', 'wtxn_' || number, 'usd', 1, NULL, now());
  RETURN after;
END $$;

CREATE FUNCTION bare.debit_many(n int, wallets int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  made bigint := 0;
BEGIN
  FOR i IN 1..n LOOP
    made := made + sign(bare.debit((random() * (wallets - 1))::int));
  END LOOP;
  RETURN made;
END $$;

CREATE SCHEMA kept;
CREATE TABLE kept.account (LIKE public.ledger_account INCLUDING ALL);
ALTER TABLE kept.account SET (fillfactor = 50);
CREATE TABLE kept.entry (LIKE public.ledger_entry INCLUDING ALL);
CREATE TABLE kept.leg (LIKE public.ledger_leg INCLUDING ALL);
INSERT INTO kept.account (customer_id, kind, asset, balance, version)
SELECT 'cus_' || lpad(n::text, 26, '0'), 'wallet', 'usd', 1000000000000, 1 FROM generate_series(0, 9999) n;
CREATE FUNCTION kept.debit(wallet int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  customer text := 'cus_' || lpad(wallet::text, 26, '0');
  number text := lpad(nextval('bare.number')::text, 26, '0');
  written int;
  after bigint;
  nth bigint;
BEGIN
  INSERT INTO kept.entry (customer_id, id, kind, key, request_hash, occurred_at, recorded_at, data, legs)
  VALUES (customer, 'wtxn_' || number, 'debit', 'debit:' || number, '0123456789abcdef0123456789abcdef', now(), now(),
    '{}', 2)
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written = 0 THEN
    RETURN -1;
  END IF;
  UPDATE kept.account
  SET balance = balance - 1, version = version + 1, revision = revision + 1, moved_at = now(),
      tallies = ('{"topup":[1,1000000000000,0],"debit":[' || version || ',0,' || version || ']}')::json
  WHERE customer_id = customer AND kind = 'wallet' AND asset = 'usd' AND balance - held >= 1
  RETURNING balance, version INTO after, nth;
  IF after IS NULL THEN
    RAISE EXCEPTION 'short';
  END IF;
  INSERT INTO kept.leg (customer_id, entry_id, position, account, asset, kind, amount, promo_amount, seq, kind_seq,
    balance_after, recorded_at)
  VALUES (customer, 'wtxn_' || number, 0, 'wallet', 'usd', 'debit', -1, 0, nth, nth - 1, after, now()),
         (customer, 'wtxn_' || number, 1, 'revenue', 'usd', 'debit', 1, 0, NULL, NULL, NULL, now());
  RETURN after;
END $$;
CREATE FUNCTION kept.debit_many(n int, wallets int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  made bigint := 0;
BEGIN
  FOR i IN 1..n LOOP
    made := made + sign(kept.debit((random() * (wallets - 1))::int));
  END LOOP;
  RETURN made;
END $$;
