CREATE TRIGGER ledger_account_opens_empty BEFORE INSERT ON ledger_account WHEN NEW.balance <> 0 OR NEW.held <> 0 OR NEW.promo <> 0 OR NEW.version <> 0 BEGIN SELECT RAISE(ABORT, 'a ledger account opens empty'); END
-- next
CREATE TRIGGER ledger_account_stays BEFORE DELETE ON ledger_account BEGIN SELECT RAISE(ABORT, 'a ledger account is never deleted'); END
-- next
CREATE TRIGGER ledger_account_follows_legs BEFORE UPDATE ON ledger_account WHEN (NEW.balance <> OLD.balance OR NEW.version <> OLD.version) AND NOT EXISTS (SELECT 1 FROM ledger_leg WHERE customer_id = NEW.customer_id AND account = NEW.kind AND asset = NEW.asset AND seq = NEW.version AND seq IS NOT NULL AND balance_after = NEW.balance) BEGIN SELECT RAISE(ABORT, 'a balance changes only with a leg'); END
-- next
CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'ledger entries are append-only'); END
-- next
CREATE TRIGGER ledger_entry_no_delete BEFORE DELETE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'ledger entries are append-only'); END
-- next
CREATE TRIGGER ledger_entry_no_replace BEFORE INSERT ON ledger_entry WHEN EXISTS (SELECT 1 FROM ledger_entry WHERE customer_id = NEW.customer_id AND id = NEW.id) OR EXISTS (SELECT 1 FROM ledger_entry WHERE customer_id = NEW.customer_id AND key = NEW.key) BEGIN SELECT RAISE(ABORT, 'UNIQUE: this ledger entry or its key exists'); END
-- next
CREATE TRIGGER ledger_entry_seals AFTER INSERT ON ledger_entry WHEN (SELECT count(*) <> NEW.legs OR max(position) <> NEW.legs - 1 OR min(position) <> 0 FROM ledger_leg WHERE customer_id = NEW.customer_id AND entry_id = NEW.id) OR EXISTS (SELECT 1 FROM ledger_leg WHERE customer_id = NEW.customer_id AND entry_id = NEW.id GROUP BY asset HAVING sum(amount) <> 0) BEGIN SELECT RAISE(ABORT, 'the legs of a ledger entry must be complete and sum to zero'); END
-- next
CREATE TRIGGER ledger_leg_no_update BEFORE UPDATE ON ledger_leg BEGIN SELECT RAISE(ABORT, 'ledger legs are append-only'); END
-- next
CREATE TRIGGER ledger_leg_no_delete BEFORE DELETE ON ledger_leg BEGIN SELECT RAISE(ABORT, 'ledger legs are append-only'); END
-- next
CREATE TRIGGER ledger_leg_sealed BEFORE INSERT ON ledger_leg WHEN EXISTS (SELECT 1 FROM ledger_entry WHERE customer_id = NEW.customer_id AND id = NEW.entry_id) OR EXISTS (SELECT 1 FROM ledger_leg WHERE customer_id = NEW.customer_id AND entry_id = NEW.entry_id AND position = NEW.position) BEGIN SELECT RAISE(ABORT, 'a leg cannot join a ledger entry already written'); END
-- next
CREATE TRIGGER ledger_hold_no_delete BEFORE DELETE ON ledger_hold BEGIN SELECT RAISE(ABORT, 'holds are never deleted'); END
-- next
CREATE TRIGGER ledger_hold_ends_once BEFORE UPDATE ON ledger_hold WHEN OLD.state <> 'held' OR NEW.state = 'held' OR NEW.amount <> OLD.amount OR NEW.id <> OLD.id OR NEW.customer_id <> OLD.customer_id OR NEW.account <> OLD.account OR NEW.asset <> OLD.asset BEGIN SELECT RAISE(ABORT, 'a hold ends once and keeps its amount'); END
