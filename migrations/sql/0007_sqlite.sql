CREATE TRIGGER invoice_begins BEFORE INSERT ON invoice WHEN NEW.source = 'purser' AND NEW.status <> 'draft' BEGIN SELECT RAISE(ABORT, 'an invoice begins as a draft'); END
-- next
CREATE TRIGGER invoice_no_replace BEFORE INSERT ON invoice WHEN EXISTS (SELECT 1 FROM invoice WHERE customer_id = NEW.customer_id AND id = NEW.id) OR EXISTS (SELECT 1 FROM invoice WHERE source = 'purser' AND number = NEW.number) BEGIN SELECT RAISE(ABORT, 'UNIQUE: this invoice or its number exists'); END
-- next
CREATE TRIGGER invoice_frozen BEFORE UPDATE ON invoice WHEN OLD.source = 'purser' AND OLD.status <> 'draft' AND (NEW.customer_id IS NOT OLD.customer_id OR NEW.id IS NOT OLD.id OR NEW.source IS NOT OLD.source OR NEW.provider_id IS NOT OLD.provider_id OR NEW.number IS NOT OLD.number OR NEW.key IS NOT OLD.key OR NEW.reason IS NOT OLD.reason OR NEW.subscription_id IS NOT OLD.subscription_id OR NEW.order_id IS NOT OLD.order_id OR NEW.currency IS NOT OLD.currency OR NEW.subtotal_minor IS NOT OLD.subtotal_minor OR NEW.discount_minor IS NOT OLD.discount_minor OR NEW.discount_name IS NOT OLD.discount_name OR NEW.tax_minor IS NOT OLD.tax_minor OR NEW.total_minor IS NOT OLD.total_minor OR NEW.note IS NOT OLD.note OR NEW.period_start IS NOT OLD.period_start OR NEW.period_end IS NOT OLD.period_end OR NEW.created_at IS NOT OLD.created_at OR NEW.issued_at IS NOT OLD.issued_at OR NEW.due_at IS NOT OLD.due_at OR NEW.buyer IS NOT OLD.buyer OR NEW.seller IS NOT OLD.seller) BEGIN SELECT RAISE(ABORT, 'a finalised invoice does not change'); END
-- next
CREATE TRIGGER invoice_forward BEFORE UPDATE ON invoice WHEN OLD.source = 'purser' AND OLD.status <> 'draft' AND (NEW.status <> OLD.status AND NOT (OLD.status = 'open' AND NEW.status IN ('paid', 'void', 'uncollectible') OR OLD.status = 'uncollectible' AND NEW.status IN ('paid', 'void') OR OLD.status = 'paid' AND NEW.status = 'refunded') OR NEW.credited_minor < OLD.credited_minor OR OLD.status NOT IN ('open', 'uncollectible') AND NEW.paid_minor <> OLD.paid_minor) BEGIN SELECT RAISE(ABORT, 'an invoice moves forward only'); END
-- next
CREATE TRIGGER invoice_stays BEFORE DELETE ON invoice WHEN OLD.source = 'purser' AND OLD.status <> 'draft' BEGIN SELECT RAISE(ABORT, 'a finalised invoice stays'); END
-- next
CREATE TRIGGER number_series_by_one BEFORE UPDATE ON number_series WHEN NEW.name <> OLD.name OR NEW.last <> OLD.last + 1 OR NEW.last_at < OLD.last_at BEGIN SELECT RAISE(ABORT, 'a number series goes up by one'); END
-- next
CREATE TRIGGER number_series_stays BEFORE DELETE ON number_series BEGIN SELECT RAISE(ABORT, 'a number series goes up by one'); END
-- next
CREATE TRIGGER credit_note_fits BEFORE INSERT ON credit_note WHEN NEW.source = 'purser' AND NOT EXISTS (SELECT 1 FROM invoice WHERE customer_id = NEW.customer_id AND id = NEW.invoice_id AND status NOT IN ('draft', 'void') AND total_minor >= NEW.total_minor + (SELECT coalesce(sum(total_minor), 0) FROM credit_note WHERE customer_id = NEW.customer_id AND invoice_id = NEW.invoice_id)) BEGIN SELECT RAISE(ABORT, 'credit notes correct a finalised invoice, and never more than all of it'); END
-- next
CREATE TRIGGER credit_note_no_replace BEFORE INSERT ON credit_note WHEN EXISTS (SELECT 1 FROM credit_note WHERE customer_id = NEW.customer_id AND id = NEW.id) OR EXISTS (SELECT 1 FROM credit_note WHERE source = 'purser' AND number = NEW.number) BEGIN SELECT RAISE(ABORT, 'UNIQUE: this credit note or its number exists'); END
-- next
CREATE TRIGGER credit_note_no_update BEFORE UPDATE ON credit_note WHEN OLD.source = 'purser' BEGIN SELECT RAISE(ABORT, 'a credit note does not change'); END
-- next
CREATE TRIGGER credit_note_no_delete BEFORE DELETE ON credit_note WHEN OLD.source = 'purser' BEGIN SELECT RAISE(ABORT, 'a credit note does not change'); END
-- next
CREATE TRIGGER invoice_line_no_insert BEFORE INSERT ON invoice_line WHEN EXISTS (SELECT 1 FROM invoice WHERE customer_id = NEW.customer_id AND id = NEW.invoice_id AND source = 'purser' AND status <> 'draft') BEGIN SELECT RAISE(ABORT, 'a finalised invoice does not change'); END
-- next
CREATE TRIGGER invoice_line_no_update BEFORE UPDATE ON invoice_line WHEN EXISTS (SELECT 1 FROM invoice WHERE customer_id = OLD.customer_id AND id = OLD.invoice_id AND source = 'purser' AND status <> 'draft') OR EXISTS (SELECT 1 FROM invoice WHERE customer_id = NEW.customer_id AND id = NEW.invoice_id AND source = 'purser' AND status <> 'draft') BEGIN SELECT RAISE(ABORT, 'a finalised invoice does not change'); END
-- next
CREATE TRIGGER invoice_line_no_delete BEFORE DELETE ON invoice_line WHEN EXISTS (SELECT 1 FROM invoice WHERE customer_id = OLD.customer_id AND id = OLD.invoice_id AND source = 'purser' AND status <> 'draft') BEGIN SELECT RAISE(ABORT, 'a finalised invoice does not change'); END
-- next
CREATE TRIGGER invoice_tax_no_insert BEFORE INSERT ON invoice_tax WHEN EXISTS (SELECT 1 FROM invoice WHERE customer_id = NEW.customer_id AND id = NEW.invoice_id AND source = 'purser' AND status <> 'draft') BEGIN SELECT RAISE(ABORT, 'a finalised invoice does not change'); END
-- next
CREATE TRIGGER invoice_tax_no_update BEFORE UPDATE ON invoice_tax WHEN EXISTS (SELECT 1 FROM invoice WHERE customer_id = OLD.customer_id AND id = OLD.invoice_id AND source = 'purser' AND status <> 'draft') OR EXISTS (SELECT 1 FROM invoice WHERE customer_id = NEW.customer_id AND id = NEW.invoice_id AND source = 'purser' AND status <> 'draft') BEGIN SELECT RAISE(ABORT, 'a finalised invoice does not change'); END
-- next
CREATE TRIGGER invoice_tax_no_delete BEFORE DELETE ON invoice_tax WHEN EXISTS (SELECT 1 FROM invoice WHERE customer_id = OLD.customer_id AND id = OLD.invoice_id AND source = 'purser' AND status <> 'draft') BEGIN SELECT RAISE(ABORT, 'a finalised invoice does not change'); END
