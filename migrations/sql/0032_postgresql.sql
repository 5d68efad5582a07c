CREATE OR REPLACE FUNCTION catalogue_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO catalogue_stamp VALUES (1, gen_random_uuid()::text)
  ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp;
  RETURN NULL;
END $$
-- next
CREATE TRIGGER meter_stamped BEFORE INSERT OR UPDATE OR DELETE ON meter FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changes()
-- next
CREATE TRIGGER plan_stamped BEFORE INSERT OR UPDATE OR DELETE ON plan FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changes()
-- next
CREATE TRIGGER plan_limit_stamped BEFORE INSERT OR UPDATE OR DELETE ON plan_limit FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changes()
-- next
CREATE TRIGGER plan_version_stamped BEFORE INSERT OR UPDATE OR DELETE ON plan_version FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changes()
-- next
INSERT INTO catalogue_stamp VALUES (1, gen_random_uuid()::text)
