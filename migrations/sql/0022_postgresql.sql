CREATE OR REPLACE FUNCTION activity_seal_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'activity_seal is append-only'; END $$
-- next
CREATE TRIGGER activity_seal_no_edit BEFORE UPDATE OR DELETE OR TRUNCATE ON activity_seal
    FOR EACH STATEMENT EXECUTE FUNCTION activity_seal_append_only()
