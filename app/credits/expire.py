"""The end of credits that expire: what is left of a grant goes to the house, and its row stays (SPEC C1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import ledger
from app.credits import burn_down
from app.credits.accounts import breakage, credits_of
from app.credits.models import CreditGrant
from app.credits.words import TITLES


def due(session: Session, now: datetime, limit: int) -> list[str]:
    """Customers with something left in a grant whose time is over, always in the same order."""
    over = select(CreditGrant.customer_id).where(
        CreditGrant.remaining > 0, CreditGrant.expires_at.is_not(None), CreditGrant.expires_at <= now
    )
    return list(session.scalars(over.distinct().order_by(CreditGrant.customer_id).limit(limit)))


def expire_of(session: Session, customer_id: str, now: datetime) -> int:
    """End one customer's grants whose time is over; how many. Twice or by two at once: once each."""
    ledger.lock_account(session, credits_of(customer_id))
    grants = burn_down.open_grants(session, customer_id)
    return len(grants) - len(without_expired(session, grants, now))


def without_expired(
    session: Session, grants: Iterable[CreditGrant], now: datetime, *, occasion: str = ""
) -> list[CreditGrant]:
    """These grants without those whose time is over, which end here. Needs the account locked, and the rows read since.

    The instant of the end belongs to what comes after (R6). `occasion` names why one ends a second time: something was
    returned to it.
    """
    return [grant for grant in grants if not _ended(session, grant, now, occasion)]


def _ended(session: Session, grant: CreditGrant, now: datetime, occasion: str) -> bool:
    if grant.expires_at is None or grant.expires_at > now:
        return False
    left = grant.remaining
    entry = ledger.post(
        session,
        "credit_expiry",
        {credits_of(grant.customer_id): -left, breakage(): left},
        customer_id=grant.customer_id,
        key=":".join(part for part in ("expiry", grant.id, occasion) if part),
        data={"description": f"Expired: {TITLES[grant.source].lower()}", "grant": grant.id},
    )
    burn_down.write(session, entry, {grant: -left})
    return True
