"""Where the money behind an invoice came from: its own payment, and those of the invoices whose lines it credited.

After an upgrade the invoice of the new plan was paid in part with what was left of the old one. Giving back its unused
share can so take more than the invoice itself came to: the rest is of the invoice before it, and was paid there.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.providers.stripe import reading
from app.providers.stripe.body import id_of
from app.providers.stripe.connection import Connection, Json


@dataclass(frozen=True, slots=True)
class Source:
    """A paid invoice: what of it can still go back to the card (`left`), and what else as credit (`credit`), where a
    credit balance had paid. Minor units, tax included. `line_id` is the line of it that a later invoice credited."""

    invoice_id: str
    line_id: str | None
    left: int
    credit: int
    is_paid: bool


def of_invoice(stripe: Connection, invoice_id: str) -> list[Source]:
    """Itself first, then further and further back."""
    found: list[Source] = []
    lines: dict[str, str | None] = {invoice_id: None}
    names = [invoice_id]
    for name in names:  # grows while it is walked
        invoice = reading.fetch_invoice(stripe, name)
        found.append(_source(stripe, invoice, lines[name]))
        earlier = [each for each in _credited(invoice) if each[0] not in lines]
        lines.update(earlier)
        names += dict.fromkeys(each[0] for each in earlier)
    return found


def note_for(stripe: Connection, invoice_id: str, marks: dict[str, str]) -> Json | None:
    """The credit note of this invoice that carries these marks."""
    found = stripe.pages(lambda v1, page: v1.credit_notes.list({"invoice": invoice_id, **page}))
    return next((note for note in found if marks.items() <= (note.get("metadata") or {}).items()), None)


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


def _credited(invoice: Json) -> list[tuple[str, str]]:
    return [each for line in invoice["lines"]["data"] if (each := credited_line(line))]


def _source(stripe: Connection, invoice: Json, line_id: str | None) -> Source:
    if invoice["status"] != "paid":
        return Source(invoice["id"], line_id, 0, 0, is_paid=False)
    noted = invoice.get("post_payment_credit_notes_amount") or 0
    tried = reading.payment_of(stripe, invoice) if invoice["amount_paid"] else None
    left = 0
    if tried is not None:
        given = sum(refund["amount"] for refund in refunds_of(stripe, tried["id"]))
        left = max(0, invoice["amount_paid"] - max(given, noted))
    credit = max(0, invoice["total"] - max(noted, invoice["amount_paid"]))
    return Source(invoice["id"], line_id, left, credit, is_paid=True)
