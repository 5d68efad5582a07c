DROP TRIGGER ledger_account_follows_legs
-- next
CREATE TRIGGER ledger_account_follows_legs BEFORE UPDATE ON ledger_account WHEN NEW.frozen AND NEW.held > OLD.held OR (NEW.balance <> OLD.balance OR NEW.version <> OLD.version) AND NOT EXISTS (SELECT 1 FROM ledger_leg WHERE customer_id = NEW.customer_id AND account = NEW.kind AND asset = NEW.asset AND seq = NEW.version AND seq IS NOT NULL AND balance_after = NEW.balance) BEGIN SELECT RAISE(ABORT, 'a balance changes only with a leg, and a frozen account holds no more'); END
