"""What becomes of our own invoices once they are finalised: paid, failed, void. Only payment fields change."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app import activity, clock
from app.errors import Conflict
from app.invoices import told
from app.invoices.models import OURS, Invoice


class InvoiceNotOpen(Conflict):
    """The invoice is void, a draft, or paid by something else. Details: status."""

    code = "INVOICE_NOT_OPEN"


def mark_paid(
    session: Session, invoice: Invoice, *, paid_with: str, payment_id: str | None, at: datetime, actor: str = "system"
) -> Invoice:
    """It is paid in full: `paid_with` says how to people ("Wallet"), `payment_id` to programs. Once per payment.

    An invoice of nothing is paid when it is finalised, and stays so. Raises InvoiceNotOpen for one that is void, a
    draft, or paid by another payment.
    """
    _lock(session, invoice)
    if invoice.status in ("paid", "refunded") and (invoice.payment_id == payment_id or not invoice.total_minor):
        return invoice
    _must_be(invoice, "open", "uncollectible")
    invoice.paid_minor = invoice.total_minor - invoice.credited_minor
    invoice.status, invoice.paid_at = "paid", at
    invoice.paid_with, invoice.payment_id = paid_with, payment_id
    invoice.next_attempt_at = invoice.failure = None
    session.flush()
    facts = {"number": invoice.number, "paid_minor": invoice.paid_minor, "payment": payment_id}
    activity.record(session, actor, "invoice.paid", invoice.id, customer_id=invoice.customer_id, **facts)
    told.paid(session, invoice)
    return invoice


def mark_failed(
    session: Session, invoice: Invoice, *, failure: str, next_attempt_at: datetime | None, actor: str = "system"
) -> Invoice:
    """A try to collect it failed: `failure` is a sentence for people, `next_attempt_at` when we try again, if we do."""
    _lock(session, invoice)
    _must_be(invoice, "open", "uncollectible")
    invoice.attempts += 1
    invoice.failure, invoice.failed_at, invoice.next_attempt_at = failure, clock.now(), next_attempt_at
    session.flush()
    facts = {"number": invoice.number, "attempt": invoice.attempts, "failure": failure}
    activity.record(session, actor, "invoice.failed", invoice.id, customer_id=invoice.customer_id, **facts)
    told.failed(session, invoice)
    return invoice


def void(session: Session, invoice: Invoice, *, actor: str = "system") -> Invoice:
    """Nobody is to pay it any more; it keeps its number. Once. Raises InvoiceNotOpen for a paid one or a draft."""
    _lock(session, invoice)
    if invoice.status == "void":
        return invoice
    _must_be(invoice, "open", "uncollectible")
    invoice.status, invoice.voided_at, invoice.next_attempt_at = "void", clock.now(), None
    session.flush()
    activity.record(
        session, actor, "invoice.voided", invoice.id, customer_id=invoice.customer_id, number=invoice.number
    )
    return invoice


def mark_refunded(invoice: Invoice) -> None:
    """After a credit note: an invoice that is taken back in full is refunded, or void where nobody had paid it."""
    if invoice.credited_minor < invoice.total_minor:
        return
    if invoice.status == "paid":
        invoice.status = "refunded"
    elif invoice.status in ("open", "uncollectible"):
        invoice.status, invoice.voided_at, invoice.next_attempt_at = "void", clock.now(), None


def _lock(session: Session, invoice: Invoice) -> None:
    session.refresh(invoice, with_for_update=True)
    assert invoice.source == OURS, "a provider's invoice is changed by its provider"


def _must_be(invoice: Invoice, *statuses: str) -> None:
    if invoice.status not in statuses:
        words = f"Invoice {invoice.number} is {invoice.status}." if invoice.number else "This invoice is a draft."
        raise InvoiceNotOpen(words, status=invoice.status)
