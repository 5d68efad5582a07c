"""Telling the host product that an invoice was paid, or that a try to collect it failed (SPEC §12.4)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app import clock, outgoing
from app.invoices.models import Invoice


def paid(session: Session, invoice: Invoice) -> None:
    """Emit `invoice.paid`, once for each invoice, in the transaction in which it became so."""
    outgoing.emit(session, invoice.customer_id, "invoice.paid", lambda: _facts(invoice), key=invoice.id)


def failed(session: Session, invoice: Invoice) -> None:
    """Emit `payment.failed`, once for each try."""
    key = f"{invoice.id}:{invoice.attempts}"
    outgoing.emit(session, invoice.customer_id, "payment.failed", lambda: _failure(invoice), key=key)


def _failure(invoice: Invoice) -> dict[str, Any]:
    again = clock.timestamp(invoice.next_attempt_at) if invoice.next_attempt_at else None
    return {"for": "invoice", **_facts(invoice), "reason": invoice.failure, "next_attempt_at": again}


def _facts(invoice: Invoice) -> dict[str, Any]:
    return {
        "invoice": invoice.id,
        "number": invoice.number,
        "status": invoice.status,
        "about": invoice.reason,
        "subscription": invoice.subscription_id,
        "order": invoice.order_id,
        "total_minor": invoice.total_minor,
        "paid_minor": invoice.paid_minor,
        "currency": invoice.currency,
        "paid_at": clock.timestamp(invoice.paid_at) if invoice.paid_at else None,
    }
