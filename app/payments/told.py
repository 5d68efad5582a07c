"""Telling the host product that a purchase was not paid for (SPEC §12.4)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import outgoing
from app.payments.models import Order

_BY_INVOICE = "invoice"  # of these the invoice itself tells


def failed(session: Session, order: Order) -> None:
    """Emit `payment.failed`, once for each order."""
    if order.kind == _BY_INVOICE:
        return
    told = {
        "for": order.kind,
        "order": order.id,
        "amount_minor": order.amount_minor,
        "currency": order.currency,
        "reason": order.failure,
    }
    outgoing.emit(session, order.customer_id, "payment.failed", told, key=order.id)
