"""Finalising: an invoice of ours gets its number, buyer, seller and tax, and never changes again (SPEC I1-I3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity
from app.customers import customers
from app.invoices import numbers, seller, tax, taxing
from app.invoices.models import OURS, Buyer, Invoice, InvoiceLine, InvoiceTax
from app.invoices.tax import TaxLine
from app.money import minor_to_micros

_CODE_LAST = frozenset({"AU", "CA", "GB", "HK", "IE", "IN", "NZ", "SG", "US", "ZA"})


def finalise(session: Session, invoice: Invoice, *, actor: str = "system") -> Invoice:
    """Give a draft its number; it is open then, or paid at once where nothing is due. Once: later calls change nothing.

    The number series is locked until the commit (see `numbers.give`): do this late, and before moving money.
    """
    session.refresh(invoice, with_for_update=True)
    assert invoice.source == OURS, "only our own invoices are ours to finalise"
    if invoice.status != "draft":
        return invoice
    buyer = session.get(Buyer, invoice.customer_id)
    place = taxing.place_of(buyer)
    made_out_to, base = _buyer(session, invoice.customer_id, buyer), _unrounded(session, invoice)
    number, at = numbers.give(session, seller.current().invoice_prefix)
    taxes = tax.lines_of(taxing.rates_at(session, at, place.country), place, base, invoice.net_minor, invoice.currency)
    _add_taxes(session, invoice, taxes)
    invoice.number, invoice.issued_at, invoice.due_at = number, at, at
    invoice.buyer, invoice.seller = made_out_to, seller.current().snapshot()
    invoice.note = tax.note_of(taxes)
    invoice.tax_minor = sum(line.amount_minor for line in taxes)
    invoice.total_minor = invoice.net_minor + invoice.tax_minor
    invoice.status = "open"
    if not invoice.total_minor:
        invoice.status, invoice.paid_at, invoice.paid_with = "paid", at, "Nothing to pay"
    session.flush()
    told = {"number": number, "total_minor": invoice.total_minor, "currency": invoice.currency}
    activity.record(session, actor, "invoice.finalised", invoice.id, customer_id=invoice.customer_id, **told)
    return invoice


def _unrounded(session: Session, invoice: Invoice) -> int:
    """What is taxed, in micros: the lines as they were before rounding, less the discount."""
    its = (InvoiceLine.customer_id == invoice.customer_id, InvoiceLine.invoice_id == invoice.id)
    exact = sum(session.scalars(select(InvoiceLine.amount_micros).where(*its)))
    return max(0, exact - minor_to_micros(invoice.discount_minor, invoice.currency))


def _add_taxes(session: Session, invoice: Invoice, taxes: Sequence[TaxLine]) -> None:
    """Written before the invoice leaves its draft: afterwards the database refuses them."""
    session.add_all(
        InvoiceTax(
            customer_id=invoice.customer_id,
            invoice_id=invoice.id,
            position=place,
            name=line.name,
            rate_ppm=line.rate_ppm,
            number=line.number,
            base_minor=line.base_minor,
            amount_minor=line.amount_minor,
            reverse_charge=line.reverse_charge,
        )
        for place, line in enumerate(taxes)
    )
    session.flush()


def _buyer(session: Session, customer_id: str, buyer: Buyer | None) -> dict[str, Any]:
    """What the invoice keeps of its buyer; the customer's name until they have told more."""
    customer = customers.by_id(session, customer_id)
    assert customer is not None, "an invoice is a customer's"
    if buyer is None:
        return {"name": customer.name, "email": customer.email, "address": [], "country": "", "tax_id": ""}
    return {
        "name": buyer.name,
        "email": customer.email,
        "address": [line for line in (buyer.line1, buyer.line2, *_town(buyer)) if line],
        "country": buyer.country,
        "tax_id": buyer.tax_id,
        "customer_type": buyer.customer_type,
    }


def _town(buyer: Buyer) -> tuple[str, ...]:
    """The town as the post of its country wants it: the code first on the Continent, last where English is written."""
    if buyer.country in _CODE_LAST:
        return (" ".join(part for part in (buyer.city, buyer.region, buyer.postal_code) if part),)
    return " ".join(part for part in (buyer.postal_code, buyer.city) if part), buyer.region
