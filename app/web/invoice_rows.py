"""Invoices as rows of a list, and what happened to one as a log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.http.filters import day_text
from app.http.invoice_words import status_word
from app.invoices import Invoice
from app.invoices.reads import Document, Row
from app.web.invoice_sheet import date_of, number_of

DISPUTED = "Disputed"
TAKEN_BACK = {"open": "The bank decides", "lost": "The bank has taken it back"}


@dataclass(frozen=True)
class InvoiceRow:
    """One invoice in the list. Amounts in minor units of `currency`; `note` stands under the status."""

    id: str
    number: str
    title: str
    date: str
    machine_date: str
    status: str
    note: str
    net_minor: int
    tax_minor: int
    total_minor: int
    currency: str
    to_pay: bool


@dataclass(frozen=True)
class Happening:
    """A line of the history."""

    what: str
    at: datetime
    detail: str = ""


def row_of(row: Row, taken_back: Mapping[str, str] | None = None) -> InvoiceRow:
    """`taken_back` are the customer's payments that are disputed, by their names."""
    invoice = row.invoice
    phase = disputed(invoice, taken_back or {})
    issued = invoice.issued_at or invoice.created_at
    return InvoiceRow(
        id=invoice.id,
        number=number_of(invoice),
        title=row.title,
        date=date_of(issued),
        machine_date=f"{issued:%Y-%m-%d}",
        status=DISPUTED if phase else status_word(invoice),
        note=TAKEN_BACK[phase] if phase else _note(invoice),
        net_minor=invoice.net_minor,
        tax_minor=invoice.tax_minor,
        total_minor=invoice.total_minor,
        currency=invoice.currency,
        to_pay=invoice.due_minor > 0,
    )


def disputed(invoice: Invoice, taken_back: Mapping[str, str]) -> str:
    """ "open" or "lost" for an invoice that was paid, and whose payment the bank has taken back; else nothing."""
    if invoice.status not in ("paid", "refunded"):
        return ""
    names = (invoice.id, invoice.payment_id, invoice.order_id)
    return next((taken_back[name] for name in names if name and name in taken_back), "")


def history_of(document: Document) -> list[Happening]:
    """What happened to it, newest first, with the next try on top."""
    invoice = document.invoice
    issued = invoice.issued_at or invoice.created_at
    # In the order that two happenings of one instant are told in: the sort keeps it.
    found = [Happening("Void", invoice.voided_at)] if invoice.voided_at else []
    found += [
        Happening(f"Credited by {note.number or 'a credit note'}", note.created_at, note.reason)
        for note in reversed(document.credit_notes)
    ]
    if invoice.status in ("paid", "refunded") and invoice.paid_at:
        found.append(Happening("Paid", invoice.paid_at, invoice.paid_with or ""))
    if invoice.failed_at and invoice.failure:
        tries = f"Try {invoice.attempts}" if invoice.attempts > 1 else ""
        found.append(Happening(_failed(invoice), invoice.failed_at, tries))
    found.append(Happening("Issued", issued))
    found.sort(key=lambda one: one.at, reverse=True)
    ahead = [Happening("Next try", invoice.next_attempt_at)] if invoice.due_minor and invoice.next_attempt_at else []
    return [*ahead, *found]


def _failed(invoice: Invoice) -> str:
    return f"Payment failed: {(invoice.failure or '').rstrip('.')}"


def _note(invoice: Invoice) -> str:
    if invoice.due_minor and invoice.next_attempt_at:
        return f"Next try {day_text(invoice.next_attempt_at)}"
    if invoice.status == "paid" and invoice.credited_minor:
        return "Partly refunded"
    return ""
