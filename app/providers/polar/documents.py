"""Polar's orders as our invoices: Polar is the seller, and an order is what it invoices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.providers.billing import BuyerDoc, CreditNoteDoc, InvoiceDoc, InvoiceLine, TaxLine
from app.providers.bodies import amount, id_of
from app.providers.polar.body import instant, maybe_id, maybe_instant, metadata
from app.providers.polar.connection import Json
from app.providers.polar.periods import holding

REASONS: dict[str, Any] = {
    "purchase": "one_off",
    "subscription_create": "subscription_create",
    "subscription_cycle": "subscription_cycle",
    "subscription_update": "subscription_update",
}
_STATES: dict[str, Any] = {
    "pending": "open",
    "paid": "paid",
    "partially_refunded": "paid",
    "refunded": "refunded",
    "void": "void",
}


def invoice_of(order: Json, *, credit_notes: Sequence[CreditNoteDoc] | None = None) -> InvoiceDoc:
    """An order as an invoice. One that is being paid on a checkout page is a draft: it may never be."""
    total, back = amount(order["total_amount"]), _credited(order)
    due = max(0, total + int(order.get("applied_balance_amount") or 0))  # a credit balance is written below zero
    waiting = order["billing_reason"] == "purchase" and order["status"] == "pending"
    retried = maybe_instant(order.get("next_payment_attempt_at"))
    return InvoiceDoc(
        id=id_of(order["id"]),
        number=order.get("invoice_number"),
        customer_id=id_of(order["customer_id"]),
        subscription_id=maybe_id(order.get("subscription_id")),
        status="draft" if waiting else _STATES.get(order["status"], "draft"),
        reason=REASONS.get(order["billing_reason"], "other"),
        currency=order["currency"].lower(),
        subtotal=amount(order["subtotal_amount"]),
        discount=amount(order["discount_amount"]),
        tax=amount(order["tax_amount"]),
        total=total,
        amount_paid=due if order["paid"] else 0,
        amount_due=due,
        amount_remaining=0 if order["paid"] else due,
        credited=back,
        lines=[_line(item, order) for item in order["items"]],
        taxes=[TaxLine("Tax", None, order["tax_amount"])] if order["tax_amount"] else [],
        complete=True,
        created=instant(order["created_at"]),
        finalized_at=None if waiting else instant(order["created_at"]),
        paid_at=instant(order.get("modified_at") or order["created_at"]) if order["paid"] else None,
        next_attempt=retried,
        attempts=1 if retried else 0,
        hosted_url=None,
        pdf_url=None,  # Polar makes it when asked, and its address is good for minutes: it is on the portal
        payment_ids=[order["id"]] if order["paid"] else [],
        buyer=_buyer(order),
        metadata=metadata(order),
        credit_notes=credit_notes,
    )


def credit_note_of(refund: Json) -> CreditNoteDoc:
    """A refund that went through, as the correction of its order."""
    tax = amount(refund["tax_amount"])
    return CreditNoteDoc(
        id=id_of(refund["id"]),
        number=None,
        invoice_id=id_of(refund["order_id"]),
        total=amount(refund["amount"]) + tax,
        tax=tax,
        currency=refund["currency"].lower(),
        created=instant(refund["created_at"]),
        pdf_url=None,
        our_refund_id=metadata(refund).get("refund_id"),
    )


def _credited(order: Json) -> int:
    return amount(order["refunded_amount"]) + amount(order["refunded_tax_amount"])


def _line(item: Json, order: Json) -> InvoiceLine:
    """One item. Those of a whole period name no times: it is the one that the order was made in."""
    start, end = maybe_instant(item.get("start_timestamp")), maybe_instant(item.get("end_timestamp"))
    sub = order.get("subscription")
    if start is None and end is None and not item["proration"] and sub is not None:
        start, end = holding(sub, instant(order["created_at"])) or (None, None)
    return InvoiceLine(
        description=item["label"],
        quantity=1,
        amount=int(item["amount"]),
        tax=int(item["tax_amount"]),
        proration=bool(item["proration"]),
        period_start=start,
        period_end=end,
        id=id_of(item["id"]),
        provider_price_id=maybe_id(order.get("product_id")),
    )


def _buyer(order: Json) -> BuyerDoc:
    who, address = order.get("customer") or {}, order.get("billing_address") or {}
    town = " ".join(address[part] for part in ("postal_code", "city", "state") if address.get(part))
    lines = [address.get("line1"), address.get("line2"), town, address.get("country")]
    return BuyerDoc(
        name=order.get("billing_name") or who.get("billing_name") or who.get("name"),
        email=who.get("email"),
        address=[line for line in lines if line],
        country=address.get("country"),
        tax_ids=[str(part) for part in (who.get("tax_id") or [])[:1]],  # the number, and then its kind
    )
