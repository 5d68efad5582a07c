"""Credit notes: the only way a finalised invoice is corrected (SPEC I3)."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import activity, ids
from app.errors import IdempotencyKeyReused, Invalid
from app.invoices import arithmetic, numbers, seller
from app.invoices.models import OURS, CreditNote, Invoice, InvoiceTax
from app.invoices.payment import InvoiceNotOpen, mark_refunded

ReturnedTo = Literal["wallet", "payment_method", "nowhere"]


class MoreThanInvoiced(Invalid):
    """Credit notes would come to more than their invoice. Details: left_minor, what can still be credited, net."""

    code = "MORE_THAN_INVOICED"


def credit(
    session: Session,
    invoice: Invoice,
    *,
    net_minor: int,
    reason: str,
    returned_to: ReturnedTo,
    key: str,
    actor: str = "system",
) -> CreditNote:
    """Take back `net_minor` (minor units, before tax) of a finalised invoice of ours, and the tax on it. Once per key.

    The tax goes back pro rata, and with the last cent of the net exactly what is left of it. Moves no money: the caller
    does, in the same transaction, by the note's `total_minor`. Raises MoreThanInvoiced, InvoiceNotOpen for a draft or
    void invoice, IdempotencyKeyReused for the same key with another amount.
    """
    session.refresh(invoice, with_for_update=True)
    assert invoice.source == OURS, "a provider's invoice is credited by its provider"
    if note := _made_before(session, invoice, key):
        if (note.net_minor, note.returned_to) != (net_minor, returned_to):
            raise IdempotencyKeyReused("This correction was already made with another amount.")
        return note
    if invoice.status in ("draft", "void"):
        raise InvoiceNotOpen("Only an issued invoice can be credited.", status=invoice.status)
    before = _credited(session, invoice)
    if not 0 < net_minor <= invoice.net_minor - before:
        left = invoice.net_minor - before
        raise MoreThanInvoiced("That is more than is left of the invoice.", left_minor=left, field="amount")
    note = _note(session, invoice, net_minor, _taxes(session, invoice, before, net_minor))
    note.key, note.reason, note.returned_to = key, reason, returned_to
    session.add(note)
    session.flush()
    invoice.credited_minor += note.total_minor
    mark_refunded(invoice)
    session.flush()
    told = {"invoice": invoice.number, "number": note.number, "total_minor": note.total_minor, "reason": reason}
    activity.record(session, actor, "invoice.credited", note.id, customer_id=invoice.customer_id, **told)
    return note


def left_to_credit(session: Session, invoice: Invoice) -> int:
    """What of its net can still be credited, in minor units."""
    return invoice.net_minor - _credited(session, invoice)


def tax_on(session: Session, invoice: Invoice, net_minor: int) -> int:
    """The tax that would go back with so much of its net now."""
    taxes = _taxes(session, invoice, _credited(session, invoice), net_minor)
    return sum(int(line["amount_minor"]) for line in taxes)


def _made_before(session: Session, invoice: Invoice, key: str) -> CreditNote | None:
    mine = (CreditNote.customer_id == invoice.customer_id, CreditNote.source == OURS, CreditNote.key == key)
    return session.scalars(select(CreditNote).where(*mine)).one_or_none()


def _credited(session: Session, invoice: Invoice) -> int:
    its = (CreditNote.customer_id == invoice.customer_id, CreditNote.invoice_id == invoice.id)
    return int(session.scalar(select(func.coalesce(func.sum(CreditNote.net_minor), 0)).where(*its)) or 0)


def _taxes(session: Session, invoice: Invoice, before: int, now: int) -> list[dict[str, Any]]:
    its = (InvoiceTax.customer_id == invoice.customer_id, InvoiceTax.invoice_id == invoice.id)
    return [
        {
            "name": line.name,
            "rate_ppm": line.rate_ppm,
            "number": line.number,
            "base_minor": now,
            "amount_minor": arithmetic.share_of_tax(line.amount_minor, invoice.net_minor, before, now),
            "reverse_charge": line.reverse_charge,
        }
        for line in session.scalars(select(InvoiceTax).where(*its).order_by(InvoiceTax.position))
    ]


def _note(session: Session, invoice: Invoice, net: int, taxes: list[dict[str, Any]]) -> CreditNote:
    number, at = numbers.give(session, seller.current().credit_note_prefix)
    tax = sum(line["amount_minor"] for line in taxes)
    return CreditNote(
        customer_id=invoice.customer_id,
        id=ids.new("cn"),
        invoice_id=invoice.id,
        source=OURS,
        number=number,
        currency=invoice.currency,
        net_minor=net,
        tax_minor=tax,
        total_minor=net + tax,
        lines=[{"description": f"Part of invoice {invoice.number}", "amount_minor": net}],
        taxes=taxes,
        created_at=at,
    )
