"""The mirror: a provider's invoices as it tells them, whole, with lines, taxes and credit notes (SPEC I1, I2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.invoices import seller, told
from app.invoices.models import CreditNote, Invoice, InvoiceLine, InvoiceTax
from app.money import minor_to_micros
from app.providers.billing import CreditNoteDoc, InvoiceDoc

PPM = 10_000  # of one percent
# What a provider says of an invoice only ever moves in this direction.
_RANK = {"draft": 0, "open": 1, "uncollectible": 2, "paid": 3, "void": 3, "refunded": 4}


def mirror(
    session: Session,
    *,
    customer_id: str,
    channel: str,
    doc: InvoiceDoc,
    subscription_id: str | None = None,
    order_id: str | None = None,
    version: datetime | None = None,
    paid_with: str | None = None,
) -> Invoice:
    """Keep this snapshot in place of an older one; an older one than we have changes nothing.

    `version` is when it was true: the instant before it was asked for, or the event's; None means just now. Lines and
    taxes are replaced as a whole, unless the snapshot is not `complete` and we have them already. `subscription_id` and
    `order_id` are ours, `paid_with` words for people ("Visa ending in 4242").
    """
    seen = version or clock.now()
    invoice, is_new = _row(session, customer_id, channel, doc, seen)
    older = invoice.provider_version is not None and seen < invoice.provider_version
    if not is_new and (older or _RANK[_status(doc)] < _RANK[invoice.status]):
        return invoice
    before, attempts = ("", 0) if is_new else (invoice.status, invoice.attempts)
    whole = doc.complete or is_new
    _fill(invoice, doc, seen)
    invoice.subscription_id = subscription_id or invoice.subscription_id
    invoice.order_id = order_id or invoice.order_id
    invoice.reason = _reason(doc, invoice.order_id)
    invoice.paid_with = paid_with or invoice.paid_with
    session.flush()
    if whole:
        _replace_parts(session, invoice, doc)
    for note in doc.credit_notes or ():
        _keep_note(session, invoice, note)
    session.flush()
    if invoice.status not in (before, "draft"):
        facts = {"number": invoice.number, "total_minor": invoice.total_minor, "currency": invoice.currency}
        action = "invoice.finalised" if invoice.status == "open" else f"invoice.{invoice.status}"
        activity.record(session, channel, action, invoice.id, customer_id=customer_id, **facts)
    _tell(session, invoice, before=before, attempts=attempts)
    return invoice


def _tell(session: Session, invoice: Invoice, *, before: str, attempts: int) -> None:
    if invoice.status == "paid" != before:
        told.paid(session, invoice)
    if invoice.status == "open" and invoice.attempts > attempts:
        told.failed(session, invoice)


def _row(session: Session, customer_id: str, channel: str, doc: InvoiceDoc, seen: datetime) -> tuple[Invoice, bool]:
    """Our row for it, locked until the commit, and whether it was made just now."""
    first = {
        "customer_id": customer_id, "id": ids.new("inv"), "source": channel, "provider_id": doc.id, "key": doc.id,
        "provider_version": seen, "status": "draft", "reason": "other", "currency": doc.currency, "subtotal_minor": 0,
        "discount_minor": 0, "tax_minor": 0, "total_minor": 0, "paid_minor": 0, "credited_minor": 0, "buyer": {},
        "seller": seller.current().snapshot(), "created_at": doc.created, "attempts": 0,
    }  # fmt: skip
    mine = insert(Invoice).values(first).on_conflict_do_nothing(index_elements=["customer_id", "source", "key"])
    made = session.scalar(mine.returning(Invoice.id))
    query = select(Invoice).where(Invoice.customer_id == customer_id, Invoice.source == channel, Invoice.key == doc.id)
    row = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()
    return row, made is not None


def _fill(invoice: Invoice, doc: InvoiceDoc, seen: datetime) -> None:
    if doc.attempts > invoice.attempts and _status(doc) == "open":
        invoice.failed_at = seen
        invoice.failure = "The payment did not go through."
    if doc.status == "void" and invoice.voided_at is None:
        invoice.voided_at = seen
    invoice.provider_version, invoice.number, invoice.status = seen, doc.number, _status(doc)
    # Before tax: where the provider's prices include it, so does its subtotal, and ours never does.
    invoice.subtotal_minor = doc.total - doc.tax + doc.discount
    invoice.discount_minor, invoice.tax_minor, invoice.total_minor = doc.discount, doc.tax, doc.total
    _fill_payments(invoice, doc)
    invoice.buyer = _buyer(doc)
    invoice.issued_at, invoice.paid_at = doc.finalized_at, doc.paid_at
    invoice.due_at = doc.finalized_at
    invoice.attempts, invoice.next_attempt_at = doc.attempts, doc.next_attempt
    invoice.payment_id = next(iter(doc.payment_ids), invoice.payment_id)
    invoice.hosted_url, invoice.pdf_url = doc.hosted_url, doc.pdf_url
    periods = [line for line in doc.lines if line.period_end is not None and not line.proration]
    if periods:
        invoice.period_start, invoice.period_end = periods[-1].period_start, periods[-1].period_end
    invoice.note = _note(doc)


def _fill_payments(invoice: Invoice, doc: InvoiceDoc) -> None:
    """What of it is paid, from a card or a credit balance, and what credit notes took back, before payment or after."""
    if doc.credit_notes is not None:
        invoice.credited_minor = sum(note.total for note in doc.credit_notes)
    elif doc.credited > invoice.credited_minor:
        invoice.credited_minor = doc.credited
    before_payment = max(0, invoice.credited_minor - doc.credited)
    owed = doc.status in ("open", "paid", "uncollectible")
    invoice.paid_minor = max(0, doc.total - doc.amount_remaining - before_payment) if owed else doc.amount_paid


def _status(doc: InvoiceDoc) -> str:
    """What the provider says, and "refunded" where credit notes took back all that was paid."""
    return "refunded" if doc.status == "paid" and doc.credited >= doc.total > 0 else doc.status


def _reason(doc: InvoiceDoc, order_id: str | None) -> str:
    if doc.reason.startswith("subscription_"):
        return doc.reason
    kind = doc.metadata.get("kind", "")
    if kind == "credit_pack":
        return "pack"
    return "topup" if order_id or kind == "topup" else "other"


def _note(doc: InvoiceDoc) -> str | None:
    names = " and ".join(tax.name for tax in doc.taxes if tax.reverse_charge)
    return f"Reverse charge: {names} is to be accounted for by the recipient." if names else None


def _buyer(doc: InvoiceDoc) -> dict[str, Any]:
    return {
        "name": doc.buyer.name or "",
        "email": doc.buyer.email or "",
        "address": list(doc.buyer.address[:-1] if doc.buyer.country else doc.buyer.address),
        "country": doc.buyer.country or "",
        "tax_id": ", ".join(doc.buyer.tax_ids),
    }


def _replace_parts(session: Session, invoice: Invoice, doc: InvoiceDoc) -> None:
    """The lines and taxes of this snapshot and no others."""
    for model in (InvoiceLine, InvoiceTax):
        its = (model.customer_id == invoice.customer_id, model.invoice_id == invoice.id)
        session.execute(delete(model).where(*its).execution_options(synchronize_session="fetch"))
    mine = {"customer_id": invoice.customer_id, "invoice_id": invoice.id}
    session.add_all(
        InvoiceLine(
            **mine,
            position=place,
            description=line.description,
            quantity=line.quantity,
            unit_micros=None,
            amount_micros=minor_to_micros(line.amount, doc.currency),
            amount_minor=line.amount,
            discount_minor=0,
            is_proration=line.proration,
            period_start=line.period_start,
            period_end=line.period_end,
        )
        for place, line in enumerate(doc.lines)
    )
    session.add_all(
        InvoiceTax(
            **mine,
            position=place,
            name=tax.name,
            rate_ppm=ppm(tax.percent),
            number=None,
            base_minor=None,
            amount_minor=tax.amount,
            reverse_charge=tax.reverse_charge,
        )
        for place, tax in enumerate(doc.taxes)
    )


def ppm(percent: str | None) -> int | None:
    """A rate as the law writes it in parts per million: "8.25" is 82,500. None where it is not told or too fine."""
    whole, _, part = (percent or "").partition(".")
    if not whole.isascii() or not whole.isdigit() or len(part) > 4 or (part and not part.isdigit()):
        return None
    return int(whole) * PPM + int(part.ljust(4, "0"))


def _keep_note(session: Session, invoice: Invoice, note: CreditNoteDoc) -> None:
    """A provider's credit note, once: like ours it never changes."""
    row: dict[str, Any] = {
        "customer_id": invoice.customer_id, "id": ids.new("cn"), "invoice_id": invoice.id, "source": invoice.source,
        "provider_id": note.id, "number": note.number, "key": note.id, "reason": "", "currency": note.currency,
        "net_minor": note.total - note.tax, "tax_minor": note.tax, "total_minor": note.total,
        "returned_to": "payment_method" if invoice.paid_minor else "nowhere", "lines": [], "taxes": [],
        "created_at": note.created, "pdf_url": note.pdf_url,
    }  # fmt: skip
    once = insert(CreditNote).values(row).on_conflict_do_nothing(index_elements=["customer_id", "source", "key"])
    session.execute(once)
