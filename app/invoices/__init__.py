"""Invoices: the provider's, mirrored, and our own for what the wallet pays; credit notes, tax rates, buyers."""

from __future__ import annotations

from app.invoices.credit import credit
from app.invoices.drafts import Discount, NewLine, make
from app.invoices.finalise import finalise
from app.invoices.mirror import mirror
from app.invoices.models import CreditNote, Invoice, InvoiceLine, InvoiceTax
from app.invoices.payment import mark_failed, mark_paid, mark_refunded, void
from app.invoices.tax import TaxLine
from app.invoices.taxing import quote_tax

__all__ = [
    "CreditNote",
    "Discount",
    "Invoice",
    "InvoiceLine",
    "InvoiceTax",
    "NewLine",
    "TaxLine",
    "credit",
    "finalise",
    "make",
    "mark_failed",
    "mark_paid",
    "mark_refunded",
    "mirror",
    "quote_tax",
    "void",
]
