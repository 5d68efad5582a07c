"""What the databases enforce about invoices: a finalised one does not change (SPEC I3), numbers have no gaps.

`metadata.create_all` runs these statements after each table; the migration keeps its own copy as text.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, MetaData, Table, event

# What never changes once an invoice of ours has its number: everything but the payment fields.
_FROZEN = (
    "customer_id", "id", "source", "provider_id", "number", "key", "reason", "subscription_id", "order_id", "currency",
    "subtotal_minor", "discount_minor", "discount_name", "tax_minor", "total_minor", "note", "period_start",
    "period_end", "created_at", "issued_at", "due_at",
)  # fmt: skip
_FROZEN_JSON = ("buyer", "seller")
_FINAL = "OLD.source = 'purser' AND OLD.status <> 'draft'"
# Forward only: open, then paid or void; given up may still be paid; only what was paid is refunded.
_BACKWARDS = (
    "NEW.status <> OLD.status AND NOT (OLD.status = 'open' AND NEW.status IN ('paid', 'void', 'uncollectible') "
    "OR OLD.status = 'uncollectible' AND NEW.status IN ('paid', 'void') "
    "OR OLD.status = 'paid' AND NEW.status = 'refunded') OR NEW.credited_minor < OLD.credited_minor "
    "OR OLD.status NOT IN ('open', 'uncollectible') AND NEW.paid_minor <> OLD.paid_minor"
)
_CHANGED = "a finalised invoice does not change"
_MOVED = "an invoice moves forward only"
_STAYS = "a finalised invoice stays"
_BORN = "an invoice begins as a draft"
_SERIES = "a number series goes up by one"
_NOTE = "a credit note does not change"
_MUCH = "credit notes correct a finalised invoice, and never more than all of it"
_SKIPS = "NEW.name <> OLD.name OR NEW.last <> OLD.last + 1 OR NEW.last_at < OLD.last_at"


def _sqlite(name: str, when: str, table: str, sentence: str, condition: str = "") -> str:
    clause = f" WHEN {condition}" if condition else ""
    return f"CREATE TRIGGER {name} {when} ON {table}{clause} BEGIN SELECT RAISE(ABORT, '{sentence}'); END"


def _sqlite_parts(table: str) -> list[str]:
    """Lines and taxes belong to their invoice: they come and go while it is a draft, or a mirror."""

    def final(row: str) -> str:
        its = f"customer_id = {row}.customer_id AND id = {row}.invoice_id"
        return f"EXISTS (SELECT 1 FROM invoice WHERE {its} AND source = 'purser' AND status <> 'draft')"  # noqa: S608

    return [
        _sqlite(f"{table}_no_insert", "BEFORE INSERT", table, _CHANGED, final("NEW")),
        _sqlite(f"{table}_no_update", "BEFORE UPDATE", table, _CHANGED, f"{final('OLD')} OR {final('NEW')}"),
        _sqlite(f"{table}_no_delete", "BEFORE DELETE", table, _CHANGED, final("OLD")),
    ]


_OTHER = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in (*_FROZEN, *_FROZEN_JSON))
SQLITE: dict[str, list[str]] = {
    "invoice": [
        _sqlite("invoice_begins", "BEFORE INSERT", "invoice", _BORN, "NEW.source = 'purser' AND NEW.status <> 'draft'"),
        # INSERT OR REPLACE deletes without asking the delete trigger, so it is caught before.
        _sqlite(
            "invoice_no_replace",
            "BEFORE INSERT",
            "invoice",
            "UNIQUE: this invoice or its number exists",
            "EXISTS (SELECT 1 FROM invoice WHERE customer_id = NEW.customer_id AND id = NEW.id) "
            "OR EXISTS (SELECT 1 FROM invoice WHERE source = 'purser' AND number = NEW.number)",
        ),
        _sqlite("invoice_frozen", "BEFORE UPDATE", "invoice", _CHANGED, f"{_FINAL} AND ({_OTHER})"),
        _sqlite("invoice_forward", "BEFORE UPDATE", "invoice", _MOVED, f"{_FINAL} AND ({_BACKWARDS})"),
        _sqlite("invoice_stays", "BEFORE DELETE", "invoice", _STAYS, _FINAL),
    ],
    "invoice_line": _sqlite_parts("invoice_line"),
    "invoice_tax": _sqlite_parts("invoice_tax"),
    "credit_note": [
        _sqlite(
            "credit_note_fits",
            "BEFORE INSERT",
            "credit_note",
            _MUCH,
            "NEW.source = 'purser' AND NOT EXISTS (SELECT 1 FROM invoice WHERE customer_id = NEW.customer_id "
            "AND id = NEW.invoice_id AND status NOT IN ('draft', 'void') AND total_minor >= NEW.total_minor + "
            "(SELECT coalesce(sum(total_minor), 0) FROM credit_note WHERE customer_id = NEW.customer_id "
            "AND invoice_id = NEW.invoice_id))",
        ),
        _sqlite(
            "credit_note_no_replace",
            "BEFORE INSERT",
            "credit_note",
            "UNIQUE: this credit note or its number exists",
            "EXISTS (SELECT 1 FROM credit_note WHERE customer_id = NEW.customer_id AND id = NEW.id) "
            "OR EXISTS (SELECT 1 FROM credit_note WHERE source = 'purser' AND number = NEW.number)",
        ),
        _sqlite("credit_note_no_update", "BEFORE UPDATE", "credit_note", _NOTE, "OLD.source = 'purser'"),
        _sqlite("credit_note_no_delete", "BEFORE DELETE", "credit_note", _NOTE, "OLD.source = 'purser'"),
    ],
    "number_series": [
        _sqlite("number_series_by_one", "BEFORE UPDATE", "number_series", _SERIES, _SKIPS),
        _sqlite("number_series_stays", "BEFORE DELETE", "number_series", _SERIES),
    ],
}

_REFUSE = """CREATE OR REPLACE FUNCTION invoice_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation';
END $$"""

# The share lock waits for whoever is finalising the invoice at this moment, and then sees what it became.
_PART = """CREATE OR REPLACE FUNCTION invoice_part() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$"""

_FITS = """CREATE OR REPLACE FUNCTION credit_note_fits() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$"""


def _postgresql(
    name: str, when: str, table: str, sentence: str, condition: str = "", function: str = "invoice_refuse"
) -> list[str]:
    each = "STATEMENT" if when.endswith("TRUNCATE") else "ROW"
    clause = f" WHEN ({condition})" if condition else ""
    make = f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each}{clause} EXECUTE FUNCTION {function}('{sentence}')"
    # ALWAYS: a session in replica mode, or one that turned triggers off for a bulk load, must not slip past.
    return [make, f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"]


def _postgresql_parts(table: str) -> list[str]:
    return [
        *_postgresql(f"{table}_frozen", "BEFORE INSERT OR UPDATE OR DELETE", table, _CHANGED, "", "invoice_part"),
        *_postgresql(f"{table}_no_truncate", "BEFORE TRUNCATE", table, _STAYS),
    ]


_DISTINCT = " OR ".join(
    [f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _FROZEN]
    + [f"NEW.{name}::text IS DISTINCT FROM OLD.{name}::text" for name in _FROZEN_JSON]
)
POSTGRESQL: dict[str, list[str]] = {
    "invoice": [
        _REFUSE,
        _PART,
        *_postgresql(
            "invoice_begins", "BEFORE INSERT", "invoice", _BORN, "NEW.source = 'purser' AND NEW.status <> 'draft'"
        ),
        *_postgresql("invoice_frozen", "BEFORE UPDATE", "invoice", _CHANGED, f"{_FINAL} AND ({_DISTINCT})"),
        *_postgresql("invoice_forward", "BEFORE UPDATE", "invoice", _MOVED, f"{_FINAL} AND ({_BACKWARDS})"),
        *_postgresql("invoice_stays", "BEFORE DELETE", "invoice", _STAYS, _FINAL),
        *_postgresql("invoice_no_truncate", "BEFORE TRUNCATE", "invoice", _STAYS),
    ],
    "invoice_line": _postgresql_parts("invoice_line"),
    "invoice_tax": _postgresql_parts("invoice_tax"),
    "credit_note": [
        _FITS,
        *_postgresql(
            "credit_note_fits", "BEFORE INSERT", "credit_note", _MUCH, "NEW.source = 'purser'", "credit_note_fits"
        ),
        *_postgresql("credit_note_no_change", "BEFORE UPDATE OR DELETE", "credit_note", _NOTE, "OLD.source = 'purser'"),
        *_postgresql("credit_note_no_truncate", "BEFORE TRUNCATE", "credit_note", _NOTE),
    ],
    "number_series": [
        *_postgresql("number_series_by_one", "BEFORE UPDATE", "number_series", _SERIES, _SKIPS),
        *_postgresql("number_series_stays", "BEFORE DELETE", "number_series", _SERIES),
        *_postgresql("number_series_no_truncate", "BEFORE TRUNCATE", "number_series", _SERIES),
    ],
}
# In the order the tables are made in: the parts' function stands with the invoice, which they refer to.
TABLES = ("invoice", "number_series", "credit_note", "invoice_line", "invoice_tax")


def statements(dialect: str, table: str) -> list[str]:
    """The statements that belong to one table on one database."""
    return (SQLITE if dialect == "sqlite" else POSTGRESQL)[table]


def attach(metadata: MetaData) -> None:
    """Have `create_all` run the statements after each table."""
    for name in TABLES:
        event.listen(metadata.tables[name], "after_create", _after_create)


def _after_create(table: Table, connection: Connection, **_: Any) -> None:
    for statement in statements(connection.dialect.name, table.name):
        connection.exec_driver_sql(statement)
