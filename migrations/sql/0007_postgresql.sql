CREATE OR REPLACE FUNCTION invoice_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation';
END $$
-- next
CREATE OR REPLACE FUNCTION invoice_part() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  its invoice;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    SELECT * INTO its FROM invoice WHERE customer_id = OLD.customer_id AND id = OLD.invoice_id FOR KEY SHARE;
    IF its.source = 'purser' AND its.status <> 'draft' THEN
      RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  SELECT * INTO its FROM invoice WHERE customer_id = NEW.customer_id AND id = NEW.invoice_id FOR KEY SHARE;
  IF its.source = 'purser' AND its.status <> 'draft' THEN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
-- next
CREATE TRIGGER invoice_begins BEFORE INSERT ON invoice FOR EACH ROW WHEN (NEW.source = 'purser' AND NEW.status <> 'draft') EXECUTE FUNCTION invoice_refuse('an invoice begins as a draft')
-- next
ALTER TABLE invoice ENABLE ALWAYS TRIGGER invoice_begins
-- next
CREATE TRIGGER invoice_frozen BEFORE UPDATE ON invoice FOR EACH ROW WHEN (OLD.source = 'purser' AND OLD.status <> 'draft' AND (NEW.customer_id IS DISTINCT FROM OLD.customer_id OR NEW.id IS DISTINCT FROM OLD.id OR NEW.source IS DISTINCT FROM OLD.source OR NEW.provider_id IS DISTINCT FROM OLD.provider_id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.key IS DISTINCT FROM OLD.key OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.subscription_id IS DISTINCT FROM OLD.subscription_id OR NEW.order_id IS DISTINCT FROM OLD.order_id OR NEW.currency IS DISTINCT FROM OLD.currency OR NEW.subtotal_minor IS DISTINCT FROM OLD.subtotal_minor OR NEW.discount_minor IS DISTINCT FROM OLD.discount_minor OR NEW.discount_name IS DISTINCT FROM OLD.discount_name OR NEW.tax_minor IS DISTINCT FROM OLD.tax_minor OR NEW.total_minor IS DISTINCT FROM OLD.total_minor OR NEW.note IS DISTINCT FROM OLD.note OR NEW.period_start IS DISTINCT FROM OLD.period_start OR NEW.period_end IS DISTINCT FROM OLD.period_end OR NEW.created_at IS DISTINCT FROM OLD.created_at OR NEW.issued_at IS DISTINCT FROM OLD.issued_at OR NEW.due_at IS DISTINCT FROM OLD.due_at OR NEW.buyer::text IS DISTINCT FROM OLD.buyer::text OR NEW.seller::text IS DISTINCT FROM OLD.seller::text)) EXECUTE FUNCTION invoice_refuse('a finalised invoice does not change')
-- next
ALTER TABLE invoice ENABLE ALWAYS TRIGGER invoice_frozen
-- next
CREATE TRIGGER invoice_forward BEFORE UPDATE ON invoice FOR EACH ROW WHEN (OLD.source = 'purser' AND OLD.status <> 'draft' AND (NEW.status <> OLD.status AND NOT (OLD.status = 'open' AND NEW.status IN ('paid', 'void', 'uncollectible') OR OLD.status = 'uncollectible' AND NEW.status IN ('paid', 'void') OR OLD.status = 'paid' AND NEW.status = 'refunded') OR NEW.credited_minor < OLD.credited_minor OR OLD.status NOT IN ('open', 'uncollectible') AND NEW.paid_minor <> OLD.paid_minor)) EXECUTE FUNCTION invoice_refuse('an invoice moves forward only')
-- next
ALTER TABLE invoice ENABLE ALWAYS TRIGGER invoice_forward
-- next
CREATE TRIGGER invoice_stays BEFORE DELETE ON invoice FOR EACH ROW WHEN (OLD.source = 'purser' AND OLD.status <> 'draft') EXECUTE FUNCTION invoice_refuse('a finalised invoice stays')
-- next
ALTER TABLE invoice ENABLE ALWAYS TRIGGER invoice_stays
-- next
CREATE TRIGGER invoice_no_truncate BEFORE TRUNCATE ON invoice FOR EACH STATEMENT EXECUTE FUNCTION invoice_refuse('a finalised invoice stays')
-- next
ALTER TABLE invoice ENABLE ALWAYS TRIGGER invoice_no_truncate
-- next
CREATE TRIGGER number_series_by_one BEFORE UPDATE ON number_series FOR EACH ROW WHEN (NEW.name <> OLD.name OR NEW.last <> OLD.last + 1 OR NEW.last_at < OLD.last_at) EXECUTE FUNCTION invoice_refuse('a number series goes up by one')
-- next
ALTER TABLE number_series ENABLE ALWAYS TRIGGER number_series_by_one
-- next
CREATE TRIGGER number_series_stays BEFORE DELETE ON number_series FOR EACH ROW EXECUTE FUNCTION invoice_refuse('a number series goes up by one')
-- next
ALTER TABLE number_series ENABLE ALWAYS TRIGGER number_series_stays
-- next
CREATE TRIGGER number_series_no_truncate BEFORE TRUNCATE ON number_series FOR EACH STATEMENT EXECUTE FUNCTION invoice_refuse('a number series goes up by one')
-- next
ALTER TABLE number_series ENABLE ALWAYS TRIGGER number_series_no_truncate
-- next
CREATE OR REPLACE FUNCTION credit_note_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  its invoice;
  before bigint;
BEGIN
  SELECT * INTO its FROM invoice WHERE customer_id = NEW.customer_id AND id = NEW.invoice_id FOR UPDATE;
  SELECT coalesce(sum(total_minor), 0) INTO before FROM credit_note
  WHERE customer_id = NEW.customer_id AND invoice_id = NEW.invoice_id;
  IF its.status IS NULL OR its.status IN ('draft', 'void') OR before + NEW.total_minor > its.total_minor THEN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
-- next
CREATE TRIGGER credit_note_fits BEFORE INSERT ON credit_note FOR EACH ROW WHEN (NEW.source = 'purser') EXECUTE FUNCTION credit_note_fits('credit notes correct a finalised invoice, and never more than all of it')
-- next
ALTER TABLE credit_note ENABLE ALWAYS TRIGGER credit_note_fits
-- next
CREATE TRIGGER credit_note_no_change BEFORE UPDATE OR DELETE ON credit_note FOR EACH ROW WHEN (OLD.source = 'purser') EXECUTE FUNCTION invoice_refuse('a credit note does not change')
-- next
ALTER TABLE credit_note ENABLE ALWAYS TRIGGER credit_note_no_change
-- next
CREATE TRIGGER credit_note_no_truncate BEFORE TRUNCATE ON credit_note FOR EACH STATEMENT EXECUTE FUNCTION invoice_refuse('a credit note does not change')
-- next
ALTER TABLE credit_note ENABLE ALWAYS TRIGGER credit_note_no_truncate
-- next
CREATE TRIGGER invoice_line_frozen BEFORE INSERT OR UPDATE OR DELETE ON invoice_line FOR EACH ROW EXECUTE FUNCTION invoice_part('a finalised invoice does not change')
-- next
ALTER TABLE invoice_line ENABLE ALWAYS TRIGGER invoice_line_frozen
-- next
CREATE TRIGGER invoice_line_no_truncate BEFORE TRUNCATE ON invoice_line FOR EACH STATEMENT EXECUTE FUNCTION invoice_refuse('a finalised invoice stays')
-- next
ALTER TABLE invoice_line ENABLE ALWAYS TRIGGER invoice_line_no_truncate
-- next
CREATE TRIGGER invoice_tax_frozen BEFORE INSERT OR UPDATE OR DELETE ON invoice_tax FOR EACH ROW EXECUTE FUNCTION invoice_part('a finalised invoice does not change')
-- next
ALTER TABLE invoice_tax ENABLE ALWAYS TRIGGER invoice_tax_frozen
-- next
CREATE TRIGGER invoice_tax_no_truncate BEFORE TRUNCATE ON invoice_tax FOR EACH STATEMENT EXECUTE FUNCTION invoice_refuse('a finalised invoice stays')
-- next
ALTER TABLE invoice_tax ENABLE ALWAYS TRIGGER invoice_tax_no_truncate
