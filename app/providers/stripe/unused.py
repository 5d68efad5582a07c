"""Giving back the unused share of a paid period: Stripe never refunds by itself, credit notes do.

`cancel_now` leaves the money where it is. What each paid invoice gives back is read from a preview while the
subscription still runs, and paid back afterwards by one credit note for each invoice, which books the tax too.
"""

from __future__ import annotations

from datetime import datetime

from app.money import Money
from app.providers.billing import CreditNoteDoc, RefundedUnused, SubscriptionState, UnusedPart, UnusedValue
from app.providers.stripe import reading
from app.providers.stripe.body import id_of
from app.providers.stripe.connection import Connection, Json
from app.providers.stripe.documents import credit_note_of
from app.providers.stripe.told_returns import refund_of
from app.providers.values import CustomerRef, RefundResult


class GivingBack:
    """The verbs of a refund for time not used."""

    _stripe: Connection

    def unused_value(self, sub: SubscriptionState, *, at: datetime) -> UnusedValue:
        wanted = {
            "subscription": sub.id,
            "subscription_details": {
                "cancel_now": True,
                "proration_behavior": "always_invoice",
                "proration_date": int(at.timestamp()),
            },
        }
        preview = self._stripe.call(lambda v1: v1.invoices.create_preview(wanted))
        named = [part for line in preview["lines"]["data"] if (part := _part(line))]
        invoices = {part.invoice_id: reading.fetch_invoice(self._stripe, part.invoice_id) for part in named}
        parts = [part for part in named if invoices[part.invoice_id]["status"] == "paid"]
        return UnusedValue(
            net=Money(sum(part.net for part in parts), preview["currency"]),
            tax=sum(part.tax for part in parts),
            to_card=sum(min(_gross(parts, name), refundable(invoice)) for name, invoice in invoices.items()),
            as_of=at,
            parts=parts,
        )

    def refund_unused(
        self,
        customer: CustomerRef,  # noqa: ARG002 - Stripe knows it by the invoice
        unused: UnusedValue,
        *,
        our_refund_id: str,
        key: str,
    ) -> RefundedUnused:
        names = dict.fromkeys(part.invoice_id for part in unused.parts)
        notes = [self._noted(name, our_refund_id) or self._note(name, unused, our_refund_id, key=key) for name in names]
        refunds = [refund for note in notes for refund in self._refunds(note, our_refund_id)]
        refunded = sum(refund.amount.minor for refund in refunds)
        documents = [credit_note_of(note) for note in notes]
        currency = unused.net.currency
        return RefundedUnused(
            refunds=refunds,
            credit_notes=documents,
            refunded=Money(refunded, currency),
            credited=Money(_total(documents) - refunded, currency),
        )

    def _noted(self, invoice_id: str, our_refund_id: str) -> Json | None:
        """The credit note of an earlier try. Not left to the key alone: what is asked depends on what is left."""
        found = self._stripe.pages(lambda v1, page: v1.credit_notes.list({"invoice": invoice_id, **page}))
        return next((note for note in found if (note.get("metadata") or {}).get("refund_id") == our_refund_id), None)

    def _note(self, invoice_id: str, unused: UnusedValue, our_refund_id: str, *, key: str) -> Json:
        lines = [
            {"type": "invoice_line_item", "invoice_line_item": part.line_id, "amount": part.net}
            for part in unused.parts
            if part.invoice_id == invoice_id
        ]
        shared = {"invoice": invoice_id, "lines": lines}
        total = self._stripe.call(lambda v1: v1.credit_notes.preview(shared))["total"]
        back = min(total, refundable(reading.fetch_invoice(self._stripe, invoice_id)))
        wanted = {
            **shared,
            "reason": "order_change",
            "metadata": {"refund_id": our_refund_id},
            "refund_amount": back,
            # No card paid this part, a credit balance did: it goes back to where it came from.
            **({"credit_amount": total - back} if total > back else {}),
        }
        options = {"idempotency_key": f"{key}:{invoice_id}"}
        return self._stripe.call(lambda v1: v1.credit_notes.create(wanted, options))

    def _refunds(self, note: Json, our_refund_id: str) -> list[RefundResult]:
        found = []
        for each in note.get("refunds") or []:
            refund = self._stripe.call(lambda v1, each=each: v1.refunds.retrieve(id_of(each["refund"])))  # type: ignore[misc]
            known = refund_of(refund)
            found.append(RefundResult(known.refund_id, known.status, known.amount, our_refund_id))
        return found


def refundable(invoice: Json) -> int:
    """What of an invoice can still go back to the card, in minor units."""
    return max(0, int(invoice["amount_paid"]) - int(invoice.get("post_payment_credit_notes_amount") or 0))


def _part(line: Json) -> UnusedPart | None:
    """What a line of the preview gives back, if it is a credit for an earlier line."""
    parent = (line.get("parent") or {}).get("subscription_item_details") or {}
    credited = (parent.get("proration_details") or {}).get("credited_items") or {}
    origins = credited.get("invoice_line_items") or []
    if line["amount"] >= 0 or not parent.get("proration") or not origins:
        return None
    tax = -sum(each["amount"] for each in line.get("taxes") or [])
    return UnusedPart(str(id_of(credited["invoice"])), origins[0], net=-line["amount"], tax=tax)


def _gross(parts: list[UnusedPart], invoice_id: str) -> int:
    return sum(part.net + part.tax for part in parts if part.invoice_id == invoice_id)


def _total(notes: list[CreditNoteDoc]) -> int:
    return sum(note.total for note in notes)
