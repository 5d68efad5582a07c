"""Giving back the unused share of a paid period: Stripe never refunds by itself, credit notes do.

`cancel_now` leaves the money where it is. What each paid invoice gives back is read from a preview while the
subscription still runs, and paid back afterwards by one credit note for each invoice, which books the tax too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.money import Money
from app.providers.billing import RefundedUnused, SubscriptionState, UnusedPart, UnusedValue
from app.providers.stripe import sources
from app.providers.stripe.body import id_of
from app.providers.stripe.connection import Connection, Json
from app.providers.stripe.documents import credit_note_of
from app.providers.stripe.sources import Source
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
        behind = {part.invoice_id: sources.of_invoice(self._stripe, part.invoice_id) for part in named}
        parts = [part for part in named if behind[part.invoice_id][0].is_paid]
        return UnusedValue(
            net=Money(sum(part.net for part in parts), preview["currency"]),
            tax=sum(part.tax for part in parts),
            to_card=_to_card(parts, behind),
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
        notes, refunds = [], []
        for name in names:
            chain = sources.of_invoice(self._stripe, name)
            note = self._noted(name, our_refund_id) or self._note(chain, unused, our_refund_id, key=key)
            notes.append(credit_note_of(note))
            refunds += self._refunds(note, our_refund_id)
            refunds += self._from_earlier(chain[1:], note, our_refund_id, key=key)
        refunded = sum(refund.amount.minor for refund in refunds)
        currency = unused.net.currency
        return RefundedUnused(
            refunds=refunds,
            credit_notes=notes,
            refunded=Money(refunded, currency),
            credited=Money(sum(note.total for note in notes) - refunded, currency),
        )

    def _noted(self, invoice_id: str, our_refund_id: str) -> Json | None:
        """The credit note of an earlier try. Not left to the key alone: what is asked depends on what is left."""
        found = self._stripe.pages(lambda v1, page: v1.credit_notes.list({"invoice": invoice_id, **page}))
        return next((note for note in found if (note.get("metadata") or {}).get("refund_id") == our_refund_id), None)

    def _note(self, chain: Sequence[Source], unused: UnusedValue, our_refund_id: str, *, key: str) -> Json:
        own, earlier = chain[0], sum(source.left for source in chain[1:])
        lines = [
            {"type": "invoice_line_item", "invoice_line_item": part.line_id, "amount": part.net}
            for part in unused.parts
            if part.invoice_id == own.invoice_id
        ]
        shared = {"invoice": own.invoice_id, "lines": lines}
        total = self._stripe.call(lambda v1: v1.credit_notes.preview(shared))["total"]
        here = min(total, own.left)
        elsewhere = min(total - here, earlier)
        # What no card paid came from a credit balance, and goes back there.
        shares = {"refund_amount": here, "out_of_band_amount": elsewhere, "credit_amount": total - here - elsewhere}
        wanted = {
            **shared,
            "reason": "order_change",
            "metadata": {"refund_id": our_refund_id},
            **{name: amount for name, amount in shares.items() if amount},
        }
        options = {"idempotency_key": f"{key}:{own.invoice_id}"}
        return self._stripe.call(lambda v1: v1.credit_notes.create(wanted, options))

    def _from_earlier(
        self, earlier: Sequence[Source], note: Json, our_refund_id: str, *, key: str
    ) -> list[RefundResult]:
        """What earlier payments give back: refunded there, since a credit note refunds its own invoice only."""
        rest = note.get("out_of_band_amount") or 0
        payments = [source for source in earlier if source.payment_id] if rest else []
        marks = {"refund_id": our_refund_id, "credit_note": note["id"]}
        found = [
            refund
            for source in payments
            for refund in sources.refunds_of(self._stripe, str(source.payment_id))
            if (refund.get("metadata") or {}).get("credit_note") == note["id"]
        ]
        rest -= sum(refund["amount"] for refund in found)
        for source in payments:
            amount = min(rest, source.left)
            if amount > 0:
                found.append(self._refund_earlier(source, amount, marks, key=key))
                rest -= amount
        return [refund_of(refund) for refund in found]

    def _refund_earlier(self, source: Source, amount: int, marks: dict[str, str], *, key: str) -> Json:
        wanted = {
            "payment_intent": source.payment_id,
            "amount": amount,
            "reason": "requested_by_customer",
            "metadata": marks,
        }
        options = {"idempotency_key": f"{key}:{marks['credit_note']}:{source.payment_id}"}
        return self._stripe.call(lambda v1: v1.refunds.create(wanted, options))

    def _refunds(self, note: Json, our_refund_id: str) -> list[RefundResult]:
        found = []
        for each in note.get("refunds") or []:
            refund = self._stripe.call(lambda v1, each=each: v1.refunds.retrieve(id_of(each["refund"])))  # type: ignore[misc]
            known = refund_of(refund)
            found.append(RefundResult(known.refund_id, known.status, known.amount, our_refund_id))
        return found


def _part(line: Json) -> UnusedPart | None:
    """What a line of the preview gives back, if it is a credit for an earlier line."""
    origin = sources.credited_line(line)
    if origin is None:
        return None
    tax = -sum(each["amount"] for each in line.get("taxes") or [])
    return UnusedPart(*origin, net=-line["amount"], tax=tax)


def _to_card(parts: Sequence[UnusedPart], behind: dict[str, list[Source]]) -> int:
    """How much of it all the payments behind it can give back, each of their cents once."""
    left = {source.invoice_id: source.left for chain in behind.values() for source in chain}
    back = 0
    for part in parts:
        due = part.net + part.tax
        for source in behind[part.invoice_id]:
            given = min(due, left[source.invoice_id])
            left[source.invoice_id] -= given
            due, back = due - given, back + given
    return back
