DROP TRIGGER ledger_account_follows_legs ON ledger_account
-- next
CREATE TRIGGER ledger_account_follows_legs BEFORE UPDATE ON ledger_account FOR EACH ROW WHEN (NEW.balance <> OLD.balance AND NEW.version <= OLD.version OR NEW.revision <= OLD.revision) EXECUTE FUNCTION ledger_refuse('a balance changes only with a leg')
-- next
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_account_follows_legs
