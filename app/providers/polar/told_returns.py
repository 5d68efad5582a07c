"""What Polar tells about money going back: refunds by webhook, disputes because we asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.money import Money
from app.providers.bodies import amount, id_of, money
from app.providers.events import DisputeChanged, Event, RefundChanged
from app.providers.polar.body import maybe_id, maybe_instant, metadata
from app.providers.polar.connection import Json
from app.providers.values import RefundResult

_REFUNDS: dict[str, Any] = {"succeeded": "succeeded", "failed": "failed", "canceled": "canceled"}
# A dispute of a kind Polar invents later counts as open: better too early than too late.
_PHASES: dict[str, Any] = {
    "prevented": "prevented",
    "early_warning": "inquiry",
    "needs_response": "open",
    "under_review": "open",
    "won": "won",
    "lost": "lost",
}


def refund_of(refund: Json) -> RefundResult:
    """A refund in our words: with the tax, which Polar gives back beside the amount."""
    return RefundResult(
        refund_id=id_of(refund["id"]),
        status=_REFUNDS.get(refund["status"], "pending"),
        amount=_with_tax(refund),
        our_refund_id=metadata(refund).get("refund_id"),
    )


def refund_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    refund = event["data"]
    known = refund_of(refund)
    changed = RefundChanged(
        refund_id=str(known.refund_id),
        payment_id=id_of(refund["order_id"]),
        status=known.status,
        amount=known.amount,
        cumulative=None,
        our_refund_id=known.our_refund_id,
        **told,
    )
    if refund.get("dispute") is None:
        return [changed]
    return [changed, _dispute(refund["dispute"], told)]  # paid back by Polar, so that no dispute comes of it


def dispute_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    return [_dispute(event["data"], told)]


def _dispute(dispute: Json, told: dict[str, Any]) -> DisputeChanged:
    due_by = maybe_instant(dispute.get("evidence_due_by"))
    return DisputeChanged(
        dispute_id=id_of(dispute["id"]),
        payment_id=maybe_id(dispute.get("order_id")),
        amount=_with_tax(dispute),
        phase=_PHASES.get(dispute["status"], "open"),
        reason=dispute.get("reason"),
        due_by=due_by,
        evidence="sent" if dispute["status"] == "under_review" else "late" if dispute.get("past_due") else "none",
        **told,
    )


def _with_tax(back: Json) -> Money:
    return money(amount(back["amount"]) + amount(back["tax_amount"]), back["currency"])
