"""The word for how it stands with an invoice, the same for customers and staff."""

from __future__ import annotations

from app.invoices.models import Invoice

_WORDS = {"paid": "Paid", "open": "Open", "void": "Void", "refunded": "Refunded", "uncollectible": "Payment failed"}


def status_word(invoice: Invoice) -> str:
    """One of the fixed words for states; a draft has none."""
    return "Payment failed" if invoice.status == "open" and invoice.failed_at else _WORDS[invoice.status]
