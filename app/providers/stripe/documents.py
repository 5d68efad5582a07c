"""Whole snapshots of Stripe invoices and credit notes, in the shapes of API version 2026-10-28 (endive)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.providers.billing import BuyerDoc, CreditNoteDoc, InvoiceDoc, InvoiceLine, TaxLine
from app.providers.stripe.body import id_of, instant, maybe_instant
from app.providers.stripe.connection import Connection, Json

_REASONS: dict[str, Any] = {
    "subscription_create": "subscription_create",
    "subscription_cycle": "subscription_cycle",
    "subscription_update": "subscription_update",
    "manual": "one_off",
}
_STATES: dict[str, Any] = {"open": "open", "paid": "paid", "void": "void", "uncollectible": "uncollectible"}
_UNNAMED_TAX = "Tax"


def invoice_of(
    invoice: Json,
    *,
    lines: Sequence[Json] | None = None,
    rates: dict[str, Json] | None = None,
    credit_notes: Sequence[CreditNoteDoc] | None = None,
) -> InvoiceDoc:
    """An invoice with the lines that came along, or with all of them; `rates` names its taxes."""
    parent = (invoice.get("parent") or {}).get("subscription_details") or {}
    times = invoice.get("status_transitions") or {}
    shown = invoice["lines"]["data"] if lines is None else lines
    return InvoiceDoc(
        id=invoice["id"],
        number=invoice.get("number"),
        customer_id=str(id_of(invoice["customer"])),
        subscription_id=id_of(parent.get("subscription")),
        status=_STATES.get(str(invoice.get("status")), "draft"),
        reason=_REASONS.get(str(invoice.get("billing_reason")), "other"),
        currency=invoice["currency"],
        subtotal=invoice["subtotal"],
        discount=_sum(invoice.get("total_discount_amounts")),
        tax=_sum(invoice.get("total_taxes")),
        total=invoice["total"],
        amount_paid=invoice["amount_paid"],
        amount_due=invoice["amount_due"],
        amount_remaining=invoice.get("amount_remaining") or 0,
        credited=invoice.get("post_payment_credit_notes_amount") or 0,
        lines=[line_of(line) for line in shown],
        taxes=taxes_of(invoice.get("total_taxes"), rates or {}),
        complete=lines is not None or not invoice["lines"]["has_more"],
        created=instant(invoice["created"]),
        finalized_at=maybe_instant(times.get("finalized_at")),
        paid_at=maybe_instant(times.get("paid_at")),
        next_attempt=maybe_instant(invoice.get("next_payment_attempt")),
        attempts=invoice.get("attempt_count") or 0,
        hosted_url=invoice.get("hosted_invoice_url"),
        pdf_url=invoice.get("invoice_pdf"),
        payment_ids=_payments(invoice),
        buyer=_buyer(invoice),
        metadata={**(parent.get("metadata") or {}), **(invoice.get("metadata") or {})},
        credit_notes=credit_notes,
    )


def line_of(line: Json) -> InvoiceLine:
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    period = line.get("period") or {}
    price = ((line.get("pricing") or {}).get("price_details") or {}).get("price")
    return InvoiceLine(
        description=line.get("description") or "",
        quantity=line.get("quantity") or 1,
        amount=line["amount"],
        tax=_sum(line.get("taxes")),
        proration=bool(details.get("proration")),
        period_start=maybe_instant(period.get("start")),
        period_end=maybe_instant(period.get("end")),
        id=line.get("id"),
        provider_price_id=id_of(price),
    )


def rates_of(stripe: Connection, invoice: Json) -> dict[str, Json]:
    """The tax rates an invoice names, looked up: it has their ids alone."""
    named = dict.fromkeys(_rate_of(tax) for tax in invoice.get("total_taxes") or [])
    return {name: stripe.call(lambda v1, name=name: v1.tax_rates.retrieve(name)) for name in named if name}  # type: ignore[misc]


def taxes_of(taxes: list[Json] | None, rates: dict[str, Json]) -> list[TaxLine]:
    """The taxes of an invoice, one line for each; a rate that was not looked up has no name."""
    return [_tax(tax, rates.get(_rate_of(tax) or "", {})) for tax in taxes or []]


def credit_note_of(note: Json) -> CreditNoteDoc:
    return CreditNoteDoc(
        id=note["id"],
        number=note.get("number"),
        invoice_id=str(id_of(note["invoice"])),
        total=note["total"],
        tax=_sum(note.get("total_taxes")),
        currency=note["currency"],
        created=instant(note["created"]),
        pdf_url=note.get("pdf"),
        our_refund_id=(note.get("metadata") or {}).get("refund_id"),
    )


def _tax(tax: Json, rate: Json) -> TaxLine:
    percent = rate.get("percentage")
    return TaxLine(
        name=rate.get("display_name") or _UNNAMED_TAX,
        percent=None if percent is None else plain(percent),
        amount=tax["amount"],
        reverse_charge=tax.get("taxability_reason") == "reverse_charge",
    )


def plain(number: object) -> str:
    """A percentage as people write it: 8.25, not 8.2500; it may come as a number or as text."""
    text = str(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rate_of(tax: Json) -> str | None:
    return id_of((tax.get("tax_rate_details") or {}).get("tax_rate"))


def _buyer(invoice: Json) -> BuyerDoc:
    address: Json = invoice.get("customer_address") or {}
    town = " ".join(address[part] for part in ("postal_code", "city", "state") if address.get(part))
    lines = [address.get("line1"), address.get("line2"), town, address.get("country")]
    return BuyerDoc(
        name=invoice.get("customer_name"),
        email=invoice.get("customer_email"),
        address=[line for line in lines if line],
        country=address.get("country"),
        tax_ids=[each["value"] for each in invoice.get("customer_tax_ids") or [] if each.get("value")],
    )


def _payments(invoice: Json) -> list[str]:
    """The payment intents behind it; Stripe only tells them when `payments` was expanded."""
    paid = (invoice.get("payments") or {}).get("data") or []
    found = (id_of((each.get("payment") or {}).get("payment_intent")) for each in paid)
    return [each for each in found if each]


def _sum(amounts: list[Json] | None) -> int:
    return sum(each["amount"] for each in amounts or [])
