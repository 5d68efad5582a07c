"""Where the money behind an invoice came from: its own payment, and those of the invoices whose lines it credited.

After an upgrade the invoice of the new plan was paid in part with what was left of the old one. Giving back its unused
share to the card can so take more than its own payment: the rest sits in the payment before it.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.providers.stripe import reading
from app.providers.stripe.body import id_of
from app.providers.stripe.connection import Connection, Json


@dataclass(frozen=True, slots=True)
class Source:
    """A payment of a paid invoice, and how much of it can still go back to the card, in minor units."""

    invoice_id: str
    payment_id: str | None
    left: int
    is_paid: bool


def of_invoice(stripe: Connection, invoice_id: str) -> list[Source]:
    """Its own payment first, then further and further back."""
    found: list[Source] = []
    names = [invoice_id]
    for name in names:  # grows while it is walked
        invoice = reading.fetch_invoice(stripe, name)
        found.append(_source(stripe, invoice))
        names += [each for each in _credited(invoice) if each not in names]
    return found


def credited_line(line: Json) -> tuple[str, str] | None:
    """The invoice and the line of it that a proration gives back; None for any other line."""
    parent = (line.get("parent") or {}).get("subscription_item_details") or {}
    credited = (parent.get("proration_details") or {}).get("credited_items") or {}
    origins = credited.get("invoice_line_items") or []
    if line["amount"] >= 0 or not parent.get("proration") or not origins:
        return None
    return str(id_of(credited["invoice"])), origins[0]


def refunds_of(stripe: Connection, payment_id: str) -> list[Json]:
    """The refunds of a payment that were not turned down."""
    found = stripe.pages(lambda v1, page: v1.refunds.list({"payment_intent": payment_id, **page}))
    return [refund for refund in found if refund["status"] not in ("failed", "canceled")]


def _credited(invoice: Json) -> list[str]:
    found = (credited_line(line) for line in invoice["lines"]["data"])
    return list(dict.fromkeys(each[0] for each in found if each))


def _source(stripe: Connection, invoice: Json) -> Source:
    tried = reading.payment_of(stripe, invoice) if invoice["amount_paid"] else None
    if invoice["status"] != "paid" or tried is None:
        return Source(invoice["id"], None, 0, invoice["status"] == "paid")
    given = sum(refund["amount"] for refund in refunds_of(stripe, tried["id"]))
    noted = invoice.get("post_payment_credit_notes_amount") or 0
    return Source(invoice["id"], tried["id"], max(0, invoice["amount_paid"] - max(given, noted)), True)
