"""How a dispute ended, entered by staff: some providers tell of the beginning alone (SPEC W5).

It does what the news would have done, through the same reaction, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy.orm import Session

from app import activity, clock
from app.db import transaction
from app.errors import Invalid, UnsupportedByChannel
from app.flows import disputed
from app.money import Money
from app.payments import disputes
from app.payments.dispute_table import Dispute
from app.providers.events import DisputeChanged
from app.providers.port import Provider
from app.providers.values import Cap

OUTCOMES = ("won", "lost")
_LONGEST_REASON = 500


def may_be_entered(providers: Mapping[str, Provider], dispute: Dispute) -> bool:
    """Whether nobody else will ever say how it ended."""
    provider = providers.get(dispute.channel)
    return dispute.is_live and (provider is None or Cap.DISPUTE_OUTCOMES not in provider.capabilities)


def enter(
    session: Session, providers: Mapping[str, Provider], dispute_id: str, outcome: str, *, reason: str, actor: str
) -> Dispute:
    """It was won or lost, as the provider's dashboard says. Raises Invalid, NotFound, UnsupportedByChannel for a
    provider that tells by itself, and Conflict for one that has ended."""
    if outcome not in OUTCOMES:
        raise Invalid("Say whether the dispute was won or lost.", field="outcome")
    why = reason.strip()
    if not why or len(why) > _LONGEST_REASON or "\0" in why:
        raise Invalid("Write where you know it from, in at most 500 characters.", field="reason")
    with transaction(session):
        dispute = disputes.one(session, dispute_id)
        provider = providers.get(dispute.channel)
        if provider is not None and Cap.DISPUTE_OUTCOMES in provider.capabilities:
            sentence = f"{provider.title} tells by itself how its disputes end."
            raise UnsupportedByChannel(sentence, channel=provider.name)
        disputed.note(session, _told(dispute, outcome), None, by_staff=True)
        activity.record(
            session, actor, "dispute.outcome_entered", dispute.id,
            customer_id=dispute.customer_id, outcome=outcome, reason=why,
        )  # fmt: skip
    return dispute


def _told(dispute: Dispute, outcome: str) -> DisputeChanged:
    """What the news would say, had there been any."""
    return DisputeChanged(
        provider=dispute.channel,
        event_id=f"staff:{dispute.id}",
        raw_type="dispute.ended",
        occurred_at=clock.now(),
        livemode=True,
        dispute_id=dispute.provider_dispute_id,
        payment_id=dispute.payment_id,
        amount=Money(dispute.amount_minor, dispute.currency),
        phase=cast("Any", outcome),
        reason=dispute.reason,
        due_by=dispute.due_by,
        fee=dispute.fee_minor,
        evidence=cast("Any", dispute.evidence),
    )
