"""Paying back a payment at Stripe, and the credit note that its invoice gets for it (SPEC W4, I3).

The refund comes first, with our id in it, so that whatever tells of it names it; the note is made of it afterwards.
Both have keys of their own: asked again, the same refund is answered, and a note that is missing is made.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from app.money import Money, round_half_away
from app.providers.errors import InvalidRequest
from app.providers.stripe import reading, sources, told_returns
from app.providers.stripe.connection import Connection, Json
from app.providers.values import RefundResult

log = logging.getLogger(__name__)


class Refunding:
    """The verbs of Cap.REFUND_FULL and Cap.REFUND_PARTIAL."""

    _stripe: Connection

    def refund(
        self,
        *,
        payment_id: str,
        amount: Money,
        reason: str,
        our_refund_id: str,
        key: str,
        invoice_id: str | None = None,
    ) -> RefundResult:
        wanted = {
            "payment_intent": payment_id,
            "amount": amount.minor,
            "reason": reason if reason in ("duplicate", "fraudulent") else "requested_by_customer",
            "metadata": {"refund_id": our_refund_id},
        }
        made = self._stripe.call(lambda v1: v1.refunds.create(wanted, {"idempotency_key": key}))
        note = self._credit_note(invoice_id, made, our_refund_id, key) if invoice_id else None
        return told_returns.refund_of(made, credit_note_id=note)

    def list_refunds(self, payment_id: str) -> Sequence[RefundResult]:
        found = self._stripe.pages(lambda v1, page: v1.refunds.list({"payment_intent": payment_id, **page}))
        return [told_returns.refund_of(each) for each in found]

    def _credit_note(self, invoice_id: str, refund: Json, our_refund_id: str, key: str) -> str | None:
        """The credit note of this refund. An invoice that takes none, because somebody wrote one by hand, stays.

        A no about the note must not pass for one about the refund, which is made.
        """
        marks = {"refund_of": our_refund_id}
        try:
            before = sources.note_for(self._stripe, invoice_id, marks)
            if before is not None:
                return str(before["id"])
            if refund["status"] in ("failed", "canceled"):
                return None
            wanted = self._note_of(invoice_id, refund)
            if wanted is None:
                log.warning("no credit note of invoice %s comes to refund %s", invoice_id, refund["id"])
                return None
            wanted |= {"refunds": [{"refund": refund["id"], "amount_refunded": refund["amount"]}], "metadata": marks}
            made = self._stripe.call(lambda v1: v1.credit_notes.create(wanted, {"idempotency_key": f"{key}:note"}))
        except InvalidRequest as no:
            log.warning("invoice %s takes no credit note for refund %s: %s", invoice_id, refund["id"], no)
            return None
        return str(made["id"])

    def _note_of(self, invoice_id: str, refund: Json) -> Json | None:
        """What to ask for, so that it comes to the refund to the cent with its tax; None where nothing does."""
        invoice = reading.fetch_invoice(self._stripe, invoice_id)
        tax = sum(each["amount"] for each in invoice.get("total_taxes") or [])
        total = invoice["total"]
        net = refund["amount"] - (round_half_away(refund["amount"] * tax, total) if total else 0)
        left = self._left(invoice)
        for guess in dict.fromkeys((net, net - 1, net + 1)):
            lines = _lines(left, guess)
            wanted: Json = {"invoice": invoice_id, "lines": lines}
            if lines and self._comes_to(wanted) == refund["amount"]:
                return {**wanted, "reason": "order_change"}
        return None

    def _comes_to(self, wanted: Json) -> int:
        """With its tax."""
        return int(self._stripe.call(lambda v1: v1.credit_notes.preview(wanted))["total"])

    def _left(self, invoice: Json) -> dict[str, int]:
        """What of each line no credit note has taken, before tax."""
        left = {line["id"]: _net(line) for line in invoice["lines"]["data"] if line["amount"] > 0}
        notes = self._stripe.pages(lambda v1, page: v1.credit_notes.list({"invoice": invoice["id"], **page}))
        for note in notes:
            for line in note["lines"]["data"]:
                if line.get("invoice_line_item") in left:
                    left[line["invoice_line_item"]] -= line["amount"]
        return left


def _net(line: Json) -> int:
    return int(line["amount"]) - sum(int(each["amount"]) for each in line.get("discount_amounts") or [])


def _lines(left: dict[str, int], net: int) -> list[Json] | None:
    """The lines it is taken from, the first one first; None where they hold less."""
    found = []
    for name, most in left.items():
        part = min(most, net)
        if part > 0:
            found.append({"type": "invoice_line_item", "invoice_line_item": name, "amount": part})
            net -= part
    return found if net == 0 and found else None
