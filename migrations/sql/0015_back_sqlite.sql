DROP TRIGGER ledger_hold_ends_once
-- next
CREATE TRIGGER ledger_hold_ends_once BEFORE UPDATE ON ledger_hold WHEN OLD.state <> 'held' OR NEW.state = 'held' OR NEW.amount <> OLD.amount OR NEW.id <> OLD.id OR NEW.customer_id <> OLD.customer_id OR NEW.account <> OLD.account OR NEW.asset <> OLD.asset OR NEW.key <> OLD.key OR NEW.request_hash <> OLD.request_hash BEGIN SELECT RAISE(ABORT, 'a hold ends once and keeps its amount'); END
