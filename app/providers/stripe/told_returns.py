"""What Stripe tells about money going back: refunds and disputes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.providers.events import DisputeChanged, Event, RefundChanged
from app.providers.stripe.body import id_of, maybe_instant
from app.providers.stripe.connection import Json
from app.providers.stripe.told_payments import money
from app.providers.values import RefundResult

_REFUND_STATES: dict[str, Any] = {"succeeded": "succeeded", "failed": "failed", "canceled": "canceled"}


def refund_of(refund: Json, *, credit_note_id: str | None = None) -> RefundResult:
    return RefundResult(
        refund_id=refund["id"],
        status=_REFUND_STATES.get(str(refund.get("status")), "pending"),
        amount=money(refund["amount"], refund["currency"]),
        our_refund_id=(refund.get("metadata") or {}).get("refund_id"),
        credit_note_id=credit_note_id,
    )


def refund_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    refund = event["data"]["object"]
    known = refund_of(refund)
    return [
        RefundChanged(
            refund_id=refund["id"],
            payment_id=id_of(refund.get("payment_intent")),
            status=known.status,
            amount=known.amount,
            cumulative=None,
            our_refund_id=known.our_refund_id,
            failure=refund.get("failure_reason"),
            **told,
        )
    ]


def dispute_changed(event: Json, told: dict[str, Any]) -> Sequence[Event]:
    dispute = event["data"]["object"]
    return [
        DisputeChanged(
            dispute_id=dispute["id"],
            payment_id=id_of(dispute.get("payment_intent")),
            amount=money(dispute["amount"], dispute["currency"]),
            phase=_phase(event["type"], dispute["status"]),
            reason=dispute.get("reason"),
            due_by=maybe_instant((dispute.get("evidence_details") or {}).get("due_by")),
            fee=_fee(dispute),
            evidence=_evidence(dispute.get("evidence_details") or {}),
            **told,
        )
    ]


def _fee(dispute: Json) -> int:
    """What was taken beside the disputed amount, and not given back."""
    return max(0, sum(move.get("fee") or 0 for move in dispute.get("balance_transactions") or ()))


def _evidence(details: Json) -> Any:
    if details.get("submission_count"):
        return "sent"
    if details.get("past_due"):
        return "late"
    return "saved" if details.get("has_evidence") else "none"


def _phase(kind: str, status: str) -> Any:
    moved = kind.removeprefix("charge.dispute.")
    if moved in ("funds_withdrawn", "funds_reinstated"):
        return moved
    if status == "warning_closed":
        return "closed_inquiry"
    if status.startswith("warning_"):
        return "inquiry"
    return status if status in ("won", "lost", "prevented") else "open"
