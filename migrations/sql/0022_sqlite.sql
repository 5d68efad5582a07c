CREATE TRIGGER activity_seal_no_update BEFORE UPDATE ON activity_seal BEGIN SELECT RAISE(ABORT, 'activity_seal is append-only'); END
-- next
CREATE TRIGGER activity_seal_no_delete BEFORE DELETE ON activity_seal BEGIN SELECT RAISE(ABORT, 'activity_seal is append-only'); END
