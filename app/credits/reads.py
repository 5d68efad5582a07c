"""What pages and the API read of credits: the balance, what ends next, sums of a month, and the history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock, ledger
from app.credits.accounts import credits_of
from app.credits.models import CreditGrant


@dataclass(frozen=True, slots=True)
class CreditBalance:
    """What can be spent now, in whole credits: what is over does not count, written off or not.

    `ends_next` of them end at `ends_at`, unless they are spent before; None where nothing ends.
    """

    available: int
    entries: int
    ends_next: int = 0
    ends_at: datetime | None = None


def balance(session: Session, customer_id: str) -> CreditBalance:
    """The customer's credits now. Two SELECTs, whatever the history."""
    now = clock.now()
    kept = ledger.balance(session, credits_of(customer_id))
    ending = (
        select(CreditGrant.expires_at, func.sum(CreditGrant.remaining))
        .where(CreditGrant.customer_id == customer_id, CreditGrant.remaining > 0, CreditGrant.expires_at.is_not(None))
        .group_by(CreditGrant.expires_at)
        .order_by(CreditGrant.expires_at)
    )
    over = 0
    for at, left in session.execute(ending):
        if at is not None and at > now:
            return CreditBalance(kept.available - over, kept.entries, int(left), at)
        over += int(left)
    return CreditBalance(kept.available - over, kept.entries)
