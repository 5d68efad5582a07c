CREATE TRIGGER meter_stamped_insert AFTER insert ON meter BEGIN INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END
-- next
CREATE TRIGGER meter_stamped_update AFTER update ON meter BEGIN INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END
-- next
CREATE TRIGGER meter_stamped_delete AFTER delete ON meter BEGIN INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END
-- next
CREATE TRIGGER plan_stamped_insert AFTER insert ON plan BEGIN INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END
-- next
CREATE TRIGGER plan_stamped_update AFTER update ON plan BEGIN INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END
-- next
CREATE TRIGGER plan_stamped_delete AFTER delete ON plan BEGIN INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END
-- next
CREATE TRIGGER plan_limit_stamped_insert AFTER insert ON plan_limit BEGIN INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END
-- next
CREATE TRIGGER plan_limit_stamped_update AFTER update ON plan_limit BEGIN INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END
-- next
CREATE TRIGGER plan_limit_stamped_delete AFTER delete ON plan_limit BEGIN INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END
-- next
CREATE TRIGGER plan_version_stamped_insert AFTER insert ON plan_version BEGIN INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END
-- next
CREATE TRIGGER plan_version_stamped_update AFTER update ON plan_version BEGIN INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END
-- next
CREATE TRIGGER plan_version_stamped_delete AFTER delete ON plan_version BEGIN INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END
-- next
INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16))))
