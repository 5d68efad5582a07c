"""An invoice as it is read: every figure and date as text, the same on the page and in the PDF.

Its dates are those of the document, in UTC: they are the same for whoever reads it, wherever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.http.filters import cents, day_text, exact
from app.http.invoice_words import status_word
from app.invoices import CreditNote, Invoice, InvoiceLine, InvoiceTax
from app.invoices.countries import names
from app.invoices.rates import percent
from app.invoices.reads import Document
from app.money import minor_to_micros

RETURNED = {"wallet": "To the wallet", "payment_method": "To the payment method", "nowhere": "Off what was open"}


@dataclass(frozen=True)
class Party:
    """Seller or buyer: the name, the lines of the address, and what else is printed below."""

    name: str
    lines: Sequence[str]


@dataclass(frozen=True)
class SheetLine:
    description: str
    detail: str
    quantity: str
    price: str
    amount: str


@dataclass(frozen=True)
class Figure:
    """A row of the bill. `rank`: "total" for the total, "sum" for what is to be paid, else nothing."""

    label: str
    detail: str
    amount: str
    rank: str = ""


@dataclass(frozen=True)
class Sheet:
    """The whole sheet. `facts` are pairs such as ("Issued", "4 Nov 2026"); `status` is empty where there is none."""

    title: str
    status: str
    seller: Party
    buyer: Party
    facts: Sequence[tuple[str, str]]
    lines: Sequence[SheetLine]
    figures: Sequence[Figure]
    note: str


def sheet_of(document: Document) -> Sheet:
    invoice = document.invoice
    return Sheet(
        title=f"Invoice {number_of(invoice)}",
        status=status_word(invoice),
        seller=_party(invoice.seller, invoice.seller.get("email", "")),
        buyer=_party(invoice.buyer, ""),
        facts=_facts(invoice),
        lines=_lines(document),
        figures=_figures(document),
        note=invoice.note or "",
    )


def sheet_of_note(document: Document, note: CreditNote) -> Sheet:
    """A credit note on a sheet of its own: what of its invoice is taken back, with its tax."""
    invoice, currency = document.invoice, note.currency
    whole = f"Part of invoice {number_of(invoice)}"
    parts = note.lines or [{"description": whole, "amount_minor": note.net_minor}]
    taxes = note.taxes or [{"name": "Tax", "amount_minor": note.tax_minor}]
    return Sheet(
        title=f"Credit note {note.number or note.provider_id or note.id}",
        status="",
        seller=_party(invoice.seller, invoice.seller.get("email", "")),
        buyer=_party(invoice.buyer, ""),
        facts=[
            ("Issued", date_of(note.created_at)),
            ("Corrects invoice", f"{number_of(invoice)} of {date_of(invoice.issued_at or invoice.created_at)}"),
            ("Returned", RETURNED[note.returned_to]),
        ],
        lines=[
            SheetLine(part["description"], note.reason, "1", amount, amount)
            for part in parts
            for amount in [cents(part["amount_minor"], currency)]
        ],
        figures=[
            Figure("Before tax", "", cents(note.net_minor, currency)),
            *(Figure(_name_of(tax), tax.get("number") or "", cents(tax["amount_minor"], currency)) for tax in taxes),
            Figure(f"Credited ({currency.upper()})", "", cents(note.total_minor, currency), "total"),
        ],
        note=invoice.note or "",
    )


def number_of(invoice: Invoice) -> str:
    """Its number; the provider's id of it where the provider gave none."""
    return invoice.number or invoice.provider_id or invoice.id


def date_of(instant: datetime) -> str:
    """A document's date, `4 Nov 2026`, in UTC."""
    return day_text(instant.astimezone(UTC).date())


def span(start: datetime | None, end: datetime | None) -> str:
    """A period in days, both included: `4 Nov 2026 to 3 Dec 2026`; nothing for none, or one without length.

    The day it ends on belongs to the next period, whatever the hour: otherwise two periods would seem to overlap.
    """
    if start is None or end is None or end <= start:
        return ""
    first, last = date_of(start), date_of(max(start, end - timedelta(days=1)))
    return first if first == last else f"{first} to {last}"


def tax_label(tax: InvoiceTax, currency: str) -> str:
    """`VAT 20% on $39.20`, with as much of it as is known."""
    if tax.reverse_charge:
        return f"{tax.name}, reverse charge"
    rate = "" if tax.rate_ppm is None else f" {percent(tax.rate_ppm)}%"
    return f"{tax.name}{rate}" + ("" if tax.base_minor is None else f" on {cents(tax.base_minor, currency)}")


def _party(told: Mapping[str, Any], email: str) -> Party:
    country = str(told.get("country") or "")
    lines = [*told.get("address", []), names().get(country, country)]
    if told.get("tax_id"):
        lines.append(f"Tax ID {told['tax_id']}")
    return Party(str(told.get("name") or ""), [str(line) for line in (*lines, email) if line])


def _facts(invoice: Invoice) -> list[tuple[str, str]]:
    facts = [("Issued", date_of(invoice.issued_at or invoice.created_at))]
    if invoice.status in ("paid", "refunded"):
        paid = ", ".join([*([date_of(invoice.paid_at)] if invoice.paid_at else []), *([invoice.paid_with or ""])])
        facts.append(("Paid", paid.removesuffix(", ")))
    elif invoice.status == "void":
        facts.append(("Void", date_of(invoice.voided_at) if invoice.voided_at else "Nothing to pay"))
    elif invoice.due_at:
        facts.append(("Due", date_of(invoice.due_at)))
    if period := span(invoice.period_start, invoice.period_end):
        facts.append(("For", period))
    return facts


def _lines(document: Document) -> list[SheetLine]:
    invoice = document.invoice
    whole = span(invoice.period_start, invoice.period_end)
    lines = [_line(line, invoice.currency, whole) for line in document.lines]
    if invoice.discount_minor:
        off = cents(-invoice.discount_minor, invoice.currency)
        lines.append(SheetLine(invoice.discount_name or "Discount", "", "1", off, off))
    return lines


def _line(line: InvoiceLine, currency: str, whole: str) -> SheetLine:
    period = span(line.period_start, line.period_end)
    return SheetLine(
        description=line.description,
        detail="" if period == whole else period,  # the sheet's head says it already
        quantity=f"{line.quantity:,}",
        price=_price(line, currency),
        amount=cents(line.amount_minor, currency),
    )


def _price(line: InvoiceLine, currency: str) -> str:
    """The price of one, where there is an exact one."""
    if line.unit_micros is not None:
        return exact(line.unit_micros, currency)
    each, rest = divmod(line.amount_minor, line.quantity or 1)
    return cents(each, currency) if not rest else ""


def _figures(document: Document) -> list[Figure]:
    invoice, currency = document.invoice, document.invoice.currency
    figures = [Figure("Before tax", "", cents(invoice.net_minor, currency))]
    figures += [_tax(tax, currency) for tax in document.taxes]
    if not document.taxes:
        figures.append(Figure("Tax", "", cents(invoice.tax_minor, currency)))
    figures.append(Figure(f"Total ({currency.upper()})", "", cents(invoice.total_minor, currency), "total"))
    if invoice.status == "void":
        figures.append(Figure("Void", "", _less(invoice.total_minor, currency)))
    else:
        figures.append(Figure("Paid", "", _less(invoice.paid_minor, currency)))
        if invoice.status == "open":
            figures += [_note(note) for note in document.credit_notes]
    return [*figures, Figure("To pay", "", cents(invoice.due_minor, currency), "sum")]


def _tax(tax: InvoiceTax, currency: str) -> Figure:
    return Figure(tax_label(tax, currency), tax.number or "", cents(tax.amount_minor, currency))


def _note(note: CreditNote) -> Figure:
    return Figure(f"Credit note {note.number or ''}".rstrip(), "", _less(note.total_minor, note.currency))


def _name_of(tax: Mapping[str, Any]) -> str:
    """A tax on a credit note: `VAT 20%`."""
    rate = tax.get("rate_ppm")
    return f"{tax['name']} {percent(rate)}%" if rate else str(tax["name"])


def _less(minor: int, currency: str) -> str:
    return exact(-minor_to_micros(minor, currency), currency)
