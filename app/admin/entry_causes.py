"""What caused an entry, as far as the entry itself says: the order, payment, webhook, refund or person behind it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from sqlalchemy.orm import Session

from app.admin import words
from app.ledger import HOUSE, Entry
from app.payments import reads

# What an entry's data may name, in the order it is shown; what has a page of its own is a link to it.
_NAMED = {
    "order": "Order",
    "invoice": "Invoice",
    "number": "Invoice number",
    "refund": "Refund",
    "dispute": "Dispute",
    "call": "Model call",
    "pack": "Pack",
    "grant": "Grant of credits",
    "redemption": "Coupon redeemed",
    "meter": "Meter",
    "day": "Day of usage",
    "model": "Model",
    "ticket": "Ticket",
}
_HOLD = "settle:"


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing behind an entry; `href` is empty where it has no page of its own."""

    what: str
    name: str
    href: str = ""


def causes_of(session: Session, entry: Entry) -> list[Cause]:
    """Everything that an entry's data and key name."""
    found = [
        Cause(label, str(entry.data[name]), _page(name, entry)) for name, label in _NAMED.items() if name in entry.data
    ]
    found += _payment(session, entry)
    if entry.key.startswith(_HOLD):
        found.append(Cause("Hold", entry.key.removeprefix(_HOLD)))
    if by := entry.data.get("by"):
        found.append(Cause("By", words.names_of(session, [str(by)])[str(by)]))
    if entry.reverses:
        undone = url_for("admin_ledger.entry", customer_id=entry.customer_id, entry_id=entry.reverses)
        found.append(Cause("Undoes", entry.reverses, undone))
    return found


def _payment(session: Session, entry: Entry) -> list[Cause]:
    """The payment that a provider told of, and the webhook it told it with."""
    channel, payment_id = entry.data.get("channel"), entry.data.get("payment")
    if not channel or not payment_id:
        return []
    found = [Cause("Payment", f"{payment_id}, {str(channel).capitalize()}")]
    payment = reads.payment(session, str(channel), str(payment_id))
    if payment is not None and payment.event_id:
        found.append(Cause("Webhook", payment.event_id, url_for("admin_webhooks.show", event_id=payment.event_id)))
    return found


def _page(name: str, entry: Entry) -> str:
    if name == "refund":
        return url_for("admin_refunds.show", refund_id=entry.data[name])
    if name == "dispute":
        return url_for("admin_disputes.show", dispute_id=entry.data[name])
    if name in ("order", "invoice") and entry.customer_id != HOUSE:
        return url_for("admin_customers.show", customer_id=entry.customer_id) + f"#{name}s"
    return ""
