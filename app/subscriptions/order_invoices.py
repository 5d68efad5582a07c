"""The invoice that each purchase left: known by its order, by its subscription, or paid by it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.invoices import Invoice, reads
from app.payments.models import Order
from app.subscriptions import lifecycle


def invoices_of(session: Session, customer_id: str, orders: Sequence[Order]) -> dict[str, Invoice]:
    """The invoice of each of these orders that has one, by the order's id. Only those of plans cost a query each."""
    found = reads.by_order(session, customer_id, [order.id for order in orders])
    for order in orders:
        its = _otherwise(session, order) if order.id not in found else None
        if its is not None and its.status != "draft":
            found[order.id] = its
    return found


def _otherwise(session: Session, order: Order) -> Invoice | None:
    if order.kind == "invoice":
        return session.get(Invoice, (order.customer_id, order.request.get("invoice", "")))
    if order.kind != "subscription" or order.payment_id is None:
        return None
    bought = lifecycle.by_provider_id(session, order.channel, order.payment_id)
    mine = bought is not None and bought.customer_id == order.customer_id
    return reads.first_of(session, order.customer_id, bought.id) if bought is not None and mine else None
