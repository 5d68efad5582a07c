"""Telling the host product that a subscription began, changed or ended (SPEC §12.4)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app import clock, ids, outgoing
from app.catalogue import reads
from app.subscriptions.models import Subscription


def changed(session: Session, subscription: Subscription, what: str) -> None:
    """Emit `subscription.changed` with the subscription as it is now, in the transaction of the change.

    `what` is the word of the audit log: started, changed, past_due, restricted, recovered, cancelled, resumed, ended.
    Each is written once, in the transaction that makes it so, so a fresh key is enough.
    """
    session.flush()
    key = f"{subscription.id}:{ids.new('told')}"
    outgoing.emit(
        session, subscription.customer_id, "subscription.changed", lambda: _facts(session, subscription, what), key=key
    )


def _facts(session: Session, sub: Subscription, what: str) -> dict[str, Any]:
    return {
        "what": what,
        "subscription": sub.id,
        "status": sub.status,
        "plan": reads.version_of(session, sub.plan_id, sub.version).key,
        "interval": sub.interval,
        "price_minor": sub.price_minor,
        "currency": sub.currency,
        "paid_by": sub.paid_by,
        "period_start": clock.timestamp(sub.period_start),
        "period_end": clock.timestamp(sub.period_end),
        "cancel_at_period_end": sub.cancel_at_period_end,
        "ended_at": clock.timestamp(sub.ended_at) if sub.ended_at else None,
    }
