"""What the databases themselves refuse about finalised invoices, whatever program speaks to them (SPEC I3)."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import invoices
from app.db import transaction
from app.invoices import Invoice
from tests.invoices.conftest import Desk

LINE = (
    "INSERT INTO invoice_line (customer_id, invoice_id, position, description, quantity, amount_micros, amount_minor, "
    "discount_minor, is_proration) SELECT customer_id, id, 9, 'More', 1, 0, 0, 0, {no} FROM invoice"
)
NOTE = (
    "INSERT INTO credit_note (customer_id, id, invoice_id, source, number, key, reason, currency, net_minor, "
    "tax_minor, total_minor, returned_to, lines, taxes, created_at) SELECT customer_id, 'cn_2', id, 'purser', 'CN-9', "
    "'k', '', 'usd', {much}, 0, {much}, 'nowhere', '[]', '[]', created_at FROM invoice"
)
CHANGES = [
    "UPDATE invoice SET number = 'INV-1'",
    "UPDATE invoice SET total_minor = total_minor + 1, subtotal_minor = subtotal_minor + 1",
    "UPDATE invoice SET tax_minor = 0, total_minor = subtotal_minor",
    "UPDATE invoice SET buyer = '{}'",
    "UPDATE invoice SET seller = '{}'",
    "UPDATE invoice SET issued_at = created_at, note = 'x'",
    "UPDATE invoice SET customer_id = 'cus_other'",
    "UPDATE invoice SET source = 'stripe'",
    "UPDATE invoice SET status = 'draft', number = NULL",
    "UPDATE invoice SET status = 'open'",
    "UPDATE invoice SET paid_minor = 0",
    "UPDATE invoice SET credited_minor = 0",
    "UPDATE invoice SET credited_minor = total_minor + 1",
    "DELETE FROM invoice",
    "UPDATE invoice_line SET description = 'x'",
    "UPDATE invoice_line SET amount_minor = 0",
    "DELETE FROM invoice_line",
    "UPDATE invoice_tax SET amount_minor = 0",
    "DELETE FROM invoice_tax",
    "UPDATE credit_note SET reason = 'x'",
    "DELETE FROM credit_note",
    "UPDATE number_series SET last = last + 2",
    "UPDATE number_series SET last = last - 1",
    "DELETE FROM number_series",
]
BECAUSE = "does not change|forward only|stays|goes up by one|CHECK|check|never more"


def test_a_finalised_invoice_stays_as_it_is(engine: Engine, desk: Desk) -> None:
    desk.rate("VAT", "20")
    invoice = desk.paid(4900)
    desk.credit(invoice, 900)

    no = "false" if engine.dialect.name == "postgresql" else "0"
    for statement in (*CHANGES, LINE.format(no=no), NOTE.format(much=5000)):
        refused(engine, statement)
    with engine.begin() as connection:  # what is left of the invoice may be credited
        connection.execute(text(NOTE.format(much=4800)))


def test_nothing_is_born_finalised_or_written_over(engine: Engine, desk: Desk) -> None:
    desk.invoice(4900)
    copy = "INTO invoice SELECT customer_id, {id}, {rest} FROM invoice"
    columns = [column.name for column in Invoice.__table__.columns][2:]
    born = ", ".join("'other'" if name == "key" else "'INV-2'" if name == "number" else name for name in columns)

    refused(engine, "INSERT " + copy.format(id="'inv_2'", rest=born), "begins as a draft")
    if engine.dialect.name == "sqlite":
        same = ", ".join("'draft'" if name == "status" else "NULL" if name == "number" else name for name in columns)
        refused(engine, "INSERT OR REPLACE " + copy.format(id="id", rest=same), "exists")
    else:
        for table in ("invoice", "invoice_line", "invoice_tax", "credit_note", "number_series"):
            refused(engine, f"TRUNCATE {table} CASCADE")


def test_a_line_that_races_the_finalising_is_refused(engine: Engine, desk: Desk) -> None:
    """The line waits for the one who finalises, and then sees that it came too late."""
    no = "false" if engine.dialect.name == "postgresql" else "0"
    draft = desk.invoice(4900, finalised=False)
    failures: list[str] = []

    def add() -> None:
        with Session(engine) as other:
            try:
                with transaction(other):
                    other.execute(text(LINE.format(no=no)))
            except DBAPIError as refusal:
                failures.append(str(refusal))

    with transaction(desk.session):
        invoices.finalise(desk.session, draft)
        late = threading.Thread(target=add)
        late.start()
        late.join(0.3)
        assert late.is_alive()
    late.join(30)

    assert "does not change" in failures[0]


def refused(engine: Engine, statement: str, because: str = BECAUSE) -> None:
    with pytest.raises(DBAPIError, match=because), engine.begin() as connection:
        connection.execute(text(statement))
