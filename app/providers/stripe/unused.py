"""Giving back the unused share of a paid period: Stripe never refunds by itself, credit notes do.

`cancel_now` leaves the money where it is. What each paid invoice gives back is read from a preview while the
subscription still runs, and paid back afterwards by credit notes, which book the tax too. No credit note takes more
than its invoice came to: after an upgrade the rest is noted on the invoice before, whose payment it came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.money import Money
from app.providers.billing import RefundedUnused, SubscriptionState, UnusedPart, UnusedValue
from app.providers.stripe import sources
from app.providers.stripe.body import id_of
from app.providers.stripe.connection import Connection, Json
from app.providers.stripe.documents import credit_note_of
from app.providers.stripe.note_shares import NoteShare, shared_out
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
        notes = [note for name in names for note in self._notes(name, unused, our_refund_id, key=key)]
        refunds = [refund for note in notes for refund in self._refunds(note, our_refund_id)]
        refunded = sum(refund.amount.minor for refund in refunds)
        return RefundedUnused(
            refunds=refunds,
            credit_notes=[credit_note_of(note) for note in notes],
            refunded=Money(refunded, unused.net.currency),
            credited=Money(sum(note["total"] for note in notes) - refunded, unused.net.currency),
        )

    def _notes(self, name: str, unused: UnusedValue, our_refund_id: str, *, key: str) -> list[Json]:
        """The credit notes for what this invoice gives back: its own, and those of the invoices before it."""
        parts = [part for part in unused.parts if part.invoice_id == name]
        marks = {"refund_id": our_refund_id, "for": name}
        chain = sources.of_invoice(self._stripe, name)
        # Those of an earlier try. Not left to the key alone: what is asked depends on what is left.
        made = {source.invoice_id: sources.note_for(self._stripe, source.invoice_id, marks) for source in chain}
        notes = []
        for share in shared_out(parts, [_before(source, made[source.invoice_id]) for source in chain]):
            note = made[share.source.invoice_id] or self._note(share, marks, key=key)
            notes.append(note)
        return notes

    def _note(self, share: NoteShare, marks: dict[str, str], *, key: str) -> Json:
        source, (wanted, total) = share.source, self._previewed(share)
        if total != share.gross and source.line_id:
            # The tax of parts may come to a cent more or less than that of the whole, of which the customer was told.
            wanted, total = self._previewed(share.nudged(share.gross - total))
        to_card = min(total, source.left)
        # What no card paid came from a credit balance, and goes back there.
        amounts = {"refund_amount": to_card, "credit_amount": total - to_card}
        wanted |= {"reason": "order_change", "metadata": marks}
        wanted |= {name: amount for name, amount in amounts.items() if amount}
        options = {"idempotency_key": f"{key}:{marks['for']}:{source.invoice_id}"}
        return self._stripe.call(lambda v1: v1.credit_notes.create(wanted, options))

    def _previewed(self, share: NoteShare) -> tuple[Json, int]:
        """What to ask for, and what it comes to with tax."""
        lines = [
            {"type": "invoice_line_item", "invoice_line_item": line_id, "amount": amount}
            for line_id, amount in share.lines
        ]
        wanted: Json = {"invoice": share.source.invoice_id, "lines": lines}
        return wanted, self._stripe.call(lambda v1: v1.credit_notes.preview(wanted))["total"]

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


def _before(source: Source, note: Json | None) -> Source:
    """The source as it was before this note was made, so that a second try shares out as the first one did."""
    if note is None:
        return source
    to_card = sum(each["amount_refunded"] for each in note.get("refunds") or [])
    return replace(source, left=source.left + to_card, credit=source.credit + note["total"] - to_card)


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
