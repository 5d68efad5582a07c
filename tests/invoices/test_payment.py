"""What becomes of an invoice: paid once, failed and tried again, void; and credit notes (SPEC I3)."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app import clock, invoices
from app.db import transaction
from app.errors import IdempotencyKeyReused
from app.invoices.credit import MoreThanInvoiced, left_to_credit
from app.invoices.payment import InvoiceNotOpen
from tests.invoices.conftest import Desk


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_it_fails_twice_and_is_paid_once(session: Session, desk: Desk) -> None:
    invoice, again = desk.invoice(4900), clock.now()
    with transaction(session):
        for _ in range(2):
            invoices.mark_failed(session, invoice, failure="The wallet was short.", next_attempt_at=again)
    assert (invoice.attempts, invoice.failure, invoice.due_minor) == (2, "The wallet was short.", 4900)

    with transaction(session):
        for _ in range(2):
            invoices.mark_paid(session, invoice, paid_with="Wallet", payment_id="wtxn_1", at=clock.now())

    assert (invoice.status, invoice.paid_minor, invoice.due_minor) == ("paid", 4900, 0)
    assert invoice.next_attempt_at is None
    with pytest.raises(InvoiceNotOpen), transaction(session):
        invoices.mark_paid(session, invoice, paid_with="Wallet", payment_id="wtxn_2", at=clock.now())


def test_a_void_invoice_is_never_paid_and_a_paid_one_never_void(session: Session, desk: Desk) -> None:
    void, paid = desk.invoice(4900), desk.paid(4900)
    with transaction(session):
        invoices.void(session, void)
        invoices.void(session, void)

    for verb, invoice in ((invoices.void, paid), (_pay, void)):
        with pytest.raises(InvoiceNotOpen), transaction(session):
            verb(session, invoice)


def test_crediting_all_of_it_in_parts_returns_exactly_the_tax(session: Session, desk: Desk) -> None:
    desk.rate("GST", "5")
    desk.rate("PST", "7.25")
    invoice = desk.paid(999)

    notes = [desk.credit(invoice, net, key=str(net)) for net in (333, 334, 332)]

    assert [note.number for note in notes] == [f"CN-2026-{number:04d}" for number in (1, 2, 3)]
    assert sum(note.tax_minor for note in notes) == invoice.tax_minor
    for name in ("GST", "PST"):
        parts = [tax["amount_minor"] for note in notes for tax in note.taxes if tax["name"] == name]
        assert sum(parts) == next(tax.amount_minor for tax in desk.taxes(invoice) if tax.name == name)
    assert (invoice.status, invoice.credited_minor) == ("refunded", invoice.total_minor)
    assert left_to_credit(session, invoice) == 0


def test_credit_notes_never_exceed_the_invoice(desk: Desk) -> None:
    invoice = desk.paid(1000)
    desk.credit(invoice, 600)

    with pytest.raises(MoreThanInvoiced) as refusal:
        desk.credit(invoice, 401)
    assert refusal.value.details["left_minor"] == 400


def test_a_correction_is_made_once_per_key(desk: Desk) -> None:
    invoice = desk.paid(1000)

    assert desk.credit(invoice, 600, key="a").id == desk.credit(invoice, 600, key="a").id
    assert invoice.credited_minor == 600
    with pytest.raises(IdempotencyKeyReused):
        desk.credit(invoice, 100, key="a")


def test_what_nobody_paid_and_is_taken_back_is_void(desk: Desk) -> None:
    invoice = desk.invoice(1000)

    desk.credit(invoice, 400)
    assert (invoice.status, invoice.due_minor) == ("open", 600)
    desk.credit(invoice, 600)
    assert (invoice.status, invoice.due_minor) == ("void", 0)


def test_a_draft_cannot_be_credited(desk: Desk) -> None:
    with pytest.raises(InvoiceNotOpen):
        desk.credit(desk.invoice(1000, finalised=False), 100)


def _pay(session: Session, invoice: invoices.Invoice) -> None:
    invoices.mark_paid(session, invoice, paid_with="Wallet", payment_id="wtxn_9", at=clock.now())
