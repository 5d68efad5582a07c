"""Orders in words: what was bought, how it stands, what it came to, and where its papers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from sqlalchemy.orm import Session

from app import credits, ledger
from app.http.filters import cents, credit_count
from app.invoices import Invoice
from app.payments.models import Order, Refund
from app.payments.titles import title_of
from app.web.waiting import Line

STATES = {
    "pending": "Waiting",
    "open": "Open",
    "processing": "Processing",
    "paid": "Paid",
    "failed": "Payment failed",
    "expired": "Expired",
    "canceled": "Canceled",
}
_HAPPENED = {
    "order.opened": "Ordered",
    "order.processing": "Payment on its way",
    "order.paid": "Paid",
    "wallet.topped_up": "Paid",
    "order.paid_twice": "Paid a second time",
    "order.failed": "Payment failed",
    "order.expired": "Nobody paid in time",
    "order.canceled": "Canceled",
}


@dataclass(frozen=True)
class OrderRow:
    """One order in the list. Amounts in minor units of `currency`, before tax; `note` stands under the status."""

    id: str
    title: str
    at: datetime
    status: str
    note: str
    due_minor: int
    currency: str
    invoice: Invoice | None


@dataclass(frozen=True)
class Movement:
    """What an order moved in the books: words, the entry, and the page that lists it."""

    label: str
    entry_id: str
    href: str


def row_of(order: Order, its_invoices: Mapping[str, Invoice], gone_back: Sequence[Refund] = ()) -> OrderRow:
    back = sum(refund.net_minor for refund in gone_back if refund.is_taken)
    note = ("Refunded" if back >= order.due_minor else "Partly refunded") if back else ""
    return OrderRow(
        id=order.id,
        title=title_of(order),
        at=order.created_at,
        status=STATES[order.state],
        note=order.failure or "" if order.state == "failed" else note,
        due_minor=order.due_minor,
        currency=order.currency,
        invoice=its_invoices.get(order.id),
    )


def bill_of(order: Order, invoice: Invoice | None) -> list[Line]:
    """What it came to: the price, what a coupon took off, and what was paid, with the tax of its invoice."""
    said, price = order.request, order.request.get("price_minor", order.amount_minor)
    lines: list[Line] = [(title_of(order), cents(price, order.currency), "")]
    off = price - order.due_minor
    if off:
        lines.append((f"Coupon {said.get('coupon')}", cents(-off, order.currency), ""))
    elif said.get("coupon"):
        bonus = said.get("bonus_credits")
        lines.append((f"Coupon {said['coupon']}", credit_count(bonus, sign=True) if bonus else "Applied", ""))
    taxed = invoice if invoice is not None and invoice.tax_minor and invoice.order_id == order.id else None
    if taxed is not None:
        lines.append(("Tax", cents(taxed.tax_minor, taxed.currency), ""))
        return [*lines, ("Charged", cents(taxed.total_minor, taxed.currency), "")]
    word = "Charged" if order.state == "paid" else "To pay"
    return [*lines, (f"{word}, before tax", cents(order.due_minor, order.currency), "")]


def movement_of(session: Session, order: Order) -> Movement | None:
    """Its entry in the wallet's or the credits' history; None where it moved nothing there."""
    if order.kind in ("topup", "auto_topup") and order.payment_id:
        entry = ledger.find_entry(session, order.customer_id, f"topup:{order.channel}:{order.payment_id}")
        return Movement("Wallet transaction", entry.id, url_for("wallet.show", _anchor="ledger")) if entry else None
    if order.kind == "pack" and order.payment_id:
        channel = "" if order.payment_id.startswith("coupon:") else f"{order.channel}:"
        grant = credits.find_grant(session, order.customer_id, f"pack:{channel}{order.payment_id}")
        return (
            Movement("Credit transaction", grant.entry_id, url_for("credits.show", _anchor="history"))
            if grant
            else None
        )
    return None


def happened(action: str) -> str:
    """A line of the audit log in words; "" for one that says nothing to a customer."""
    return _HAPPENED.get(action, "")
