"""The shapes in which the API tells invoices. Amounts are in the currency's minor units, cents for the dollar."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from app.api.answers import Instant
from app.api.values import Answer
from app.clock import timestamp
from app.invoices import CreditNote, Invoice, InvoiceLine, InvoiceTax
from app.invoices.models import REASONS
from app.invoices.rates import percent
from app.invoices.reads import Document, Row

InvoiceStatus = Literal["open", "paid", "refunded", "void", "uncollectible"]


class ListedInvoice(Answer):
    """An invoice in a list. `subtotal_cents` less `discount_cents` plus `tax_cents` is `total_cents`."""

    id: str = Field(examples=["inv_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    number: str | None = Field(description="Null where its provider gave it none.", examples=["INV-2026-0009"])
    status: InvoiceStatus
    type: str = Field(
        description="What it is for.", examples=["subscription_cycle"], json_schema_extra={"enum": list(REASONS)}
    )
    description: str = Field(description="Its first line.", examples=["Growth, monthly"])
    currency: str = Field(examples=["usd"])
    subtotal_cents: int = Field(examples=[24900])
    discount_cents: int = Field(examples=[0])
    tax_cents: int = Field(examples=[4980])
    total_cents: int = Field(examples=[29880])
    due_cents: int = Field(description="What is still to be paid.", examples=[0])
    issued_at: Instant
    paid_at: Instant | None
    period_start: Instant | None
    period_end: Instant | None


class InvoicesAnswer(Answer):
    """A page of invoices, newest first."""

    count: int = Field(description="How many there are in all, with the status asked for.", examples=[1])
    page: int = Field(description="The page asked for; 1 with a cursor.", examples=[1])
    pages: int = Field(description="How many pages of this size there are.", examples=[1])
    limit: int = Field(examples=[50])
    invoices: list[ListedInvoice]
    next_cursor: str | None = Field(description="Ask for `cursor` with this to go on; null at the end.")


class LineAnswer(Answer):
    """One line, before tax. A negative amount is a credit, for the rest of an earlier plan for example."""

    description: str = Field(examples=["Growth, monthly"])
    quantity: int = Field(examples=[1])
    unit_price_micros: int | None = Field(
        description="The exact price of one, where there is one.", examples=[249000000]
    )
    amount_cents: int = Field(examples=[24900])
    discount_cents: int = Field(description="The part of the discount that is for this line.", examples=[0])
    proration: bool = Field(description="For a part of a period.", examples=[False])
    period_start: Instant | None
    period_end: Instant | None


class TaxAnswer(Answer):
    """One tax. `percent` and `base_cents` are null where a provider computed it and does not tell them."""

    name: str = Field(examples=["VAT"])
    percent: str | None = Field(description="As the law writes it.", examples=["20"])
    registration: str | None = Field(description="The seller's number for it.", examples=["GB123456789"])
    base_cents: int | None = Field(examples=[24900])
    amount_cents: int = Field(examples=[4980])
    reverse_charge: bool = Field(description="The buyer owes it.", examples=[False])


class PaymentAnswer(Answer):
    """How it was paid, or why not."""

    status: Literal["paid", "open", "failed", "nothing_due"]
    paid_cents: int = Field(examples=[29880])
    credited_cents: int = Field(description="Taken back by credit notes.", examples=[0])
    method: str | None = Field(description="In words.", examples=["Wallet"])
    reference: str | None = Field(description="The wallet's transaction, or the provider's payment.")
    attempts: int = Field(examples=[1])
    next_attempt_at: Instant | None
    failure: str | None = Field(description="Why the last try failed, in words.")
    url: str | None = Field(description="The provider's page to pay or see it, for its own invoices.")


class CreditNoteAnswer(Answer):
    """A credit note."""

    id: str = Field(examples=["cn_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    number: str | None = Field(examples=["CN-2026-0001"])
    reason: str = Field(examples=["Unused time"])
    net_cents: int = Field(examples=[900])
    tax_cents: int = Field(examples=[180])
    total_cents: int = Field(examples=[1080])
    returned_to: Literal["wallet", "payment_method", "nowhere"]
    created_at: Instant


class PartyAnswer(Answer):
    """Seller or buyer, as it stands on the invoice."""

    name: str = Field(examples=["Alder & Finch Ltd"])
    address: list[str] = Field(examples=[["48 Mill Road", "Leeds LS9 8AX"]])
    country: str = Field(description="Two letters, or empty.", examples=["GB"])
    tax_id: str = Field(examples=["GB987654321"])


class InvoiceAnswer(ListedInvoice):
    """One invoice with everything on it."""

    note: str | None = Field(description="A sentence the law wants, about reverse charge for example.")
    seller: PartyAnswer
    buyer: PartyAnswer
    lines: list[LineAnswer]
    taxes: list[TaxAnswer]
    payment: PaymentAnswer
    credit_notes: list[CreditNoteAnswer]


def listed(row: Row) -> ListedInvoice:
    return ListedInvoice(**_head(row.invoice, row.title))


def invoice_of(document: Document) -> InvoiceAnswer:
    invoice = document.invoice
    title = next((line.description for line in document.lines if line.amount_minor >= 0), "")
    return InvoiceAnswer(
        **_head(invoice, title),
        note=invoice.note,
        seller=_side(invoice.seller),
        buyer=_side(invoice.buyer),
        lines=[_line(line) for line in document.lines],
        taxes=[_tax(tax) for tax in document.taxes],
        payment=_payment(invoice),
        credit_notes=[_correction(note) for note in document.credit_notes],
    )


def _head(invoice: Invoice, title: str) -> dict[str, Any]:
    return {
        "id": invoice.id,
        "number": invoice.number,
        "status": invoice.status,
        "type": invoice.reason,
        "description": title,
        "currency": invoice.currency,
        "subtotal_cents": invoice.subtotal_minor,
        "discount_cents": invoice.discount_minor,
        "tax_cents": invoice.tax_minor,
        "total_cents": invoice.total_minor,
        "due_cents": invoice.due_minor,
        "issued_at": timestamp(invoice.issued_at or invoice.created_at),
        "paid_at": _at(invoice.paid_at),
        "period_start": _at(invoice.period_start),
        "period_end": _at(invoice.period_end),
    }


def _at(instant: datetime | None) -> str | None:
    return timestamp(instant) if instant else None


def _side(told: dict[str, Any]) -> PartyAnswer:
    return PartyAnswer(
        name=told.get("name", ""),
        address=told.get("address", []),
        country=told.get("country", ""),
        tax_id=told.get("tax_id", ""),
    )


def _line(line: InvoiceLine) -> LineAnswer:
    return LineAnswer(
        description=line.description,
        quantity=line.quantity,
        unit_price_micros=line.unit_micros,
        amount_cents=line.amount_minor,
        discount_cents=line.discount_minor,
        proration=line.is_proration,
        period_start=_at(line.period_start),
        period_end=_at(line.period_end),
    )


def _tax(tax: InvoiceTax) -> TaxAnswer:
    return TaxAnswer(
        name=tax.name,
        percent=None if tax.rate_ppm is None else percent(tax.rate_ppm),
        registration=tax.number,
        base_cents=tax.base_minor,
        amount_cents=tax.amount_minor,
        reverse_charge=tax.reverse_charge,
    )


def _payment(invoice: Invoice) -> PaymentAnswer:
    status: Literal["paid", "open", "failed", "nothing_due"] = "nothing_due"
    if invoice.status in ("paid", "refunded") and invoice.total_minor:
        status = "paid"
    elif invoice.status == "uncollectible" or (invoice.due_minor and invoice.failed_at):
        status = "failed"
    elif invoice.due_minor:
        status = "open"
    return PaymentAnswer(
        status=status,
        paid_cents=invoice.paid_minor,
        credited_cents=invoice.credited_minor,
        method=invoice.paid_with,
        reference=invoice.payment_id,
        attempts=invoice.attempts,
        next_attempt_at=_at(invoice.next_attempt_at),
        failure=invoice.failure if status == "failed" else None,
        url=invoice.hosted_url,
    )


def _correction(note: CreditNote) -> CreditNoteAnswer:
    return CreditNoteAnswer(
        id=note.id,
        number=note.number,
        reason=note.reason,
        net_cents=note.net_minor,
        tax_cents=note.tax_minor,
        total_cents=note.total_minor,
        returned_to=note.returned_to,  # type: ignore[arg-type]  # the table's CHECK allows these three words only
        created_at=timestamp(note.created_at),
    )
